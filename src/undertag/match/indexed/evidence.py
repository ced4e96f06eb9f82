"""Why a rule matched an event: the tests that held, found a second time and only for hits.

Contract: for an event that meets the condition, `compile_evidence(expr)(event)` gives the tests that made it true,
one branch of each disjunction (the first, in the rule's order); None where the condition doesn't hold. What a `not`
contributes is nothing to show, so it isn't listed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from undertag.match.indexed.closures import compile_condition
from undertag.match.indexed.folded import AS_IS, KEYWORDS_AS_IS, FoldedEvent
from undertag.match.patterns import compile_text_test, wants_folded
from undertag.model.expr import REF_OPS, And, Expr, Not, Test


class Fact(NamedTuple):
    """One test that held, and the value that it held for."""

    test: Test
    value: str


Evidence: TypeAlias = Callable[[FoldedEvent], list[Fact] | None]


def compile_evidence(expr: Expr) -> Evidence:
    """A function that says why the condition holds for an event."""
    if isinstance(expr, Test):
        return _of_test(expr)
    if isinstance(expr, Not):
        holds = compile_condition(expr)
        return lambda event: [] if holds(event) else None
    parts = [compile_evidence(arg) for arg in expr.args]
    if isinstance(expr, And):
        return _of_all(parts)
    return _of_any(parts)


def _of_all(parts: list[Evidence]) -> Evidence:
    def ask(event: FoldedEvent) -> list[Fact] | None:
        facts: list[Fact] = []
        for part in parts:
            found = part(event)
            if found is None:
                return None
            facts += found
        return facts

    return ask


def _of_any(parts: list[Evidence]) -> Evidence:
    def ask(event: FoldedEvent) -> list[Fact] | None:
        for part in parts:
            found = part(event)
            if found is not None:
                return found
        return None

    return ask


def _of_test(test: Test) -> Evidence:
    name = test.field
    if test.op in ("exists", "null") or test.op in REF_OPS:
        return _of_presence(test, name or "")
    holds = compile_text_test(test)
    folded = wants_folded(test)
    as_is = KEYWORDS_AS_IS if name is None else AS_IS + name

    def ask(event: FoldedEvent) -> list[Fact] | None:
        text = event[as_is]
        if text is None:
            return None
        if text.__class__ is str:
            return [Fact(test, text)] if holds(text.lower() if folded else text) else None
        for part in text:
            if holds(part.lower() if folded else part):
                return [Fact(test, part)]
        return None

    return ask


def _of_presence(test: Test, name: str) -> Evidence:
    holds = compile_condition(test)

    def ask(event: FoldedEvent) -> list[Fact] | None:
        if not holds(event):
            return None
        text = event[AS_IS + name]
        return [Fact(test, text if isinstance(text, str) else "" if text is None else ", ".join(text))]

    return ask
