"""A bound condition compiled once to a closure over a `FoldedEvent`.

Contract: `compile_condition(expr)(event)` equals what match/reference.py says of the same event. Tests of the same
kind on the same field are merged, and cheap ones are asked first; only the order of asking changes.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from undertag.match.indexed.atoms import PLAIN
from undertag.match.indexed.folded import (
    AS_IS,
    BETWEEN,
    KEYWORDS,
    KEYWORDS_AS_IS,
    FoldedEvent,
)
from undertag.match.indexed.text_tests import (
    Condition,
    Timeouts,
    any_keyword,
    any_of,
    contains_all,
    guarded,
    on_text,
    remembered,
)
from undertag.match.patterns import compile_text_test
from undertag.match.scalars import field_values, scalars_of
from undertag.model.expr import REF_OPS, And, Expr, Not, Or, Test


def compile_condition(expr: Expr, timeouts: Timeouts | None = None) -> Condition:
    """A function that says whether the condition holds for an event; `timeouts` counts what took too long."""
    timeouts = timeouts or Timeouts()
    if isinstance(expr, Test):
        return _test(expr, timeouts)
    if isinstance(expr, Not):
        return _negation(compile_condition(expr.arg, timeouts))
    if isinstance(expr, And):
        return _conjunction(_all_of(expr, timeouts))
    return _disjunction([*_merged(expr, timeouts)])


def _all_of(expr: And, timeouts: Timeouts) -> list[Condition]:
    """The branches of a conjunction, cheap ones first, texts sought in one field made one."""
    sought: dict[str, list[str]] = {}
    parts: list[tuple[int, Condition]] = []
    for arg in expr.args:
        if (
            isinstance(arg, Test)
            and (arg.op, arg.cased) == ("contains", False)
            and arg.field is not None
            and arg.pattern
        ):
            sought.setdefault(arg.field, []).append(arg.pattern)
        else:
            parts.append((_price(arg), compile_condition(arg, timeouts)))
    for name, patterns in sought.items():
        parts.append((_PRICES["contains"], contains_all(name, patterns)))
    return [part for _, part in sorted(parts, key=itemgetter(0))]


def _negation(part: Condition) -> Condition:
    return lambda event: not part(event)


def _conjunction(parts: list[Condition]) -> Condition:
    if not parts:
        return lambda event: True
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda event: first(event) and second(event)
    if len(parts) == 3:
        one, two, three = parts
        return lambda event: one(event) and two(event) and three(event)

    def every(event: FoldedEvent) -> bool:
        for part in parts:  # noqa: SIM110  # a generator costs more than the tests
            if not part(event):
                return False
        return True

    return every


def _disjunction(parts: list[Condition]) -> Condition:
    if not parts:
        return lambda event: False
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda event: first(event) or second(event)

    def some(event: FoldedEvent) -> bool:
        for part in parts:  # noqa: SIM110
            if part(event):
                return True
        return False

    return some


def _merged(expr: Or, timeouts: Timeouts) -> list[Condition]:
    """The branches of a disjunction, plain text tests of one field and kind made one."""
    groups: dict[tuple[str, str], list[str]] = {}
    keywords: list[str] = []
    rest: list[Expr] = []
    for arg in expr.args:
        if isinstance(arg, Test) and not arg.cased and arg.op in PLAIN:
            if arg.field is not None:
                groups.setdefault((arg.field, arg.op), []).append(arg.pattern)
                continue
            if arg.op == "contains" and arg.pattern and BETWEEN not in arg.pattern:
                keywords.append(arg.pattern)
                continue
        rest.append(arg)
    merged = [any_of(name, op, patterns) for (name, op), patterns in groups.items()]
    if keywords:
        merged.append(any_keyword(keywords))
    return merged + [compile_condition(arg, timeouts) for arg in sorted(rest, key=_price)]


def _test(test: Test, timeouts: Timeouts) -> Condition:
    name = test.field
    if name is None:
        holds = compile_text_test(test, timeouts.note)
        return on_text(KEYWORDS_AS_IS if _as_is(test) else KEYWORDS, holds)
    if test.op == "exists":
        wanted = bool(test.pattern)
        return lambda event: _is_there(event, name) is wanted
    if test.op == "null":
        return lambda event: _is_null(event.batch.value(event.row, name))
    if test.op in REF_OPS:
        return _reference(test, name)
    if not _as_is(test) and test.op in PLAIN:
        return any_of(name, test.op, [test.pattern])
    holds = compile_text_test(test, timeouts.note)
    if test.op == "re":
        return guarded(test, name, remembered(holds))
    key = AS_IS + name if _as_is(test) else name
    return on_text(key, remembered(holds) if test.op == "cidr" else holds)


def _is_there(event: FoldedEvent, name: str) -> bool:
    if name.startswith("~"):
        return event.batch.value(event.row, name) is not None
    return field_values(event.batch.event(event.row), name) is not None


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, list) and any(item is None for item in scalars_of(value)))


def _as_is(test: Test) -> bool:
    return test.cased or test.op == "re"


_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "fieldref": str.__eq__,
    "fieldref_startswith": str.startswith,
    "fieldref_endswith": str.endswith,
    "fieldref_contains": str.__contains__,
}


def _reference(test: Test, name: str) -> Condition:
    prefix = AS_IS if test.cased else ""
    mine, other, compare = prefix + name, prefix + test.pattern, _COMPARE[test.op]

    def ask(event: FoldedEvent) -> bool:
        left, right = event[mine], event[other]
        if left.__class__ is str and right.__class__ is str:
            return compare(left, right)
        if left is None or right is None:
            return False
        lefts = (left,) if left.__class__ is str else left
        rights = (right,) if right.__class__ is str else right
        return any(compare(one, two) for one in lefts for two in rights)

    return ask


_PRICES = {
    "eq": 1,
    "endswith": 1,
    "startswith": 1,
    "contains": 2,
    "exists": 3,
    "null": 2,
    "glob": 4,
    "cidr": 6,
    "re": 20,
}


def _price(expr: Expr) -> int:
    """Roughly how dear it is to ask `expr`."""
    if isinstance(expr, Test):
        return 50 if expr.field is None else _PRICES.get(expr.op, 5)
    if isinstance(expr, Not):
        return _price(expr.arg)
    return sum(map(_price, expr.args))
