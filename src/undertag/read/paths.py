"""Inputs as a person names them → files to open, in a fixed order.

Contract: folders are walked in order of names; links and special files met on the way are told and left
alone, for a link in a folder of evidence may lead anywhere. What is named outright is read, whatever it is.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from undertag.read import faults
from undertag.read.streams import Tell

STDIN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file to open; `path` is `-` for standard input."""

    path: str


def find_files(inputs: Sequence[str | Path], tell: Tell) -> Iterator[Found]:
    """Every file that the inputs name, once."""
    seen: set[str] = set()
    for path in _named(inputs, tell):
        identity = STDIN if path == STDIN else os.path.realpath(path)
        if identity in seen:
            tell(faults.read_already(path))
            continue
        seen.add(identity)
        yield Found(path=path)


def _named(inputs: Sequence[str | Path], tell: Tell) -> Iterator[str]:
    for given in [str(one) for one in inputs]:
        if given == STDIN:
            yield given
            continue
        paths = [given]
        if glob.has_magic(given) and not os.path.lexists(given):
            paths = sorted(glob.iglob(given, recursive=True, include_hidden=True))  # noqa: PTH207 (may be absolute)
            if not paths:
                tell(
                    faults.unreadable(
                        given, "nothing has such a name", "quote the pattern and check the folder"
                    )
                )
        here: set[str] = set()  # `**` names a folder and also what is in it: no fault of anybody's
        for path in paths:
            for file in _files_of(path, tell):
                if file not in here:
                    yield file
                if len(paths) > 1:
                    here.add(file)


def _files_of(path: str, tell: Tell) -> Iterator[str]:
    try:
        is_folder = stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError) as error:
        tell(faults.unreadable(path, getattr(error, "strerror", None) or str(error)))
        return
    if is_folder:
        yield from _walk(path, tell)
    else:
        yield path


def _walk(folder: str, tell: Tell) -> Iterator[str]:
    """All regular files below a folder, depth first, sorted."""
    todo = [folder]
    while todo:
        path = todo.pop()
        try:
            mode = os.lstat(path).st_mode if path != folder else stat.S_IFDIR
            if stat.S_ISDIR(mode):
                with os.scandir(path) as entries:
                    todo.extend(sorted((entry.path for entry in entries), reverse=True))
                continue
        except OSError as error:
            tell(faults.unreadable(path, error.strerror or str(error)))
            continue
        if stat.S_ISREG(mode):
            yield path
        else:
            what = "a symbolic link" if stat.S_ISLNK(mode) else "a special file"
            tell(faults.not_followed(path, what))
