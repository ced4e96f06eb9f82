"""Copies of real events that are alike in what rules look at and differ in what differs in real life.

Contract: each line becomes a template once: its constant bytes, and *slots* (a pid, a GUID, a time, …).
A slot is (kind, payload), the same for equal values of the whole corpus: in one copy equal values stay equal
and lineage stays joined; between copies they differ (`copies.py`). What rules match is kept: tool names,
switches, folders, well-known pids, logon sessions and RIDs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from zlib import crc32

import orjson

from sources import Source

HOSTS = 200
"""Computers of the run; each copy maps its own to other ones of these."""
FILE_SPAN_SECONDS = 3600
"""A recording that lasted longer is compressed to this, so that it stays in its copy's part of the week."""

_GUID = rb"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_GUID_FIELD = re.compile(
    rb'"(?:\w*ProcessG(?:uid|UID)|\w*LogonGuid|transferId|jobId|Id|\w*Activity(?:ID|Id)|ScriptBlockId'
    rb'|\w*CorrelationID)":"\{?(' + _GUID + rb")"
)
_COMPUTER = re.compile(rb'"(?:Computer|Hostname)":"([^"\\]+)"')
_VALUE = rb'((?:[^"\\]|\\.)*)'
_TIME = rb"(20[0-3]\d-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)"
_EVENT_TIME = re.compile(rb'"(?:SystemTime|@timestamp)":"' + _TIME)
_NULL_GUID = b"00000000-0000-0000-0000-000000000000"
_WELL_KNOWN_SESSIONS = {0, 0x3E3, 0x3E4, 0x3E5, 0x3E6, 0x3E7}
_HIGHEST_PID = 0xFFFF_FFFE

Slot = tuple[str, object]
Span = tuple[int, int, Slot]


_NUMBER = rb'(?:\\t| )*"?(0x[0-9a-fA-F]+|\d+)'
_FINDERS = [
    ("record", re.compile(rb'"(?:EventRecordID|RecordNumber)":"?(\d+)')),
    ("pid", re.compile(rb'(?:[Pp]rocess|[Tt]hread) ?I[dD]"?:' + _NUMBER)),
    ("logon", re.compile(rb'Logon ?I[dD]"?:' + _NUMBER)),
    ("guid", re.compile(rb"(" + _GUID + rb")")),
    ("time", re.compile(rb"(" + _TIME + rb")")),
    ("sid", re.compile(rb"S-1-5-21-(\d+)(?=-)")),
    ("port", re.compile(rb'"(?:IpPort|SourcePort|DestPort|DestinationPort)":"?(\d{5})\b')),
    ("net", re.compile(rb"(?<![\d.])(?:10\.\d{1,3}|172\.18|192\.168)\.(\d{1,3})(?=\.\d{1,3}(?![\d.]))")),
    ("digits", re.compile(rb"\\\\[Tt](?:emp|EMP)\\\\[A-Za-z_]{0,8}(\d{3,12})")),
]
"""(kind, pattern); group 1 is what is replaced. Where two overlap, the earlier one wins."""
_INSERTERS = [
    ("argument", re.compile(rb'"(?:Parent|Process)?CommandLine":"' + _VALUE)),
    ("argument", re.compile(rb'CommandLine: ((?:[^"\\]|\\[^r])*)')),
    ("comment", re.compile(rb'"ScriptBlockText":"' + _VALUE)),
    ("folder", re.compile(rb'\\\\(?:Temp|TEMP|temp)\\\\(?![A-Za-z_]{0,8}\d{3})()(?=([^\\"\s/:*?<>|]+))')),
]
"""(kind, pattern); what is inserted at the end of group 1 depends on the last group's bytes."""


@dataclass(slots=True, kw_only=True)
class Templates:
    """The corpus as templates: `rows[i]` is (text with a `%b` a slot, picker of the slots' values)."""

    rows: list[tuple[bytes, Callable[[list[bytes]], tuple[bytes, ...]]]] = field(default_factory=list)
    slots: dict[Slot, int] = field(default_factory=dict)
    computers: list[bytes] = field(default_factory=list)


def make_templates(sources: Iterable[Source], copy_seconds: float) -> Templates:
    """Templates of all lines; each copy takes `copy_seconds` of the run, its recordings spread over them."""
    sources = [source for source in sources if source.lines]
    lines = [line for source in sources for line in source.lines]
    templates = Templates(computers=sorted({m[1] for line in lines for m in _COMPUTER.finditer(line)}))
    guids = {m[1].upper() for line in lines for m in _GUID_FIELD.finditer(line)} - {_NULL_GUID}
    hosts = _HostNames(templates.computers)
    for number, source in enumerate(sources):
        start = number * copy_seconds / len(sources)
        times = [_event_time(line) for line in source.lines]
        first, scale = min(times), min(1.0, FILE_SPAN_SECONDS / max(1, max(times) - min(times)))
        for line, time in zip(source.lines, times, strict=True):
            offset = int(start + (time - first) * scale)
            spans = [*hosts.spans(line), *_spans(line, guids, time, offset, len(templates.rows))]
            _add_row(templates, line, spans)
    return templates


