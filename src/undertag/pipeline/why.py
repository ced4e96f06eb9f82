"""Why a rule fires on one event or not: every part of its condition, evaluated by the plain matcher."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.bind import bind
from undertag.match.reference import Trace, evaluate
from undertag.match.scalars import field_values, scalars_of
from undertag.model.batch import Batch
from undertag.model.expr import FALSE
from undertag.model.rule import Rule
from undertag.model.source import Records, Unit
from undertag.pipeline.hits import MAX_VALUE, field_name, pattern_of
from undertag.read.normalise.normaliser import Normaliser


def why(rule: Rule, raw: bytes, entry_key: str) -> dict[str, Any]:
    """The rule's outcome on one record.

    Returns:
        `id`, `title`, `fired`, `reason` (where the condition wasn't asked at all), and `conditions`: each test with
        `selection`, `field`, `operator`, `pattern`, `held` and the `value` that it saw (None: the field is absent).
    """
    told: dict[str, Any] = {
        "id": rule.id,
        "title": rule.title,
        "fired": False,
        "reason": "",
        "conditions": [],
    }
    unit = Unit(source="<event>", source_no=0, format="jsonl", data=raw)
    batches = Normaliser(windows_router(), other_router()).normalise(unit, Records(raws=[raw])).batches
    if not batches:
        told["reason"] = "the event can't be read any more"
        return told
    batch = batches[0]
    if entry_key and not batch.entry.key.startswith("windows/"):
        batch.entry = other_router().of_key(
            entry_key
        )  # a line of text was written as an object, which hides its form
    if batch.entry.serving(rule.logsource) is None:
        told["reason"] = f"its log source {rule.logsource} isn't served by {entry_key or batch.entry.key}"
        return told
    condition = bind(rule, batch.entry)
    if condition == FALSE:
        told["reason"] = f"it can't be true in {batch.entry.key}: channel, event ID or provider are others"

    def ask(name: str | None) -> Sequence[Any] | None:
        return values_of(batch, 0, name)

    told["fired"] = evaluate(condition, ask).held
    # What the engine decides once for the whole entry is a part of the rule like any other to whoever asks why.
    whole = bind(rule, replace(batch.entry, constants={}))
    told["conditions"] = [_told(leaf) for leaf in evaluate(whole, ask).leaves()]
    return told


def values_of(batch: Batch, row: int, name: str | None) -> Sequence[Any] | None:
    """A field's scalars as the plain matcher asks for them."""
    if name is not None and name.startswith("~"):
        value = batch.value(row, name)
        return None if value is None else list(scalars_of(value))
    return field_values(batch.event(row), name)


def _told(leaf: Trace) -> dict[str, Any]:
    test = leaf.test
    assert test is not None
    value = ", ".join(leaf.values)[:MAX_VALUE] if leaf.values else None if not leaf.present else ""
    return {
        "selection": test.selection,
        "field": field_name(test),
        "operator": test.op + ("|cased" if test.cased else ""),
        "pattern": pattern_of(test),
        "held": leaf.held,
        "value": value,
    }
