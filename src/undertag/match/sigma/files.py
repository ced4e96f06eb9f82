"""Finding and reading rule files. The only module of the loader that touches the disk.

Contract: the order of files depends on what they are, never on the order in which paths were given; a file
that is reached twice is read once. Folders are walked without following links to folders, names that start
with a dot are passed over, and a link to a file outside the folder is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from undertag.match.sigma.documents import MAX_BYTES
from undertag.model.problem import Place, Problem, RuleError

SUFFIXES: Final = (".yml", ".yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A rule file. `name` is its path within the folder given (a file given by itself: its name)."""

    name: str
    shown: str
    """The path for people: as given, joined with `name`."""
    data: bytes


def read_rule_files(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[RuleFile], list[Problem]]:
    """Read all rule files under `paths`, sorted, with a problem for each that can't be read.

    Raises:
        RuleError: UT200, a path given doesn't exist.
    """
    found: dict[str, tuple[str, str]] = {}
    problems: list[Problem] = []
    roots = sorted({(os.path.realpath(path), os.fspath(path)) for path in paths})
    for real, given in roots:
        if Path(real).is_dir():
            _walk(real, given, found, problems)
        elif Path(real).exists():
            found.setdefault(real, (Path(given).name, given))
        else:
            raise RuleError(
                Problem(
                    code="UT200",
                    message="no such file or folder",
                    place=Place(source=given),
                    hint="check the path",
                )
            )
    files = []
    for real, (name, shown) in sorted(found.items()):
        try:
            with Path(real).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            problems.append(_unreadable(shown, error.strerror or str(error)))
            continue
        files.append(RuleFile(name=name, shown=shown, data=data))
    return files, problems


def _walk(real: str, given: str, found: dict[str, tuple[str, str]], problems: list[Problem]) -> None:
    def refuse(error: OSError) -> None:
        problems.append(_unreadable(str(error.filename), error.strerror or str(error)))

    for folder, folders, names in os.walk(real, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.startswith(".") or not name.lower().endswith(SUFFIXES):
                continue
            path = os.path.join(folder, name)  # noqa: PTH118  Path costs 10 µs a file here
            relative = path[len(real) :].lstrip(os.sep)
            shown = os.path.join(given, relative)  # noqa: PTH118
            if os.path.islink(path):  # noqa: PTH114
                path = os.path.realpath(path)
                if not path.startswith(real.rstrip(os.sep) + os.sep):
                    problems.append(_unreadable(shown, "the link leads out of the folder"))
                    continue
            found.setdefault(path, (relative.replace(os.sep, "/"), shown))


def _unreadable(shown: str, reason: str) -> Problem:
    return Problem(
        code="UT200", message=f"can't be read: {reason}", place=Place(source=shown), hint="check the file"
    )
