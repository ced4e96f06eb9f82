"""Patterns of file names → what they name.

Contract: what comes before the first `**` is named outright, as the shell does; what that and the rest find is met on the way,
where links and special files are told and left alone. Each folder is looked into once, in order of names.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from operator import attrgetter
from typing import Final

from undertag.read import faults
from undertag.read.streams import Tell

_ANY_DEPTH: Final = "**"


def matches(pattern: str, tell: Tell) -> Iterator[str]:
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


def _fits(parts: Sequence[str], names: Sequence[str], is_folder: bool) -> bool:
    """Whether the parts of a pattern name what lies under these names; an empty last part names folders only."""
    reached = _onward({0}, parts)
    for name in names:
        after = set()
        for at in reached:
            if at < len(parts) and parts[at] == _ANY_DEPTH:
                after.add(at)
            elif at < len(parts) and parts[at] and fnmatch(name, parts[at]):
                after.add(at + 1)
        reached = _onward(after, parts)
    return len(parts) in reached or (is_folder and parts[-1] == "" and len(parts) - 1 in reached)


def _onward(reached: set[int], parts: Sequence[str]) -> set[int]:
    """The places in a pattern that are reached, and those behind a `**` there, which may stand for nothing."""
    for at in range(len(parts)):
        if at in reached and parts[at] == _ANY_DEPTH:
            reached.add(at + 1)
    return reached
