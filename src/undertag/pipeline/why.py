"""Why a rule fires on one event or not: every part of its condition, evaluated by the plain matcher.

The reader of signature names is no rule of a file, but answers in the same form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from undertag.catalogue.other import other_router
from undertag.catalogue.sources.fields import text_at
from undertag.catalogue.windows import windows_router
from undertag.match.bind import bind
from undertag.match.reference import Trace, evaluate
from undertag.match.scalars import field_values, scalars_of
from undertag.model.batch import Batch
from undertag.model.expr import FALSE, Test
from undertag.model.rule import Rule
from undertag.model.source import Records, Unit
from undertag.pipeline.hits import MAX_VALUE, field_name, operator_of, pattern_of
from undertag.read.normalise.normaliser import Normaliser
from undertag.tag.antivirus import RULE as SIGNATURE_NAME
from undertag.tag.antivirus import RULE_TITLE, AntivirusTags
from undertag.tag.technique_claims import TechniqueClaims

__all__ = ["SIGNATURE_NAME", "why", "why_named"]

_UNREADABLE: Final = "the event can't be read any more"


def why(rule: Rule, raw: bytes, entry_key: str) -> dict[str, Any]:
    """The rule's outcome on one record.

    Returns:
        `id`, `title`, `fired`, `reason` (where the condition wasn't asked at all), and `conditions`: each test with
        `selection`, `field`, `operator`, `pattern`, `held`, the `value` that it saw (None: the field is absent), `negated`
        (it stands under a `not`, so that it speaks against the rule where it held), and `failed`: it is one of those that
        kept the rule from firing. A test of an alternative that another one stands in for is not.
    """
    told: dict[str, Any] = {
        "id": rule.id,
        "title": rule.title,
        "fired": False,
        "reason": "",
        "conditions": [],
    }
    batch = _batch(raw)
    if batch is None:
        told["reason"] = _UNREADABLE
        return told
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
    trace = evaluate(whole, ask)
    told["conditions"] = list(_leaves(trace, negated=False, failed=not (told["fired"] or trace.held)))
    return told


def why_named(raw: bytes, entry_key: str, attack_version: str) -> dict[str, Any]:
    """What the reader of signature names saw in one record; the same keys as of `why`, `held` where there is a name."""
    told: dict[str, Any] = {
        "id": SIGNATURE_NAME,
        "title": RULE_TITLE,
        "fired": False,
        "reason": "",
        "conditions": [],
    }
    batch = _batch(raw)
    if batch is None:
        told["reason"] = _UNREADABLE
        return told
    reader = AntivirusTags(TechniqueClaims(attack_version), "")
    key = entry_key or batch.entry.key
    event = reader.event(key)
    if event is None:
        told["reason"] = f"the catalogue knows no field of {key} that names a signature"
        return told
    fields = batch.fields[0]
    named = reader.of(event, fields)
    if named is None:
        told["reason"] = "the event names no signature"
        asked = {
            "selection": event.key,
            "field": ".".join(event.signature),
            "operator": "named",
            "pattern": "*",
        }
        told["conditions"] = [
            {
                **asked,
                "held": False,
                "value": text_at(fields, event.signature),
                "negated": False,
                "failed": True,
            }
        ]
        return told
    told["fired"] = True
    told["conditions"] = [
        {**fact, "held": True, "negated": False, "failed": False}
        for fact in orjson.loads(named.hit)["evidence"]
    ]
    return told


def _batch(raw: bytes) -> Batch | None:
    """One record as a batch; None where it can't be read."""
    unit = Unit(source="<event>", source_no=0, format="jsonl", data=raw)
    batches = Normaliser(windows_router(), other_router()).normalise(unit, Records(raws=[raw])).batches
    return batches[0] if batches else None


def values_of(batch: Batch, row: int, name: str | None) -> Sequence[Any] | None:
    """A field's scalars as the plain matcher asks for them."""
    if name is not None and name.startswith("~"):
        value = batch.value(row, name)
        return None if value is None else list(scalars_of(value))
    return field_values(batch.event(row), name)


def _leaves(trace: Trace, *, negated: bool, failed: bool) -> Iterator[dict[str, Any]]:
    """Each test below a node; `failed` says that the node itself kept the rule from firing."""
    if trace.test is not None:
        yield _told(trace, trace.test, negated=negated, failed=failed)
    for part in trace.parts:
        below = negated != (trace.kind == "not")
        yield from _leaves(part, negated=below, failed=failed and part.held == below)


def _told(leaf: Trace, test: Test, *, negated: bool, failed: bool) -> dict[str, Any]:
    value = ", ".join(leaf.values)[:MAX_VALUE] if leaf.values else None if not leaf.present else ""
    return {
        "selection": test.selection,
        "field": field_name(test),
        "operator": operator_of(test),
        "pattern": pattern_of(test),
        "held": leaf.held,
        "value": value,
        "negated": negated,
        "failed": failed,
    }
