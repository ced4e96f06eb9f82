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
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeAlias

from undertag.model.output import NOWHERE, Output
from undertag.read import faults
from undertag.read.patterns import matches
from undertag.read.streams import Tell

STDIN: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file to open; `path` is `-` for standard input."""

    path: str


Named: TypeAlias = tuple[str, str]
"""A file's path as it is shown, and the same with all links followed: one file has one."""


def find_files(inputs: Sequence[str | Path], tell: Tell, output: Output = NOWHERE) -> Iterator[Found]:
    """Every file that the inputs name, once; what belongs to the output is passed over, which is told once."""
    seen: set[str] = set()
    told = False
    for path, identity in _named(inputs, tell):
        if output.holds(identity):
            if not told:
                tell(faults.own_output(output.name))
            told = True
            continue
        if identity in seen:
            tell(faults.read_already(path))
            continue
        seen.add(identity)
        yield Found(path=path)


def _named(inputs: Sequence[str | Path], tell: Tell) -> Iterator[Named]:
    for given in [str(one) for one in inputs]:
        if given == STDIN:
            yield given, given
            continue
        paths = [given]
        if glob.has_magic(given) and not os.path.lexists(given):
            paths = list(matches(given, tell))
            if not paths:
                tell(
                    faults.unreadable(
                        given, "nothing has such a name", "quote the pattern and check the folder"
                    )
                )
        for path in paths:
            yield from _files_of(path, tell)


def _files_of(path: str, tell: Tell) -> Iterator[Named]:
    try:
        is_folder = stat.S_ISDIR(Path(path).stat().st_mode)
    except (OSError, ValueError) as error:
        tell(faults.unreadable(path, getattr(error, "strerror", None) or str(error)))
        return
    if is_folder:
        yield from _walk(path, tell)
    else:
        yield path, os.path.realpath(path)


def _walk(folder: str, tell: Tell) -> Iterator[Named]:
    """All regular files below a folder, depth first, sorted.

    No link is followed on the way: where a file really is follows from where the folder is, without asking for each.
    """
    todo: list[tuple[str, str, os.DirEntry[str] | None]] = [(folder, os.path.realpath(folder), None)]
    while todo:
        path, identity, entry = todo.pop()
        try:
            if entry is None or entry.is_dir(follow_symlinks=False):
                with os.scandir(path) as entries:
                    inside = sorted(entries, key=attrgetter("path"), reverse=True)
                todo.extend((one.path, os.path.join(identity, one.name), one) for one in inside)  # noqa: PTH118
                continue
            is_file, is_link = entry.is_file(follow_symlinks=False), entry.is_symlink()
        except OSError as error:
            tell(faults.unreadable(path, error.strerror or str(error)))
            continue
        if is_file:
            yield path, identity
        else:
            tell(faults.not_followed(path, "a symbolic link" if is_link else "a special file"))
