"""The way of a few units: read → (enrich) → match → tag → render.

Contract: `Way.go(bundle)` is a function of the units alone; nothing that it remembers changes what comes out. Records
are numbered through all units of the bundle.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from undertag.catalogue.sources.routes import AntivirusEvent
from undertag.match.engine import Engine
from undertag.match.indexed.asked import Reason
from undertag.match.indexed.plan import Found
from undertag.model.batch import Batch
from undertag.model.source import Records, Unit
from undertag.pipeline.bundles import Bundle
from undertag.pipeline.hits import HitWriter
from undertag.pipeline.tally import Tally
from undertag.read.normalise.normaliser import Normaliser
from undertag.tag.tagger import Tagger
from undertag.write.events import Renderer, Tagged

MAX_KNOWN: Final = 4_096
"""Sets of hits remembered as they were written; where a rule remembers its reasons, the same ones come again."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What a bundle gave: rendered rows are kept by the renderer's own form until their uids are final."""

    uids: bytes = b""
    """16 bytes an event, in the records' order."""
    numbers: list[int] | None = None
    """Each event's record number within the bundle, in the same order; None where they are 0, 1, 2, …"""
    sources: list[tuple[int, int]] = field(default_factory=list)
    """The number of each unit's source and of its events, in the same order."""
    rendered: object = None
    tally: Tally = field(default_factory=Tally)


class Way:
    """Takes units from bytes to rendered, tagged events."""

    def __init__(
        self,
        *,
        records: Callable[[Unit], Records],
        normaliser: Normaliser,
        engine: Engine,
        tagger: Tagger,
        renderer: Renderer | None,
    ) -> None:
        """`renderer`: None where events are only counted."""
        self._records = records
        self._normaliser = normaliser
        self.engine = engine
        self.tagger = tagger
        self.renderer = renderer
        self._hits = HitWriter(engine.rules)
        self._known: dict[tuple[Reason, ...], tuple[tuple[int, ...], Tagged | None]] = {}

    def go(self, bundle: Bundle) -> Outcome:
        """Some units of one format, all the way."""
        found = [self._records(unit) for unit in bundle]
        normalised = self._normaliser.together(bundle, found)
        raws = [raw for records in found for raw in records.raws]
        loud = self.engine.gate.loud(raws, found[0].data if len(found) == 1 else b"")
        outcome = Outcome()
        if self.renderer is not None:
            outcome.rendered = self.renderer.start()
        tally = outcome.tally
        tally.tell(normalised.problems)
        done: list[tuple[list[int], list[bytes]]] = []
        batches = normalised.batches[::-1]
        normalised.batches.clear()
        while batches:  # what a batch made is let go before the next, which finds its memory at hand
            batch = batches.pop()
            batch.loud = [row for row, number in enumerate(batch.rows) if number in loud] if loud else []
            self._batch(batch, outcome)
            done.append((batch.rows, batch.uids))
            del batch
        outcome.uids, outcome.numbers = _in_order(done, normalised.events)
        outcome.sources = _by_source(bundle, found, outcome.numbers)
        return outcome

    def learn(self, bundles: Iterable[Bundle]) -> None:
        """Shows the engine some units beforehand; nothing is written."""
        self.engine.learn(
            batch
            for bundle in bundles
            for batch in self._normaliser.together(bundle, list(map(self._records, bundle))).batches
        )

    def _batch(self, batch: Batch, outcome: Outcome) -> None:
        found = self.engine.match(batch)
        tally = outcome.tally
        entry = batch.entry
        tally.events += len(batch)
        tally.tagged += len(found)
        tally.entries[entry.key] += len(batch)
        if not entry.catalogued:
            tally.uncatalogued += len(batch)
        tally.systems.update(batch.systems)
        tagged: dict[int, Tagged] = {}
        for row, hit in found.items():
            known = hit.met.told
            if known is None:
                known = hit.met.told = self._told(hit)
            numbers, said = known
            tally.groups[numbers] += 1
            if said is not None:
                tagged[row] = said
        event = self.tagger.antivirus.event(entry.key)
        if event is not None:
            self._names(event, batch, found, tagged, tally)
        if self.renderer is not None:
            self.renderer.render(batch, tagged, outcome.rendered)

    def _told(self, hit: Found) -> tuple[tuple[int, ...], Tagged | None]:
        """The same as `_tagged`, once for the same reasons."""
        reasons = tuple([reason for _, reason in hit.met.hits])
        known = self._known.get(reasons)
        if known is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            known = self._known[reasons] = self._tagged(hit)
        return known

    def _tagged(self, hit: Found) -> tuple[tuple[int, ...], Tagged | None]:
        """The numbers of the rules that an event meets, and what is written of it: the same for the same reasons."""
        numbers = hit.numbers
        if self.renderer is None:
            return numbers, None
        rules = [self._hits.hit(number, reason, hit) for number, reason in hit.met.hits]
        return numbers, Tagged(b"[" + b",".join(rules) + b"]", self.tagger.tags_of(numbers))

    def _names(
        self,
        event: AntivirusEvent,
        batch: Batch,
        found: dict[int, Found],
        tagged: dict[int, Tagged],
        tally: Tally,
    ) -> None:
        """Adds what the names of signatures say to the events of an anti-virus entry."""
        for row, fields in enumerate(batch.fields):
            named = self.tagger.antivirus.of(event, fields)
            if named is None:
                continue
            hit = found.get(row)
            numbers = hit.numbers if hit else ()
            tags, added = self.tagger.with_names(numbers, named)
            tally.tagged += hit is None
            own = self.tagger.tags_of(numbers).techniques
            tally.named[added, tuple(one for one in named.techniques if one not in own)] += 1
            have = tagged.get(row)
            if self.renderer is not None:
                before = have.rules[:-1] + b"," if have is not None else b"["
                tagged[row] = Tagged(before + named.hit + b"]", tags)


def _in_order(
    batches: Sequence[tuple[list[int], list[bytes]]], events: int
) -> tuple[bytes, list[int] | None]:
    """The uids in the order of the records, and the records' numbers where some are missing among them."""
    last = max((rows[-1] for rows, _ in batches), default=-1)
    uids = [b""] * (last + 1)
    for rows, own in batches:
        for number, uid in zip(rows, own, strict=True):
            uids[number] = uid
    return b"".join(uids), None if last + 1 == events else [number for number, uid in enumerate(uids) if uid]


def _by_source(bundle: Bundle, found: Sequence[Records], numbers: list[int] | None) -> list[tuple[int, int]]:
    """Each unit's source and how many of the events are of that unit; `numbers` are those of all events."""
    counts, end, before = [], 0, 0
    for unit, records in zip(bundle, found, strict=True):
        end += len(records.raws)
        upto = end if numbers is None else bisect_left(numbers, end)
        counts.append((unit.source_no, upto - before))
        before = upto
    return counts
