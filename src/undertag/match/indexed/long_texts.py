"""Long texts (scripts, payloads): searched once for everything that any rule looks for in them.

Contract: `found(name, text)` is the set of all `contains` patterns on field `name`, of all conditions added, that are
in the folded `text`. Asking each pattern by itself would read a script as often as there are patterns.
"""

from __future__ import annotations

from typing import Any, Final

from ahocorasick_rs import BytesAhoCorasick

from undertag.model.expr import Expr, Not, Test

LONG: Final = 768
"""Characters from which on one search for all patterns is cheaper than one a pattern."""
_MEMO_SIZE: Final = 64
_FEW: Final = 24
"""So many new patterns are looked for one by one before a new automaton is worth it."""


class LongTexts:
    """The `contains` patterns of conditions that are asked, and what was found in the texts seen last."""

    def __init__(self) -> None:
        self._fields: dict[str, _Patterns] = {}

    def add(self, condition: Expr) -> None:
        """Takes in the patterns of a condition that is going to be asked."""
        if isinstance(condition, Test):
            test = condition
            if test.op == "contains" and test.field is not None and not test.cased and test.pattern:
                self._of(test.field).add(test.pattern)
        elif isinstance(condition, Not):
            self.add(condition.arg)
        else:
            for arg in condition.args:
                self.add(arg)

    def found(self, name: str, text: str) -> frozenset[str]:
        """The patterns on field `name` that are in the folded `text`."""
        return self._of(name).found(text)

    def _of(self, name: str) -> _Patterns:
        known = self._fields.get(name)
        if known is None:
            known = self._fields[name] = _Patterns()
        return known


class _Patterns:
    """The patterns on one field: most in an automaton, the newest by themselves."""

    __slots__ = ("_all", "_automaton", "_memo", "_new", "_old")

    def __init__(self) -> None:
        self._all: set[str] = set()
        self._old: list[str] = []
        self._new: list[str] = []
        self._automaton: Any = None
        self._memo: dict[str, frozenset[str]] = {}

    def add(self, pattern: str) -> None:
        if pattern not in self._all:
            self._all.add(pattern)
            self._new.append(pattern)
            self._memo.clear()

    def found(self, text: str) -> frozenset[str]:
        known = self._memo.get(text)
        if known is None:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            known = self._memo[text] = frozenset(self._search(text))
        return known

    def _search(self, text: str) -> set[str]:
        if len(self._new) > _FEW:
            self._old += self._new
            self._new = []
            self._automaton = BytesAhoCorasick([_encoded(pattern) for pattern in self._old])
        found = {pattern for pattern in self._new if pattern in text}
        if self._automaton is not None:
            hits = self._automaton.find_matches_as_indexes(_encoded(text), overlapping=True)
            found.update([self._old[number] for number in {hit[0] for hit in hits}])
        return found


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