def _event_time(line: bytes) -> int:
    found = _EVENT_TIME.search(line)
    if found is None:
        raise SystemExit(f"an event has no time: {line[:200]!r}")
    return _epoch(found[1], found[3])


def _epoch(day: bytes, clock: bytes) -> int:
    return int(datetime.fromisoformat(f"{day.decode()}T{clock.decode()}+00:00").timestamp())


def _spans(line: bytes, guids: set[bytes], time: int, offset: int, row: int) -> Iterator[Span]:
    for kind, pattern in _FINDERS:
        for found in pattern.finditer(line):
            payload = _payload(kind, found, guids, time, offset, row)
            if payload is not None:
                yield found.start(1), found.end(1), (kind, payload)
    for kind, pattern in _INSERTERS:
        for found in pattern.finditer(line):
            if kind != "argument" or _takes_argument(found[1]):
                last = found[pattern.groups].lower()
                yield found.end(1), found.end(1), (kind, crc32(last))


def _payload(
    kind: str, found: re.Match[bytes], guids: set[bytes], time: int, offset: int, row: int
) -> object | None:
    """What makes a value of this kind itself, or None where it has to stay."""
    text = found[1]
    if kind == "record":
        return row
    if kind == "guid":
        return (int(text.replace(b"-", b""), 16), text.islower()) if text.upper() in guids else None
    if kind == "time":
        away = _epoch(found[2], found[4]) - time
        return (offset + away, found[3]) if abs(away) <= 86_400 else None
    if kind in ("pid", "logon"):
        number = int(text, 0) if text.startswith(b"0x") else int(text)
        fixed = number <= 4 or number >= _HIGHEST_PID if kind == "pid" else number in _WELL_KNOWN_SESSIONS
        return None if fixed or number > 1 << 60 else (number, text.startswith(b"0x"))
    if kind == "port":
        return int(text) if int(text) >= 49_152 else None
    return text.lower()


def _takes_argument(command_line: bytes) -> bool:
    """Whether a command line has arguments already: a bare program name recurs in real life, and stays."""
    text = orjson.loads(b'"' + command_line + b'"').strip()
    rest = text[1:].partition('"')[2] if text.startswith('"') else text.partition(" ")[2]
    return bool(rest.strip())


class _HostNames:
    """Computer names in a text; a short lower-case one (it may be a user) only with its domain."""

    def __init__(self, computers: list[bytes]) -> None:
        words = []
        for fqdn in sorted(computers, key=len, reverse=True):
            short, dot, _ = fqdn.partition(b".")
            words += [re.escape(fqdn)] if dot else []
            words += [] if len(short) < 8 and short.islower() else [re.escape(short)]
        words.sort(key=len, reverse=True)
        self._pattern = re.compile(rb"(?i)(?<![\w.-])(" + b"|".join(words) + rb")(?![\w-])")
        self._index = {c.partition(b".")[0].lower(): i for i, c in enumerate(computers)}

    def spans(self, line: bytes) -> Iterator[Span]:
        for found in _COMPUTER.finditer(line):
            yield found.start(1), found.end(1), ("fqdn", self._number(found[1]))
        for found in self._pattern.finditer(line):
            yield (
                found.start(1),
                found.end(1),
                ("fqdn" if b"." in found[1] else "host", self._number(found[1])),
            )

    def _number(self, name: bytes) -> int:
        return self._index[name.partition(b".")[0].lower()]


def _add_row(templates: Templates, line: bytes, spans: list[Span]) -> None:
    """Cut the line at its spans; of two that overlap the earlier in the list stays."""
    kept: list[Span] = []
    for span in spans:
        if all(span[1] <= other[0] or span[0] >= other[1] for other in kept):
            kept.append(span)
    kept.sort(key=lambda span: (span[0], span[1]))
    text, indexes, at = [], [], 0
    for start, end, slot in kept:
        text.append(line[at:start].replace(b"%", b"%%"))
        indexes.append(templates.slots.setdefault(slot, len(templates.slots)))
        at = end
    text.append(line[at:].replace(b"%", b"%%"))
    if len(indexes) < 2:
        raise SystemExit(f"an event has nothing to vary: {line[:200]!r}")
    templates.rows.append((b"%b".join(text) + b"\n", itemgetter(*indexes)))
