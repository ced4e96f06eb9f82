"""Events as JSON lines: the original record untouched, and one `undertag` object spliced in before its last brace.

Contract: one line an event, in the order of the records; what a record says is never parsed and written again, but
for a record that already has an `undertag` key (it is replaced) or that is no JSON (its fields are written as an
object, the original text under `undertag.raw`). A line is always UTF-8: where a record isn't, its mended text is
written. The object is described by `event.schema.json`.
"""

from __future__ import annotations

import json
from binascii import hexlify
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

import msgspec
import orjson

from undertag.model.batch import Batch
from undertag.model.source import mended
from undertag.write.events import NewUid, Tagged

_SYSTEMS_MEMO: Final = 65_536
_USUAL_ENDS: Final = (b"}}", b'"}')
_OPEN: Final = b'"undertag":{'
_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


Line: TypeAlias = tuple[bytes, bytes, bytes]
"""A line in three parts: the record up to its last brace; what we say of this event alone; what we say of many."""


class Lines(dict[int, Line]):
    """Lines by the record's number in its unit."""

    __slots__ = ("_text",)

    def __init__(self) -> None:
        super().__init__()
        self._text: bytes | None = None

    def rename(self, new_uids: Iterable[NewUid]) -> None:
        """Gives repeated records their own uids."""
        for number, old, new in new_uids:
            if number in self:
                self[number] = with_uid(self[number], old, new)
                self._text = None

    def joined(self, new_uids: Sequence[NewUid] = ()) -> bytes:
        """All lines in the order of their records, repeated records with their own uids; no line is added afterwards."""
        self.rename(new_uids)
        if self._text is None:
            try:
                lines = list(map(self.__getitem__, range(len(self))))
            except KeyError:  # some are left out
                lines = [self[number] for number in sorted(self)]
            self._text = b"".join(chain.from_iterable(lines))
        return self._text


class _Names(dict[str, str]):
    """Systems as JSON."""

    def __missing__(self, system: str) -> str:
        name = self[system] = orjson.dumps(system).decode()
        return name


class LineRenderer:
    """Renders the events of one unit after another."""

    def __init__(self, *, attack_version: str, only_tagged: bool = False) -> None:
        self._only_tagged = only_tagged
        self._end = b',"attack_version":%b}}\n' % orjson.dumps(attack_version)
        self._names = _Names()

    def start(self) -> Lines:
        """See `Renderer`."""
        return Lines()

    def render(self, batch: Batch, tagged: Mapping[int, Tagged], rendered: Lines) -> None:
        """Adds the lines of a batch."""
        if len(self._names) > _SYSTEMS_MEMO:
            self._names.clear()
        entry = b',"entry":%b,' % orjson.dumps(batch.entry.key)
        ends = [b'%b"rules":[],"tags":[]%b' % (entry, self._end)] * len(batch)
        for row, hit in tagged.items():
            end = hit.written
            if end is None:
                end = hit.written = b"".join(
                    (entry, b'"rules":', hit.rules, b',"tags":', hit.tags.json, self._end)
                )
            ends[row] = end
        apart: Iterable[int]
        if self._only_tagged:
            apart = tagged
        elif batch.loud is None or not batch.layout.json or batch.layout.mended or None in batch.times:
            apart = range(len(batch))
        else:
            apart = batch.loud
            names = map(self._names.__getitem__, batch.systems)
            uids = map(bytes.hex, batch.uids)
            for number, raw, uid, time, name, end in zip(
                batch.rows, batch.raws, uids, batch.times, names, ends, strict=True
            ):
                said = f',"undertag":{{"event_uid":"{uid}","time":"{time}","system":{name}'.encode()
                if raw.endswith(_USUAL_ENDS):
                    rendered[number] = raw[:-1], said, end
                else:
                    rendered[number] = *_spliced(raw, said), end
        for row in apart:
            rendered[batch.rows[row]] = self._line(batch, row, ends[row])

    def _line(self, batch: Batch, row: int, end: bytes) -> Line:
        """The line of an event that may hold anything."""
        raw, time = batch.raws[row], batch.times[row]
        if batch.layout.mended:
            raw = mended(raw)
        when = f'"{time}"' if time is not None else "null"
        name = self._names[batch.systems[row]]
        said = f',"undertag":{{"event_uid":"{batch.uids[row].hex()}","time":{when},"system":{name}'.encode()
        if not batch.layout.json:
            return b"", _written_anew(raw, batch.event(row), False, said[1:]), end
        if b'"undertag"' in raw:
            return b"", _written_anew(raw, {}, True, said[1:]), end
        return *_spliced(raw, said), end


def _spliced(raw: bytes, said: bytes) -> tuple[bytes, bytes]:
    """An object that may have blanks behind it and before its last brace, or be empty."""
    record = raw.rstrip()[:-1].rstrip()
    return record, said if len(record) > 1 else said[1:]


def _written_anew(raw: bytes, fields: Mapping[str, Any], is_json: bool, said: bytes) -> bytes:
    """The line of a record that can't be spliced; `said` is our object and what follows."""
    if is_json:
        parts = [
            orjson.dumps(key) + b":" + bytes(value)
            for key, value in _decode(raw).items()
            if key != "undertag"
        ]
        start = b"{" + b",".join(parts)
        original = b""
    else:
        start = as_object({key: value for key, value in fields.items() if key != "undertag"})[:-1]
        original = b'"raw":%b,' % orjson.dumps(mended(raw).decode())
    comma = b"," if len(start) > 1 else b""
    return b"".join([start, comma, _OPEN, original, said[len(_OPEN) :]])


def as_object(record: Mapping[str, Any]) -> bytes:
    """An event as a JSON object."""
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError:  # deeper than orjson writes
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def with_uid(line: Line, old: bytes, new: bytes) -> Line:
    """The line with its event's uid exchanged; `old` and `new` are 16 bytes."""
    mark = b'"event_uid":"'
    before, _, after = line[1].rpartition(mark + hexlify(old) + b'"')
    return line[0], before + mark + hexlify(new) + b'"' + after, line[2]
