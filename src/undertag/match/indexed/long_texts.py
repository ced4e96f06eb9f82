"""Long texts (scripts, payloads): searched once for everything that any rule looks for in them.

Contract: `found(name, text)` is the set of all `contains` patterns on field `name`, of all rules of the plan, that are
in the folded `text`. Asking each pattern by itself would read a script as often as there are patterns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ahocorasick_rs import BytesAhoCorasick

from undertag.model.expr import Expr, Not, Test

LONG: Final = 768
"""Characters from which on one search for all patterns is cheaper than one a pattern."""
_MEMO_SIZE: Final = 64


class LongTexts:
    """The `contains` patterns of a plan's rules, and what was found in the texts seen last."""

    def __init__(self, conditions: Iterable[Expr]) -> None:
        self._patterns: dict[str, dict[str, None]] = {}
        self._conditions = list(conditions)
        self._automata: dict[str, tuple[Any, list[str]]] = {}
        self._memo: dict[tuple[str, str], frozenset[str]] = {}

    def found(self, name: str, text: str) -> frozenset[str]:
        """The patterns on field `name` that are in the folded `text`."""
        known = self._memo.get((name, text))
        if known is None:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            automaton, patterns = self._automaton(name)
            hits = automaton.find_matches_as_indexes(text.encode("utf-8", "surrogatepass"), overlapping=True)
            known = self._memo[name, text] = frozenset(
                [patterns[number] for number in {hit[0] for hit in hits}]
            )
        return known

    def _automaton(self, name: str) -> tuple[Any, list[str]]:
        made = self._automata.get(name)
        if made is None:
            if not self._patterns:
                for condition in self._conditions:
                    self._collect(condition)
            patterns = list(self._patterns[name])
            automaton = BytesAhoCorasick([pattern.encode("utf-8", "surrogatepass") for pattern in patterns])
            made = self._automata[name] = (automaton, patterns)
        return made

    def _collect(self, expr: Expr) -> None:
        if isinstance(expr, Test):
            if expr.op == "contains" and expr.field is not None and not expr.cased and expr.pattern:
                self._patterns.setdefault(expr.field, {})[expr.pattern] = None
        elif isinstance(expr, Not):
            self._collect(expr.arg)
        else:
            for arg in expr.args:
                self._collect(arg)
