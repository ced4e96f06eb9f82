"""Records → batches: decode, find each event's entry, time and system, and give it its uid.

Contract: every record becomes exactly one event of one batch, or one problem. `Batch.rows` are the records' numbers
within the unit, or through all units that are taken together, so that output can be put back in order. A uid is the SHA-256
of the record's bytes, cut to 16 bytes; records that are equal within a source are told apart later, where the whole
source is seen (`pipeline.twins`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from undertag.catalogue.other import OtherRouter
from undertag.catalogue.windows import WindowsRouter
from undertag.model.batch import MAX_ROWS, Batch, Layout
from undertag.model.entry import Entry
from undertag.model.problem import Problem
from undertag.model.source import Records, Unit
from undertag.read.normalise import evtx_json
from undertag.read.normalise.clock import utc_each
from undertag.read.normalise.damage import decode_record
from undertag.read.normalise.evtx_json import EvtxLayout
from undertag.read.normalise.line_fields import fields_of
from undertag.read.normalise.other import OtherLayout, other_system, other_time
from undertag.read.normalise.places import Places
from undertag.read.normalise.windows_dict import HeadLayout, WindowsEvent, windows_event

T = TypeVar("T")
_EVTX = EvtxLayout()
_Layouts = tuple[HeadLayout, OtherLayout]
_DECODED: _Layouts = HeadLayout(json=False), OtherLayout(json=False)
_JSON: _Layouts = HeadLayout(json=True), OtherLayout(json=True)
_MENDED: _Layouts = HeadLayout(json=True, mended=True), OtherLayout(json=True, mended=True)


@dataclass(slots=True, kw_only=True)
class Normalised:
    """What units hold: their batches, the number of their events, what was damaged."""

    batches: list[Batch] = field(default_factory=list)
    events: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    entry: Entry
    layout: Layout
    rows: list[int] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)
    heads: list[Any] = field(default_factory=list)
    fields: Any = field(default_factory=list)
    times: list[str | None] = field(default_factory=list)
    """As they are written."""
    systems: list[str] = field(default_factory=list)
    utc: list[str | None] | None = None
    """The times as they are to be; None where that is still to be told."""


class Normaliser:
    """Turns the records of units into batches."""

    def __init__(self, windows: WindowsRouter, other: OtherRouter) -> None:
        self._windows = windows
        self._other = other
        self._places: dict[Any, Entry] = {}

    def normalise(self, unit: Unit, records: Records) -> Normalised:
        """All batches of a unit."""
        return self.together([unit], [records])

    def together(self, units: Sequence[Unit], found: Sequence[Records]) -> Normalised:
        """All batches of units of one format, as if they were one; their records are numbered through."""
        result = Normalised(problems=[problem for records in found for problem in records.problems])
        groups: dict[Any, _Group] = {}
        places = Places(units, found)
        raws = [raw for records in found for raw in records.raws]
        docs = _docs(found)
        if docs is not None or not self._all_evtx(raws, groups):
            groups.clear()
            self._each(units[0].format, raws, docs, places, groups, result)
        for group in groups.values():
            _cut(group, result, places)
        return result

    def _all_evtx(self, raws: list[bytes], groups: dict[Any, _Group]) -> bool:
        """The fast way, for units that hold nothing but EVTX-as-JSON; False if one record is something else."""
        if not raws or not raws[0].startswith(b'{"Event"'):
            return False
        try:
            events = [record.event for record in map(evtx_json.decode, raws)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        if not all(map(bytes.isascii, raws)) and not all(map(evtx_json.valid_utf8, raws)):
            return False
        times = evtx_json.times_of(events)
        index = evtx_json.rows_by_place(events)
        if not all(times) or not all(provider for _, _, provider in index):
            return False
        self._group_evtx(None, raws, events, index, times, groups)
        return True

    def _group_evtx(
        self,
        numbers: list[int] | None,
        raws: list[bytes],
        events: list[evtx_json.Event],
        index: dict[evtx_json.Place, list[int]],
        times: list[str | None],
        groups: dict[Any, _Group],
    ) -> None:
        """Sorts events into groups by what routes them; `numbers` are their record numbers, None for 0, 1, 2, …"""
        checked = utc_each(times)
        for place, rows in index.items():
            pick = _picker(rows)
            some, written = pick(events), pick(times)
            groups[place] = _Group(
                self._evtx_entry(place),
                _EVTX,
                rows=rows if numbers is None else pick(numbers),
                raws=pick(raws),
                heads=some,
                fields=evtx_json.EventData(some),
                times=written,
                systems=evtx_json.computers_of(some),
                utc=written if checked is times else pick(checked),
            )

    def _evtx_entry(self, place: evtx_json.Place) -> Entry:
        entry = self._places.get(place)
        if entry is None:
            channel, event_id, provider = place
            entry = self._windows.entry(channel or "", provider, evtx_json.event_number(event_id), _EVTX.name)
            if len(self._places) > MAX_ROWS:
                self._places.clear()
            self._places[place] = entry
        return entry

    def _each(
        self,
        format_name: str,
        raws: list[bytes],
        docs: list[Any] | None,
        places: Places,
        groups: dict[Any, _Group],
        result: Normalised,
    ) -> None:
        """Record by record, for mixed units and damaged ones, and for documents that are decoded already."""
        numbers: list[int] = []
        events: list[evtx_json.Event] = []
        for row, (raw, doc) in enumerate(zip(raws, docs or repeat(None, len(raws)), strict=True)):
            if doc is not None:
                self._add(row, raw, doc, format_name, groups, _DECODED)
                continue
            if raw.startswith(b'{"Event"') and evtx_json.valid_utf8(raw):
                try:
                    event = evtx_json.decode(raw).event
                    if evtx_json.is_plain(event):
                        events.append(event)
                        numbers.append(row)
                        continue
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    pass
            doc, is_mended = decode_record(places, row, raw, result.problems)
            if doc is not None:
                self._add(row, raw, doc, format_name, groups, _MENDED if is_mended else _JSON)
        self._group_evtx(
            numbers,
            [raws[number] for number in numbers],
            events,
            evtx_json.rows_by_place(events),
            evtx_json.times_of(events),
            groups,
        )

    def _add(
        self, row: int, raw: bytes, doc: Any, format_name: str, groups: dict[Any, _Group], layouts: _Layouts
    ) -> None:
        headed, other = layouts
        event = windows_event(doc)
        if event is None:
            self._add_other(row, raw, doc, format_name, groups, other)
        else:
            self._add_windows(row, raw, event, groups, headed)

    def _add_windows(
        self, row: int, raw: bytes, event: WindowsEvent, groups: dict[Any, _Group], layout: HeadLayout
    ) -> None:
        place = (event.channel, event.event_id, event.provider, layout)
        group = groups.get(place)
        if group is None:
            entry = self._windows.entry(event.channel, event.provider, event.event_id, layout.name)
            group = groups[place] = _Group(entry, layout)
        group.rows.append(row)
        group.raws.append(raw)
        group.heads.append(event.head)
        group.fields.append(event.fields)
        group.times.append(event.time)
        group.systems.append(event.computer)

    def _add_other(
        self, row: int, raw: bytes, doc: Any, format_name: str, groups: dict[Any, _Group], layout: OtherLayout
    ) -> None:
        if format_name == "text":
            doc, line = fields_of(doc["message"]), doc["message"]
        else:
            line = ""
        place = self._other.place(doc, format_name, line)
        if place.fields:
            doc = {**doc, **place.fields}
        key = place.entry.key, layout
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(place.entry, layout)
        group.rows.append(row)
        group.raws.append(raw)
        group.heads.append(doc)
        group.fields.append(doc)
        group.times.append(other_time(doc) if place.time is None else place.time)
        group.systems.append(place.system or other_system(doc))


def _docs(found: Sequence[Records]) -> list[Any] | None:
    """The decoded records of all units; None in place of each that is still to be decoded, and if all are."""
    if all(records.docs is None for records in found):
        return None
    return [doc for records in found for doc in records.docs or repeat(None, len(records.raws))]


def _cut(group: _Group, result: Normalised, places: Places) -> None:
    """A group as batches of bounded size, with times and uids."""
    times = utc_each(group.times) if group.utc is None else group.utc
    if None in times:
        result.problems.extend(_no_time(group, times, places))
    result.events += len(group.rows)
    for start in range(0, len(group.rows), MAX_ROWS):
        part = slice(start, start + MAX_ROWS)
        raws = group.raws[part]
        result.batches.append(
            Batch(
                entry=group.entry,
                layout=group.layout,
                rows=group.rows[part],
                raws=raws,
                heads=group.heads[part],
                fields=_part(group.fields, part),
                times=times[part],
                systems=group.systems[part],
                uids=[sha256(raw).digest()[:16] for raw in raws],
            )
        )


def _picker(rows: list[int]) -> Callable[[list[T]], list[T]]:
    """What gives the items at `rows`."""
    if len(rows) == 1:
        return lambda items: [items[rows[0]]]
    get = itemgetter(*rows)
    return lambda items: list(get(items))


def _part(fields: Any, part: slice) -> Any:
    return fields[part] if isinstance(fields, list) else fields.part(part)


def _no_time(group: _Group, times: list[str | None], places: Places) -> list[Problem]:
    """A problem for each record that says a time which is none; saying no time at all is no fault."""
    return [
        Problem(
            code="UT113",
            severity="warning",
            message=f"no usable time: {str(written)[:64]!r}",
            place=places.of(row),
            hint="the event is kept, its time is null",
        )
        for row, written, time in zip(group.rows, group.times, times, strict=True)
        if time is None and written is not None
    ]
