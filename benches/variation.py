"""Copies of real events that are alike in what rules look at and differ in what differs in real life.

Contract: each line becomes a template once: its constant bytes, and *slots* (a pid, a GUID, a time, …). A slot is
(kind, payload), the same for equal values of the whole corpus, so that in one copy equal values stay equal and
lineage stays joined; between copies they differ. Everything is a pure function of (seed, copy, slot).
What rules match is kept: tool names, switches, folders, well-known pids, logon sessions and RIDs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from zlib import crc32

import orjson

from sources import Source

HOSTS = 200
WEEK_SECONDS = 7 * 86_400
RUN_START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
"""The run starts on a Monday, after every recording, so that file times of long ago stay in the past."""
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


def _finders() -> list[tuple[str, re.Pattern[bytes]]]:
    """(kind, pattern); group 1 is what is replaced. Where two overlap, the earlier one wins."""
    number = rb'(?:\\t| )*"?(0x[0-9a-fA-F]+|\d+)'
    return [
        ("record", re.compile(rb'"(?:EventRecordID|RecordNumber)":"?(\d+)')),
        ("pid", re.compile(rb'(?:[Pp]rocess|[Tt]hread) ?I[dD]"?:' + number)),
        ("logon", re.compile(rb'Logon ?I[dD]"?:' + number)),
        ("guid", re.compile(rb"(" + _GUID + rb")")),
        ("time", re.compile(rb"(" + _TIME + rb")")),
        ("sid", re.compile(rb"S-1-5-21-(\d+)(?=-)")),
        ("port", re.compile(rb'"(?:IpPort|SourcePort|DestPort|DestinationPort)":"?(\d{5})\b')),
        ("net", re.compile(rb"(?<![\d.])(?:10\.\d{1,3}|172\.18|192\.168)\.(\d{1,3})(?=\.\d{1,3}(?![\d.]))")),
        ("digits", re.compile(rb"\\\\[Tt](?:emp|EMP)\\\\[A-Za-z_]{0,8}(\d{3,12})")),
    ]


def _inserters() -> list[tuple[str, re.Pattern[bytes]]]:
    """(kind, pattern); at the end of group 1 something is inserted, which depends on the last group's bytes."""
    return [
        ("argument", re.compile(rb'"(?:Parent|Process)?CommandLine":"' + _VALUE)),
        ("argument", re.compile(rb'CommandLine: ((?:[^"\\]|\\[^r])*)')),
        ("comment", re.compile(rb'"ScriptBlockText":"' + _VALUE)),
        ("folder", re.compile(rb'\\\\(?:Temp|TEMP|temp)\\\\(?![A-Za-z_]{0,8}\d{3})()(?=([^\\"\s/:*?<>|]+))')),
    ]


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
    for kind, pattern in _finders():
        for found in pattern.finditer(line):
            payload = _payload(kind, found, guids, time, offset, row)
            if payload is not None:
                yield found.start(1), found.end(1), (kind, payload)
    for kind, pattern in _inserters():
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
    """Computer names where they stand alone in a text; a short lower-case name (a user's too) only with its domain."""

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
            yield found.start(1), found.end(1), ("fqdn" if b"." in found[1] else "host", self._number(found[1]))

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


class Copy:
    """Copy number `number` of the corpus: gives each slot its value."""

    def __init__(self, seed: int, number: int, start_second: float, rows: int) -> None:
        rng = random.Random(f"{seed}:{number}")
        self._guid_key = rng.getrandbits(128)
        self._pid_key = (rng.getrandbits(14) << 2) | 0x1_0000
        self._logon_key = rng.getrandbits(30) | 0x4000_0000
        self._sid_key = rng.getrandbits(30)
        self._port_key = rng.getrandbits(14)
        self._net = rng.randrange(256)
        self._host = random.Random(seed).randrange(HOSTS) + number * 23
        self._salt = rng.getrandbits(64)
        self._first_record = 1 + number * rows
        self._start = datetime.fromtimestamp(RUN_START + int(start_second), UTC)

    def values(self, slots: Iterable[Slot]) -> list[bytes]:
        """The values of the slots in this copy, in their order."""
        return [getattr(self, f"_{kind}_value")(payload) for kind, payload in slots]

    def _token(self, payload: int | bytes) -> int:
        mixed = payload if isinstance(payload, int) else crc32(payload)
        return (mixed * 0x9E37_79B9_7F4A_7C15 ^ self._salt) * 0xBF58_476D_1CE4_E5B9 >> 20 & 0xFF_FFFF_FFFF

    def _record_value(self, row: int) -> bytes:
        return b"%d" % (self._first_record + row)

    def _guid_value(self, payload: tuple[int, bool]) -> bytes:
        text = f"{payload[0] ^ self._guid_key:032X}"
        text = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        return (text.lower() if payload[1] else text).encode()

    def _time_value(self, payload: tuple[int, bytes]) -> bytes:
        moment = self._start + timedelta(seconds=payload[0])
        return moment.strftime(f"%Y-%m-%d{payload[1].decode()}%H:%M:%S").encode()

    def _pid_value(self, payload: tuple[int, bool]) -> bytes:
        return (b"0x%x" if payload[1] else b"%d") % (payload[0] ^ self._pid_key)

    def _logon_value(self, payload: tuple[int, bool]) -> bytes:
        return (b"0x%x" if payload[1] else b"%d") % (payload[0] ^ self._logon_key)

    def _sid_value(self, text: bytes) -> bytes:
        return b"%d" % (int(text) ^ self._sid_key)

    def _port_value(self, port: int) -> bytes:
        return b"%d" % (49_152 + (port - 49_152 ^ self._port_key))

    def _net_value(self, octet: bytes) -> bytes:
        return b"%d" % ((int(octet) + self._net) % 256)

    def _digits_value(self, text: bytes) -> bytes:
        return b"%0*d" % (len(text), self._token(text) % 10 ** len(text))

    def _host_value(self, computer: int) -> bytes:
        return b"WKS-%04d" % ((self._host + computer) % HOSTS)

    def _fqdn_value(self, computer: int) -> bytes:
        return self._host_value(computer) + b".corp.example"

    def _argument_value(self, payload: int) -> bytes:
        return b" %010x" % self._token(payload)

    def _comment_value(self, payload: int) -> bytes:
        return rb"\n# %010x" % self._token(payload)

    def _folder_value(self, payload: int) -> bytes:
        return rb"%06x\\" % (self._token(payload) & 0xFF_FFFF)


def varied_lines(templates: Templates, seed: int, copies: int) -> Iterator[bytes]:
    """Lines without end of the copies in turn, newline included; `copies` of them span the week."""
    number = 0
    while True:
        copy = Copy(seed, number, number * WEEK_SECONDS / copies, len(templates.rows))
        values = copy.values(templates.slots)
        for text, pick in templates.rows:
            yield text % pick(values)
        number += 1
