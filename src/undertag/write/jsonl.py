"""Events as JSON lines: the original record untouched, and one `undertag` object spliced in before its last brace.

Contract: one line an event, in the order of the records; what a record says is never parsed and written again, but
for a record that already has an `undertag` key (it is replaced) or that is no JSON (its fields are written as an
object, the original text under `undertag.raw`). The object is described by `event.schema.json`.
"""

from __future__ import annotations

import json
from binascii import hexlify
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec
import orjson

from undertag.model.batch import Batch
from undertag.write.events import Tagged

_SYSTEMS_MEMO: Final = 65_536
_CLOSE: Final = ord("}")
_BLANK: Final = ord(" ")
_OPEN: Final = b'"undertag":{'
_decode: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


Lines: TypeAlias = dict[int, tuple[bytes, bytes]]
"""Lines in two parts by the record's number in its unit: the record up to its last brace, and the rest."""


class LineRenderer:
    """Renders the events of one unit after another."""

    def __init__(self, *, attack_version: str, only_tagged: bool = False) -> None:
        self._only_tagged = only_tagged
        self._end = f',"attack_version":{orjson.dumps(attack_version).decode()}}}}}\n'
        self._systems: dict[str, str] = {}

    def start(self) -> Lines:
        """See `Renderer`."""
        return {}

    def render(self, batch: Batch, tagged: Mapping[int, Tagged], rendered: Lines) -> None:
        """Adds the lines of a batch."""
        is_json = batch.layout.json
        loud = range(len(batch)) if batch.loud is None else batch.loud
        entry = f',"entry":{orjson.dumps(batch.entry.key).decode()},'
        plain = f'{entry}"rules":[],"tags":[]{self._end}'
        systems = self._systems
        if len(systems) > _SYSTEMS_MEMO:
            systems.clear()
        for row, (number, raw, uid, time, system) in enumerate(
            zip(batch.rows, batch.raws, batch.uids, batch.times, batch.systems, strict=True)
        ):
            hit = tagged.get(row)
            if hit is None:
                if self._only_tagged:
                    continue
                rest = plain
            else:
                rest = f'{entry}"rules":{hit.rules.decode()},"tags":{hit.tags.json.decode()}{self._end}'
            name = systems.get(system)
            if name is None:
                name = systems[system] = orjson.dumps(system).decode()
            when = f'"{time}"' if time is not None else "null"
            said = f'"undertag":{{"event_uid":"{uid.hex()}","time":{when},"system":{name}{rest}'
            if is_json and (raw[-1] != _CLOSE or raw[-2] <= _BLANK):
                raw = _trimmed(raw)
            if is_json and (row not in loud or b'"undertag"' not in raw) and len(raw) > 2:
                rendered[number] = (raw[:-1], b"," + said.encode())
            else:
                rendered[number] = (
                    b"",
                    _written_anew(raw, {} if is_json else batch.event(row), is_json, said.encode()),
                )


def _trimmed(raw: bytes) -> bytes:
    """An object without the blanks behind it, and before its last brace."""
    return raw.rstrip()[:-1].rstrip() + b"}"


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
        original = b'"raw":%b,' % orjson.dumps(raw.decode("utf-8", "replace"))
    comma = b"," if len(start) > 1 else b""
    return b"".join([start, comma, _OPEN, original, said[len(_OPEN) :]])


def as_object(record: Mapping[str, Any]) -> bytes:
    """An event as a JSON object."""
    try:
        return orjson.dumps(record)
    except orjson.JSONEncodeError:  # deeper than orjson writes
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def with_uid(line: tuple[bytes, bytes], old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """The line with its event's uid exchanged; `old` and `new` are 16 bytes."""
    mark = b'"event_uid":"'
    before, _, after = line[1].rpartition(mark + hexlify(old) + b'"')
    return line[0], before + mark + hexlify(new) + b'"' + after


def joined(lines: Lines) -> bytes:
    """All lines in the order of their records."""
    return b"".join([part for number in sorted(lines) for part in lines[number]])
