"""Batches made from plain events, for tests of the matchers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from undertag.match.indexed.gate import Gate
from undertag.match.indexed.plan import Plan
from undertag.match.reference import match_event
from undertag.model.batch import Batch
from undertag.model.entry import Entry
from undertag.model.expr import FALSE, Expr
from undertag.read.normalise.other import OtherLayout

Pairs = Counter[tuple[int, int]]


def batch_of(events: Sequence[Mapping[str, Any]], gate: Gate | None = None) -> Batch:
    """The events as one batch of an entry without constants; `gate` has had its look at them."""
    raws = [json.dumps(event).encode() for event in events]
    batch = Batch(
        entry=Entry(key="test/record"),
        layout=OtherLayout(json=True),
        rows=list(range(len(events))),
        raws=raws,
        heads=list(events),
        fields=list(events),
        times=[None] * len(events),
        systems=[""] * len(events),
        uids=[sha256(raw).digest()[:16] for raw in raws],
    )
    batch.loud = sorted(gate.loud(raws)) if gate is not None else None
    return batch


def by_index(plan: Plan, batch: Batch) -> Pairs:
    """What the indexed matcher finds, as a multiset of (row, rule)."""
    return Counter((row, number) for row, found in plan.match(batch).items() for number in found.numbers)


def by_reference(rules: Sequence[tuple[int, Expr]], events: Sequence[Mapping[str, Any]]) -> Pairs:
    """What the plain matcher finds."""
    return Counter(
        (row, number)
        for row, event in enumerate(events)
        for number, expr in rules
        if expr != FALSE and match_event(expr, event)
    )
