"""Inputs as a person names them → files to open, in a fixed order.

Contract: folders are walked in order of names; links and special files met on the way are told and left
alone, for a link in a folder of evidence may lead anywhere. What is named outright is read, whatever it is.
In a pattern, what comes before the first `**` is named outright, what that and the rest find is met on the way.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from operator import attrgetter
from pathlib import Path
from typing import Final, TypeAlias

from undertag.model.output import Output
from undertag.read import faults
from undertag.read.streams import Tell

STDIN: Final = "-"
_ANY_DEPTH: Final = "**"
NOWHERE: Final = Output()
"""The output of who writes nothing."""


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
            paths = list(_matches(given, tell))
            if not paths:
                tell(
                    faults.unreadable(
                        given, "nothing has such a name", "quote the pattern and check the folder"
                    )
                )
        for path in paths:
            yield from _files_of(path, tell)


def _matches(pattern: str, tell: Tell) -> Iterator[str]:
    """The files and folders that a pattern names, without those in a folder that it names."""
    parts = pattern.replace(os.altsep or os.sep, os.sep).split(os.sep)  # noqa: PTH206 (keeps empty ones)
    if _ANY_DEPTH not in parts:
        yield from sorted(glob.iglob(pattern, include_hidden=True))  # noqa: PTH207 (may be absolute)
        return
    depth = parts.index(_ANY_DEPTH)
    base = "".join(part + os.sep for part in parts[:depth])
    rest = [part for part in parts[depth:-1] if part not in ("", ".")] + parts[-1:]
    bases = sorted(glob.iglob(base, include_hidden=True)) if glob.has_magic(base) else [base]  # noqa: PTH207
    for folder in bases:
        if os.path.isdir(folder or "."):  # noqa: PTH112 (a pattern's own text)
            yield from _search(folder, rest, tell)


def _search(folder: str, rest: list[str], tell: Tell) -> Iterator[str]:
    """What the rest of a pattern, from its first `**` on, names below a folder: depth first, sorted, no link followed."""
    todo: list[tuple[str, list[str], os.DirEntry[str] | None]] = [(folder, [], None)]
    while todo:
        path, names, entry = todo.pop()
        try:
            is_folder = entry is None or entry.is_dir(follow_symlinks=False)
            fits = path != "" and _fits(rest, names, is_folder)
            if is_folder and not fits:
                with os.scandir(path or ".") as entries:
                    inside = sorted(entries, key=attrgetter("name"), reverse=True)
                todo.extend((os.path.join(path, one.name), [*names, one.name], one) for one in inside)  # noqa: PTH118
            elif entry is not None and entry.is_symlink():
                if fits or entry.is_dir():
                    tell(faults.not_followed(path, "a symbolic link"))
            elif is_folder or (entry is not None and fits and entry.is_file(follow_symlinks=False)):
                yield path
            elif fits:
                tell(faults.not_followed(path, "a special file"))
        except OSError as error:
            tell(faults.unreadable(path or ".", error.strerror or str(error)))


def _fits(parts: list[str], names: list[str], is_folder: bool) -> bool:
    """Whether the parts of a pattern name what lies under these names; an empty last part names folders only."""
    if not parts:
        return not names
    first, rest = parts[0], parts[1:]
    if not first:
        return is_folder and not names
    if first == _ANY_DEPTH:
        if not rest:
            return is_folder or bool(names)
        return any(_fits(rest, names[at:], is_folder) for at in range(len(names) + 1))
    return bool(names) and fnmatch(names[0], first) and _fits(rest, names[1:], is_folder)


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
