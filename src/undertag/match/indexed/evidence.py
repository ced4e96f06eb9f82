"""Why a rule matched an event: the tests that held, found a second time and only for hits.

Contract: for an event that meets the condition, `compile_evidence(expr)(event)` gives the tests that made it true,
one branch of each disjunction (the first, in the rule's order). With `holds=False` it may be asked of any event, and None
says that the condition doesn't hold. What a `not` contributes is nothing to show, so it isn't listed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from undertag.match.indexed.closures import compile_condition
from undertag.match.indexed.folded import AS_IS, KEYWORDS, KEYWORDS_AS_IS, FoldedEvent
from undertag.match.patterns import compile_text_test, wants_folded
from undertag.model.expr import REF_OPS, And, Expr, Not, Or, Test

Fact: TypeAlias = tuple[Test, str]
"""One test that held, and the value that it held for."""
Evidence: TypeAlias = Callable[[FoldedEvent], list[Fact] | None]


def compile_evidence(expr: Expr, *, holds: bool = True) -> Evidence:
    """A function that says why the condition holds for an event.

    `holds`: the condition is known to hold, so that only what there is to show need be looked for.
    """
    if isinstance(expr, Test):
        return _of_test(expr, known=holds)
    if isinstance(expr, Not):
        if holds:
            return lambda event: []
        refuted = compile_condition(expr)
        return lambda event: [] if refuted(event) else None
    if isinstance(expr, And):
        shown = [arg for arg in expr.args if not (holds and isinstance(arg, Not))]
        return _of_all([compile_evidence(arg, holds=holds) for arg in shown])
    alike = _of_alike(expr)
    if alike is not None:
        return alike
    last = len(expr.args) - 1
    return _of_any([compile_evidence(arg, holds=holds and at == last) for at, arg in enumerate(expr.args)])


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


_HOLDS: dict[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def _of_alike(expr: Or) -> Evidence | None:
    """Plain texts of one field and kind, by far the commonest disjunction; None for any other."""
    tests = [arg for arg in expr.args if isinstance(arg, Test)]
    if len(tests) < len(expr.args) or not tests:
        return None
    name, op = tests[0].field, tests[0].op
    if name is None or op not in _HOLDS or any((t.field, t.op, t.cased) != (name, op, False) for t in tests):
        return None
    holds = _HOLDS[op]
    pairs = [(test, test.pattern) for test in tests]
    as_is = AS_IS + name

    def ask(event: FoldedEvent) -> list[Fact] | None:
        text = event[name]
        if text.__class__ is str:
            for test, pattern in pairs:
                if holds(text, pattern):
                    return [(test, event[as_is])]
            return None
        if text is None:
            return None
        texts = event[as_is]
        for test, pattern in pairs:
            for index, part in enumerate(text):
                if holds(part, pattern):
                    return [(test, texts[index])]
        return None

    return ask


def _of_test(test: Test, *, known: bool) -> Evidence:
    name = test.field
    if test.op in ("exists", "null") or test.op in REF_OPS:
        return _of_presence(test, name or "", known=known)
    holds = compile_text_test(test)
    folded = wants_folded(test)
    as_is = KEYWORDS_AS_IS if name is None else AS_IS + name

    key = (KEYWORDS if name is None else name) if folded else as_is

    def ask(event: FoldedEvent) -> list[Fact] | None:
        text = event[as_is] if known else event[key]
        if text.__class__ is str:
            return [(test, event[as_is])] if known or holds(text) else None
        if text is None:
            return None
        for index, part in enumerate(event[key]):
            if holds(part):
                return [(test, event[as_is][index])]
        return None

    return ask


def _of_presence(test: Test, name: str, *, known: bool) -> Evidence:
    holds = compile_condition(test)

    def ask(event: FoldedEvent) -> list[Fact] | None:
        if not known and not holds(event):
            return None
        text = event[AS_IS + name]
        return [(test, text if isinstance(text, str) else "" if text is None else ", ".join(text))]

    return ask
