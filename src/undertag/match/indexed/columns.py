"""Tests asked of many events at once: what none of them holds needn't be asked of each.

Contract: `column_tests(expr)` gives tests of which at least one holds for every event that `expr` is true for; where none of them
holds in the joined texts of some events, none of these meets the rule. The joined texts may only ever hold too much: values stand on lines
of their own, so that `^`, `$` and `\\b` see the same edges as in the value alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from undertag.match.indexed.atoms import PLAIN
from undertag.match.indexed.folded import as_text
from undertag.match.indexed.regex_literals import least_length
from undertag.match.indexed.text_tests import LONG_MATCH
from undertag.match.patterns import compile_lines_regex
from undertag.match.scalars import fold
from undertag.model.batch import Batch
from undertag.model.expr import And, Expr, Or, Test

MAX_TESTS: Final = 64
MAX_CHARS: Final = 1 << 20
"""Batches with more text than this are asked event by event."""


class Columns:
    """The joined texts of some rows of a batch, made when first asked for."""

    __slots__ = ("_batch", "_longest", "_rows", "_texts")

    def __init__(self, batch: Batch, rows: Sequence[int]) -> None:
        self._batch = batch
        self._rows = rows
        self._texts: dict[str, tuple[str, str]] = {}
        self._longest: dict[str, int] = {}

    def longest(self, name: str) -> int:
        """Characters of a field's longest value, or more."""
        text = self.texts(name)[0]
        return self._longest[name] if text.isascii() else len(text)

    def texts(self, name: str) -> tuple[str, str]:
        """All values of a field, as they are and folded, one a line."""
        found = self._texts.get(name)
        if found is None:
            parts = []
            column = self._batch.column(name)
            for row in self._rows:
                value = column[row]
                text = value if value.__class__ is str else as_text(value)
                if text is not None:
                    parts.append(text if isinstance(text, str) else "\n".join(text))
            joined = "\n".join(parts)
            self._longest[name] = max(map(len, parts), default=0)
            found = self._texts[name] = (joined, fold(joined))
        return found


ColumnTest = Callable[[Columns], bool]


def compile_column_tests(expr: Expr) -> ColumnTest | None:
    """A function that says whether any event of a batch could meet `expr`; None where only each event can tell."""
    tests = column_tests(expr)
    if tests is None or not any(test.op == "re" for test in tests):
        return None
    asks: list[ColumnTest] = []
    for test in tests:
        ask = _compile(test)
        if ask is None:
            return None
        asks.append(ask)
    if len(asks) == 1:
        return asks[0]
    return lambda columns: any(ask(columns) for ask in asks)


def compile_screen(expr: Expr) -> Callable[[Sequence[int], Batch], Sequence[int]] | None:
    """A function that leaves those rows in which two fields are equal that `expr` wants to be; None if it wants none.

    Arrays and values that are no texts are left in.
    """
    for test in expr.args if isinstance(expr, And) else (expr,):
        if isinstance(test, Test) and test.op == "fieldref" and test.field is not None:
            return _equal(test.field, test.pattern)
    return None


def _equal(one: str, other: str) -> Callable[[Sequence[int], Batch], Sequence[int]]:
    def screen(rows: Sequence[int], batch: Batch) -> Sequence[int]:
        mine, others = batch.column(one), batch.column(other)
        left = []
        for row in rows:
            value, its = mine[row], others[row]
            if value.__class__ is str and its.__class__ is str:
                if value != its and fold(value) != fold(its):
                    continue
            elif value is None or its is None:
                continue
            left.append(row)
        return left

    return screen


def column_tests(expr: Expr) -> list[Test] | None:
    """Tests one of which holds wherever `expr` does; None if there are none that a column can be asked."""
    if isinstance(expr, Test):
        usable = expr.field is not None and (
            expr.op == "re" or (expr.op in PLAIN and not expr.cased and expr.pattern)
        )
        return [expr] if usable else None
    if isinstance(expr, And):
        found = [tests for tests in map(column_tests, expr.args) if tests]
        return min(found, key=_worth, default=None)
    if isinstance(expr, Or):
        whole: list[Test] = []
        for arg in expr.args:
            tests = column_tests(arg)
            if tests is None:
                return None
            whole += tests
        return whole if len(whole) <= MAX_TESTS else None
    return None


def _worth(tests: list[Test]) -> tuple[bool, int]:
    """Expressions first: plain texts alone are what the filter in front has seen to already."""
    return not any(test.op == "re" for test in tests), len(tests)


def _compile(test: Test) -> ColumnTest | None:
    name = test.field or ""
    if test.op != "re":
        pattern = test.pattern
        return lambda columns: pattern in columns.texts(name)[1]
    holds = compile_lines_regex(test.pattern, test.flags)
    if holds is None:
        return None
    least = least_length(test.pattern, test.flags)

    def ask(columns: Columns) -> bool:
        text = columns.texts(name)[0]
        return len(text) > MAX_CHARS or (
            (least < LONG_MATCH or columns.longest(name) >= least) and holds(text)
        )

    return ask
