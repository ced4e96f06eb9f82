"""The slow truth: what a rule means, said as plainly as Python can.

Contract: pure; looks at one event and one expression at a time; remembers nothing but compiled patterns. The
indexed matcher must give the same answer for every rule and event. `model/expr.py` is the wording of the
semantics, this its meaning: where they differ, one is a bug. Written apart from `patterns` wherever that is
possible (only the regular expression engine is shared), so that each can show the other's faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

from undertag.match.patterns import Predicate, compile_regex
from undertag.match.scalars import date_part, field_values, fold, parse_number, text_of
from undertag.model.expr import ANY, DATE_OPS, ONE, REF_OPS, And, Expr, Not, Or, Test
from undertag.model.rule import Rule

GetValues: TypeAlias = Callable[[str | None], Sequence[Any] | None]
"""Field name (None for a keyword) → its scalars, `None` among them for null; None if the field is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What became of one node of an expression: for `explain`.

    `held` is the outcome. A leaf has its `test` and the `values` (texts) that it looked at: if it held, the
    first one that made it hold comes alone; `present` says whether the field was there. Other nodes have
    `kind` (`and`, `or`, `not`) and `parts`, all of them evaluated.
    """

    held: bool
    kind: str
    test: Test | None = None
    present: bool = True
    values: tuple[str, ...] = ()
    parts: tuple[Trace, ...] = ()

    def leaves(self) -> list[Trace]:
        """All leaves, in order."""
        return [self] if self.test is not None else [leaf for part in self.parts for leaf in part.leaves()]


def match_event(rule: Rule | Expr, event: Mapping[str, Any] | GetValues) -> bool:
    """Whether a rule (its log source is not looked at) or expression holds for an event."""
    get_values = _getter(event)
    expr = rule.condition if isinstance(rule, Rule) else rule
    return _holds(expr, get_values)


def evaluate(rule: Rule | Expr, event: Mapping[str, Any] | GetValues) -> Trace:
    """Evaluate every part of a rule or expression, whether or not it could still change the outcome."""
    get_values = _getter(event)
    return _trace(rule.condition if isinstance(rule, Rule) else rule, get_values)


def _getter(event: Mapping[str, Any] | GetValues) -> GetValues:
    if isinstance(event, Mapping):
        return lambda field: field_values(event, field)
    return event


def _holds(expr: Expr, get_values: GetValues) -> bool:
    if isinstance(expr, Not):
        return not _holds(expr.arg, get_values)
    if isinstance(expr, And):
        return all(_holds(arg, get_values) for arg in expr.args)
    if isinstance(expr, Or):
        return any(_holds(arg, get_values) for arg in expr.args)
    return _leaf(expr, get_values).held


def _trace(expr: Expr, get_values: GetValues) -> Trace:
    if isinstance(expr, Not):
        part = _trace(expr.arg, get_values)
        return Trace(held=not part.held, kind="not", parts=(part,))
    if isinstance(expr, And):
        parts = tuple(_trace(arg, get_values) for arg in expr.args)
        return Trace(held=all(part.held for part in parts), kind="and", parts=parts)
    if isinstance(expr, Or):
        parts = tuple(_trace(arg, get_values) for arg in expr.args)
        return Trace(held=any(part.held for part in parts), kind="or", parts=parts)
    return _leaf(expr, get_values)


def _leaf(test: Test, get_values: GetValues) -> Trace:
    values = get_values(test.field)
    present = values is not None
    texts = tuple(text_of(value) for value in values or () if value is not None)
    if test.op == "exists":
        return Trace(held=present == test.pattern, kind="test", test=test, present=present, values=texts)
    if test.op == "null":
        held = values is None or any(value is None for value in values)
        return Trace(held=held, kind="test", test=test, present=present, values=() if held else texts)
    others: tuple[str, ...] = ()
    if test.op in REF_OPS:
        others = tuple(text_of(value) for value in get_values(test.pattern) or () if value is not None)
    for text in texts:
        if holds_for_text(test, text, others):
            return Trace(held=True, kind="test", test=test, values=(text,))
    return Trace(held=False, kind="test", test=test, present=present, values=texts)


def holds_for_text(test: Test, text: str, others: Sequence[str] = ()) -> bool:
    """Whether a test holds for one text, unfolded; `others` are the texts of a referred field."""
    op, pattern = test.op, test.pattern
    if op == "re":
        return _regex(pattern, test.flags)(text)
    if op == "cidr":
        return _in_network(text, pattern)
    if op in DATE_OPS:
        return bool(date_part(text, op) == pattern)
    if op in ("lt", "lte", "gt", "gte"):
        number = parse_number(text)
        if number is None:
            return False
        comparisons = {"lt": number < pattern, "lte": number <= pattern, "gt": number > pattern}
        return bool(comparisons.get(op, number >= pattern))
    if not test.cased:
        text = fold(text)
    if op in REF_OPS:
        how = {"fieldref": "eq"}.get(op, op.removeprefix("fieldref_"))
        return any(_compare(how, text, other if test.cased else fold(other)) for other in others)
    if op == "glob":
        return _glob(text, pattern)
    return _compare(op, text, pattern)


def _compare(op: str, text: str, pattern: str) -> bool:
    if op == "eq":
        return text == pattern
    if op == "contains":
        return pattern in text
    if op == "startswith":
        return text.startswith(pattern)
    if op == "endswith":
        return text.endswith(pattern)
    raise ValueError(f"unknown operator '{op}'")


def _glob(text: str, parts: Sequence[Any]) -> bool:
    """Keep the set of places in the text that the parts so far can have reached."""
    places = {0}
    for part in parts:
        if isinstance(part, str):
            places = {at + len(part) for at in places if text.startswith(part, at)}
        elif part == ONE:
            places = {at + 1 for at in places if at < len(text)}
        elif part == ANY:
            places = set(range(min(places), len(text) + 1)) if places else set()
    return len(text) in places


def _in_network(text: str, pattern: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address in ip_network(pattern)


@lru_cache(maxsize=4096)
def _regex(expression: str, flags: str) -> Predicate:
    return compile_regex(expression, flags)


__all__ = ["GetValues", "Trace", "evaluate", "holds_for_text", "match_event"]
