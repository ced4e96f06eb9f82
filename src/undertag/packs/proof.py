"""Proof by breaking: a rule must match its examples, and stop when any one attribute that matters is spoilt.

Contract: pure over a rule and its events. An attribute *matters* in an example if a positive test of the
rule holds on it; a field that only a `not` looks at doesn't. What a `not` shuts out must be shown by a
counterexample that matches as soon as that `not` is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.bind import bind
from undertag.match.reference import GetValues, Trace, evaluate, match_event
from undertag.match.scalars import field_values
from undertag.model.derived import derive
from undertag.model.entry import Entry, derived_name
from undertag.model.expr import TRUE, And, Expr, Not, Or, Test
from undertag.model.rule import Rule
from undertag.packs.schema import Custom

BOGUS: Final = "BOGUS"
_ROUTING: Final = ("Channel", "EventID", "Provider_Name")

Event: TypeAlias = Mapping[str, Any]
Fault: TypeAlias = tuple[str, str, str]
"""Code, message, hint."""


def prove(rule: Rule, custom: Custom) -> list[Fault]:
    """Everything that the examples and counterexamples of a rule fail to show."""
    faults: list[Fault] = []
    proven: set[str] = set()
    for number, event in enumerate(custom.examples, 1):
        if not matches(rule, event):
            faults.append(
                ("UT266", f"example {number} does not match", "correct the example or the detection")
            )
            continue
        for names in sorted(attributes_that_matter(rule, event)):
            if matches(rule, {**event, **dict.fromkeys(names, BOGUS)}):
                shown = " and ".join(names)
                hint = f"leave {shown} out of this example, or show the other way in an example of its own"
                faults.append(("UT267", f"example {number} still matches with {shown} set to {BOGUS}", hint))
            else:
                proven.update(names)
    faults.extend(_unproven_fields(rule, custom, proven))
    for number, event in enumerate(custom.counterexamples, 1):
        entry = entry_of(event)
        if entry is None or entry.serving(rule.logsource) is None:
            hint = f"take an event that serves {rule.logsource}"
            faults.append(("UT268", f"counterexample {number} is of another log source", hint))
        elif matches(rule, event):
            faults.append(("UT268", f"counterexample {number} matches", "correct it or narrow the detection"))
    faults.extend(_unproven_filters(rule, custom))
    return faults


def entry_of(event: Event) -> Entry | None:
    """The catalogue entry of a flat event, None if its `EventID` is no number."""
    if "Channel" not in event:
        return other_router().entry(event, "jsonl")
    number = event.get("EventID")
    if not isinstance(number, int) or isinstance(number, bool):
        return None
    return windows_router().entry(str(event["Channel"]), str(event.get("Provider_Name", "")), number)


def matches(rule: Rule, event: Event) -> bool:
    """Whether a rule, log source included, matches a flat event."""
    entry = entry_of(event)
    return entry is not None and match_event(bind(rule, entry), _getter(entry, event))


def attributes_that_matter(rule: Rule, event: Event) -> set[tuple[str, ...]]:
    """The event's own names of the fields on which a positive test of the rule holds.

    Each is a tuple of one name, or of several that a derived field is made from: these are spoilt together.
    """
    entry = entry_of(event)
    if entry is None:
        return set()
    names = {test.field for test in _held(evaluate(bind(rule, entry), _getter(entry, event)))}
    found = {_sources(entry, name) for name in names if name}
    found |= {(test.field,) for test in _positive(rule.condition) if test.field in _ROUTING}
    present = {tuple(name for name in group if name in event) for group in found}
    return present - {()}


def _getter(entry: Entry, event: Event) -> GetValues:
    def get(name: str | None) -> Any:
        if name is not None and name.startswith("~"):
            how = entry.derivations[name]
            value = derive(how, [event.get(part) for part in how.fields])
            return None if value is None else [value]
        return field_values(event, name)

    return get


def _sources(entry: Entry, name: str) -> tuple[str, ...]:
    return tuple(entry.derivations[name].fields) if name.startswith("~") else (name,)


def _held(trace: Trace, positive: bool = True) -> Iterator[Test]:
    if trace.test is not None:
        if positive and trace.held:
            yield trace.test
        return
    for part in trace.parts:
        yield from _held(part, positive != (trace.kind == "not"))


def _positive(expr: Expr, positive: bool = True) -> Iterator[Test]:
    if isinstance(expr, Not):
        yield from _positive(expr.arg, not positive)
    elif isinstance(expr, And | Or):
        for arg in expr.args:
            yield from _positive(arg, positive)
    elif positive:
        yield expr


def _unproven_fields(rule: Rule, custom: Custom, proven: set[str]) -> Iterator[Fault]:
    """Fields of the detection that no example was seen to depend on."""
    entries = [entry for event in custom.examples if (entry := entry_of(event)) is not None]
    fields = {test.field for test in _positive(rule.condition) if test.field and test.pattern is not False}
    for name in sorted(fields):
        if not any(proven.intersection(_names(rule, entry, name)) for entry in entries):
            hint = f"add an example that matches through `{name}`"
            yield "UT269", f"no example depends on the field {name}", hint


def _names(rule: Rule, entry: Entry, name: str) -> tuple[str, ...]:
    service = entry.serving(rule.logsource)
    if service is None:
        return ()
    if name in service.derive:
        return _sources(entry, derived_name(service.logsource.category, name))
    return (service.rename.get(name, name),)


def _unproven_filters(rule: Rule, custom: Custom) -> Iterator[Fault]:
    """Negations that no counterexample is stopped by."""
    kept_out = [event for event in custom.counterexamples if not matches(rule, event)]
    for number, without in enumerate(_each_without_a_not(rule.condition), 1):
        loosened = Rule(id=rule.id, title=rule.title, logsource=rule.logsource, condition=without)
        if not any(matches(loosened, event) for event in kept_out):
            hint = "add a counterexample that only this `not` keeps out"
            yield "UT269", f"no counterexample is kept out by `not` number {number}", hint


def _each_without_a_not(expr: Expr) -> Iterator[Expr]:
    """The expression once for each of its outermost negations, that one taken as true."""
    if isinstance(expr, Not):
        yield TRUE
    elif isinstance(expr, And | Or):
        for at, arg in enumerate(expr.args):
            for less in _each_without_a_not(arg):
                yield type(expr)((*expr.args[:at], less, *expr.args[at + 1 :]))
