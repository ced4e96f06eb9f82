"""What a regular expression can't match without, from its parse tree: literals, and a length.

Contract: every text that the expression is found in contains, folded (`scalars.fold`), at least one literal of each
group returned, and has at least as many characters as `least_length` says. No groups means that nothing is known. Only ASCII
is used, and under `i` no `s`, because the folding of `re2` knows characters (U+017F) that this keeps apart.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any, Final

MAX_ALTERNATIVES: Final = 64
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_FLAG_GROUP: Final = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\(\?[imsU-]+\)", re.DOTALL)
"""An escape or a class (kept), or flags set in the middle, which this parser refuses; none of these changes a literal."""
_FLAGS = {"i": 2, "m": 8, "s": 16}


def literal_groups(pattern: str, flags: str = "") -> list[frozenset[str]]:
    """Groups of folded literals; at least one of each group is in any text that `pattern` is found in."""
    tree = _parsed(pattern, flags)
    if tree is None:
        return []
    insensitive = "i" in flags or bool(tree.state.flags & 2) or ("(?" in pattern and "i" in pattern)
    try:
        return [group for group in _sequence(list(tree), insensitive) if all(group)]
    except RecursionError:
        return []


def least_length(pattern: str, flags: str = "") -> int:
    """Characters that any text has that `pattern` is found in; 0 where nothing is known."""
    tree = _parsed(pattern, flags)
    try:
        return int(tree.getwidth()[0]) if tree is not None else 0
    except RecursionError:
        return 0


def _parsed(pattern: str, flags: str) -> Any:
    """The parse tree; None where this parser reads the pattern otherwise than re2 may, or not at all."""
    if "[:" in pattern:  # a POSIX class, which this parser would take for a set and a literal
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = sre_parser.parse(_FLAG_GROUP.sub(_kept, pattern), sum(_FLAGS[flag] for flag in flags))
    except (ValueError, OverflowError, RecursionError, sre.error):
        return None
    # verbose: re2 doesn't know it, so what this parser drops may be text there
    return None if tree.state.flags & 64 else tree


def _kept(found: re.Match[str]) -> str:
    return found[1] or ""


def _sequence(items: list[Any], insensitive: bool) -> list[frozenset[str]]:
    groups: list[frozenset[str]] = []
    for run in _runs(items, insensitive):
        if isinstance(run, str):
            groups.append(frozenset((run,)))
        else:
            groups.extend(run)
    return groups


def _runs(items: list[Any], insensitive: bool) -> Iterator[str | list[frozenset[str]]]:
    """Runs of literal characters, and what the items between them need."""
    run = ""
    for op, arg in items:
        char = _literal(op, arg, insensitive)
        if char:
            run += char
            continue
        if op is sre.AT:  # an anchor or word boundary takes no room, and breaks no run
            continue
        if run:
            yield run
            run = ""
        inner = _inner(op, arg, insensitive)
        if inner:
            yield inner
    if run:
        yield run


def _literal(op: Any, arg: Any, insensitive: bool) -> str:
    if op is not sre.LITERAL or arg >= 128:
        return ""
    char = chr(arg).lower()
    return "" if insensitive and char == "s" else char


def _inner(op: Any, arg: Any, insensitive: bool) -> list[frozenset[str]]:
    if op is sre.SUBPATTERN:
        return _sequence(list(arg[3]), insensitive)
    if op is sre.ATOMIC_GROUP:
        return _sequence(list(arg), insensitive)
    if op in _REPEATS and arg[0] >= 1:
        return _sequence(list(arg[2]), insensitive)
    if op is sre.BRANCH:
        return _branch(arg[1], insensitive)
    return []


def _branch(branches: list[Any], insensitive: bool) -> list[frozenset[str]]:
    """One literal of each branch, the longest group of each."""
    union: set[str] = set()
    for branch in branches:
        groups = _sequence(list(branch), insensitive)
        if not groups:
            return []
        union |= max(groups, key=lambda group: min(map(len, group)))
    return [frozenset(union)] if len(union) <= MAX_ALTERNATIVES else []
