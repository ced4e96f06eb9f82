"""A bound condition compiled once to a closure over a `FoldedEvent`.

Contract: `compile_condition(expr)(event)` equals what match/reference.py says of the same event. Tests of the same
kind on the same field are merged, and cheap ones are asked first; only the order of asking changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

from undertag.match.indexed.folded import AS_IS, KEYWORDS, KEYWORDS_AS_IS, FoldedEvent
from undertag.match.indexed.long_texts import LONG
from undertag.match.patterns import compile_text_test
from undertag.match.scalars import field_values, scalars_of
from undertag.model.expr import REF_OPS, And, Expr, Not, Or, Test

Condition: TypeAlias = Callable[[FoldedEvent], bool]
MAX_TIMEOUTS = 20
_MEMO_SIZE = 256


class Timeouts:
    """Regular expressions that took too long, by their pattern; one that does so too often is given up."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.given_up: set[str] = set()

    def note(self, test: Test, text: str) -> None:
        """Counts one value on which an expression was broken off."""
        self.counts[test.pattern] += 1
        if self.counts[test.pattern] >= MAX_TIMEOUTS:
            self.given_up.add(test.pattern)


def compile_condition(expr: Expr, timeouts: Timeouts | None = None) -> Condition:
    """A function that says whether the condition holds for an event; `timeouts` counts what took too long."""
    timeouts = timeouts or Timeouts()
    if isinstance(expr, Test):
        return _test(expr, timeouts)
    if isinstance(expr, Not):
        return _negation(compile_condition(expr.arg, timeouts))
    if isinstance(expr, And):
        parts = [compile_condition(arg, timeouts) for arg in sorted(expr.args, key=_price)]
        return _conjunction(parts)
    return _disjunction([*_merged(expr, timeouts)])


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
    rest: list[Expr] = []
    for arg in expr.args:
        if (
            isinstance(arg, Test)
            and arg.field is not None
            and not arg.cased
            and arg.op in ("eq", "contains", "startswith", "endswith")
        ):
            groups.setdefault((arg.field, arg.op), []).append(arg.pattern)
        else:
            rest.append(arg)
    merged = [_any_of(name, op, patterns) for (name, op), patterns in groups.items()]
    return merged + [compile_condition(arg, timeouts) for arg in sorted(rest, key=_price)]


def _any_of(name: str, op: str, patterns: list[str]) -> Condition:
    if op == "contains":
        return _contains(name, patterns)
    if op == "eq":
        return _equals(name, frozenset(patterns))
    return _starts(name, tuple(patterns)) if op == "startswith" else _ends(name, tuple(patterns))


def _equals(name: str, wanted: frozenset[str]) -> Condition:
    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return text in wanted
        return text is not None and not wanted.isdisjoint(text)

    return ask


def _starts(name: str, edges: tuple[str, ...]) -> Condition:
    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return text.startswith(edges)
        return text is not None and any(part.startswith(edges) for part in text)

    return ask


def _ends(name: str, edges: tuple[str, ...]) -> Condition:
    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return text.endswith(edges)
        return text is not None and any(part.endswith(edges) for part in text)

    return ask


def _contains(name: str, patterns: list[str]) -> Condition:
    wanted = frozenset(patterns)
    if "" in wanted:
        return _on_text(name, lambda text: True)
    if len(patterns) == 1:
        pattern = patterns[0]

        def one(event: FoldedEvent) -> bool:
            text = event[name]
            if text.__class__ is str:
                return pattern in text if len(text) < LONG else pattern in event.longs.found(name, text)
            return text is not None and any(pattern in part for part in text)

        return one

    def some(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            if len(text) >= LONG:
                return not wanted.isdisjoint(event.longs.found(name, text))
            for pattern in patterns:  # noqa: SIM110
                if pattern in text:
                    return True
            return False
        return text is not None and any(pattern in part for part in text for pattern in patterns)

    return some


def _on_text(name: str, holds: Callable[[str], Any]) -> Condition:
    """A test on the text of field `name` as a `FoldedEvent` knows it."""

    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return bool(holds(text))
        return text is not None and any(holds(part) for part in text)

    return ask


def _test(test: Test, timeouts: Timeouts) -> Condition:
    name = test.field
    if name is None:
        holds = _bounded(test, timeouts)
        return _on_text(KEYWORDS_AS_IS if _as_is(test) else KEYWORDS, holds)
    if test.op == "exists":
        wanted = bool(test.pattern)
        return lambda event: _is_there(event, name) is wanted
    if test.op == "null":
        return lambda event: _is_null(event.batch.value(event.row, name))
    if test.op in REF_OPS:
        return _reference(test, name)
    if not _as_is(test) and test.op in ("eq", "contains", "startswith", "endswith"):
        return _any_of(name, test.op, [test.pattern])
    holds = _bounded(test, timeouts)
    key = AS_IS + name if _as_is(test) else name
    return _on_text(key, _remembered(holds) if test.op in ("re", "cidr") else holds)


def _is_there(event: FoldedEvent, name: str) -> bool:
    if name.startswith("~"):
        return event.batch.value(event.row, name) is not None
    return field_values(event.batch.event(event.row), name) is not None


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, list) and any(item is None for item in scalars_of(value)))


def _as_is(test: Test) -> bool:
    return test.cased or test.op == "re"


def _bounded(test: Test, timeouts: Timeouts) -> Callable[[str], bool]:
    """A test on text that is given up where its expression took too long too often."""
    holds = compile_text_test(test, timeouts.note)
    if test.op != "re":
        return holds
    pattern, given_up = test.pattern, timeouts.given_up
    return lambda text: pattern not in given_up and holds(text)


def _remembered(holds: Callable[[str], bool]) -> Callable[[str], bool]:
    """Dear tests are asked once a distinct value."""
    memo: dict[str, bool] = {}

    def ask(text: str) -> bool:
        found = memo.get(text)
        if found is None:
            if len(memo) >= _MEMO_SIZE:
                memo.clear()
            found = memo[text] = holds(text)
        return found

    return ask


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
