"""Finding and reading rule files. The only module of the loader that touches the disk.

Contract: the order of files depends on what they are, never on the order in which paths were given; a file
that is reached twice is read once. Folders are walked without following links to folders, names that start
with a dot are passed over, and a link to a file outside the folder is refused.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from undertag.match.sigma.documents import MAX_BYTES
from undertag.model.problem import Place, Problem, RuleError, printable

SUFFIXES: Final = (".yml", ".yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFile:
    """A rule file. `name` is its path within the folder given (a file given by itself: its name), made printable."""

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
            data = _read(real)
        except OSError as error:
            problems.append(_unreadable(shown, error.strerror or str(error)))
            continue
        files.append(RuleFile(name=printable(name), shown=printable(shown), data=data))
    return files, problems


def _read(path: str) -> bytes:
    """A regular file's bytes, at most one more than `MAX_BYTES`; no pipe or device is waited for."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        data = os.read(handle, min(status.st_size, MAX_BYTES) + 1)
        if data and len(data) == status.st_size:
            return data
        while len(data) <= MAX_BYTES and (more := os.read(handle, MAX_BYTES + 1 - len(data))):
            data += more
        return data
    finally:
        os.close(handle)


def _walk(real: str, given: str, found: dict[str, tuple[str, str]], problems: list[Problem]) -> None:
    folders = [real]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            problems.append(_unreadable(given + folder[len(real) :], error.strerror or str(error)))
            continue
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.name.lower().endswith(SUFFIXES):
                _take(entry, real, given, found, problems)


def _take(
    entry: os.DirEntry[str], real: str, given: str, found: dict[str, tuple[str, str]], problems: list[Problem]
) -> None:
    name = entry.path[len(real) :].lstrip(os.sep)
    shown = f"{given.rstrip(os.sep)}{os.sep}{name}"
    path = entry.path
    if entry.is_symlink():
        path = os.path.realpath(path)
        if not path.startswith(real.rstrip(os.sep) + os.sep):
            problems.append(_unreadable(shown, "the link leads out of the folder"))
            return
        if Path(path).is_dir():
            return
    found.setdefault(path, (name.replace(os.sep, "/"), shown))


def _unreadable(shown: str, reason: str) -> Problem:
    return Problem(
        code="UT200", message=f"can't be read: {reason}", place=Place(source=shown), hint="check the file"
    )
