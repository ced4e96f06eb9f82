"""One chunk of an EVTX file → the JSON text of its records.

Contract: `read_chunk` adds what can be read to the result and a problem for what can't; it never raises and
always ends. A chunk is walked here first (record headers only), which tells where records are, how many
must come out of the parser, and where a damaged one has to be bridged.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from operator import itemgetter
from typing import Any, Final, cast
from zlib import crc32

from evtx import PyEvtxParser

from undertag.model.source import Records
from undertag.read import faults

CHUNK_BYTES: Final = 65_536
CHUNK_MAGIC: Final = b"ElfChnk\0"
_HEADER_BYTES: Final = 512
_FILE_HEADER: Final = b"ElfFile\0" + bytes(4088)
"""All that the parser asks of a file header is its magic number."""
_TABLES: Final = slice(128, 512)
"""Look-up tables of shared strings and templates. They only save time, and where they are damaged the
parser may follow them in circles for ever: it never gets to see them."""
_NO_TABLES: Final = bytes(384)
_ZEROS: Final = bytes(CHUNK_BYTES)
_CHUNK_HEADER: Final = struct.Struct("<8s4Q4I")
_RECORD_HEADER: Final = struct.Struct("<4sIQQ")
_SIZE: Final = struct.Struct("<I")
_RECORD_MAGIC: Final = b"**\0\0"
_RECORD_MIN: Final = 28
_MOST_RECORDS: Final = CHUNK_BYTES // _RECORD_MIN
_MAX_PROBLEMS: Final = 16
"""Damaged records of one chunk that get a problem each; the others are counted."""
_SANE_TIME: Final = 132_223_104_000_000_000
"""2020 as a FILETIME: the header's time isn't rendered, but a damaged one would cost the record."""
_NOT_BINXML: Final = b"\x77"


@dataclass(slots=True)
class _Walk:
    """The records that a chunk holds, by their headers."""

    spans: list[tuple[int, int, int]] = field(default_factory=list)
    """(start, size, record number)."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """(start, end) of damaged stretches between records."""


def is_empty(chunk: bytes) -> bool:
    """Whether a chunk was never used."""
    return chunk[:1] == b"\0" and chunk == _ZEROS[: len(chunk)]


def read_chunk(source: str, offset: int, chunk: bytes, result: Records) -> None:
    """Reads the chunk that lies at `offset` of the source."""
    if is_empty(chunk):
        return  # never used: files are made larger ahead of time
    number = max(0, offset - 4096) // CHUNK_BYTES
    size = len(chunk)
    if size < CHUNK_BYTES:
        chunk += bytes(CHUNK_BYTES - size)
    header = _CHUNK_HEADER.unpack_from(chunk)
    walk = _walk(chunk, header, size)
    found, errors = _parse(chunk)
    if not errors and not walk.gaps and [one[0] for one in found] == [span[2] for span in walk.spans]:
        result.raws.extend([raw for _, raw in found])
        result.offsets.extend([offset + span[0] for span in walk.spans])
    else:
        _repair(source, offset, number, chunk, walk, result)
    _tell_chunk(source, offset, number, chunk, size, header, result, empty=not walk.spans)


def _tell_chunk(
    source: str,
    offset: int,
    number: int,
    chunk: bytes,
    size: int,
    header: tuple[Any, ...],
    result: Records,
    *,
    empty: bool,
) -> None:
    """What is wrong with the chunk as a whole."""
    if size < CHUNK_BYTES:
        result.problems.append(
            faults.bad_chunk(source, number, offset, f"cut short, {size:,} of 65,536 bytes are there")
        )
    elif header[0] != CHUNK_MAGIC:
        result.problems.append(
            faults.bad_chunk(source, number, offset, "no records found" if empty else "its header is damaged")
        )
    elif crc32(chunk[_HEADER_BYTES : header[7]]) != header[8]:
        message = "its checksum is wrong"
        result.problems.append(faults.bad_chunk(source, number, offset, message, severity="warning"))


def _parse(chunk: bytes | bytearray) -> tuple[list[tuple[int, bytes]], list[str]]:
    """([(record number, JSON text)], [what the parser says of each record that it can't read])."""
    parts = (_FILE_HEADER, chunk[: _TABLES.start], _NO_TABLES, memoryview(chunk)[_TABLES.stop :])
    file = BytesIO(b"".join(parts))
    found: list[dict[str, Any]] = []
    errors: list[str] = []
    try:
        records = cast(Iterator[dict[str, Any]], PyEvtxParser(file, 1).records_json())
        while True:
            try:
                found.extend(records)  # what came before an error stays in the list
                break
            except (RuntimeError, OSError, ValueError) as error:
                errors.append(str(error))
                if len(errors) > _MOST_RECORDS:
                    break
    except (RuntimeError, OSError, ValueError) as error:
        errors.append(str(error))
    return [(one["event_record_id"], one["data"].encode("utf-8", "surrogatepass")) for one in found], errors


def _walk(chunk: bytes, header: tuple[Any, ...], limit: int) -> _Walk:
    """Finds the records in the first `limit` bytes. Beyond where the chunk's header says that they end (it
    may be damaged, or not be written yet) only records count that go on without a gap and in number: what
    else lies there, older files have left behind."""
    walk = _Walk()
    end = min(limit, header[7]) if _HEADER_BYTES <= header[7] <= CHUNK_BYTES else _HEADER_BYTES
    at, last = _HEADER_BYTES, None
    while at + _RECORD_MIN <= limit:
        magic, size, number, _ = _RECORD_HEADER.unpack_from(chunk, at)
        known = magic == _RECORD_MAGIC
        if known and _closes(chunk, at, size, limit) and (at < end or last is None or number == last + 1):
            walk.spans.append((at, size, number))
            at, last = at + size, number
            continue
        if at >= end:
            break
        start = _next_record(chunk, at, last, end, limit)
        if known and start - at >= _RECORD_MIN and (start < end or at + size == end):
            walk.spans.append((at, start - at, number))  # one of its two sizes is damaged
        elif start < end or chunk[at:end].strip(b"\0"):
            walk.gaps.append((at, start))
        at = start
    return walk


def _closes(chunk: bytes, start: int, size: int, limit: int) -> bool:
    """Whether a record is whole: its size stands at its end too."""
    return _RECORD_MIN <= size <= limit - start and _SIZE.unpack_from(chunk, start + size - 4)[0] == size


def _next_record(chunk: bytes, at: int, last: int | None, end: int, limit: int) -> int:
    """Where the next whole record begins, `end` if there is none before it."""
    start = chunk.find(_RECORD_MAGIC, at + 1, end)
    while start >= 0:
        if start + _RECORD_MIN <= limit:
            _, size, number, _ = _RECORD_HEADER.unpack_from(chunk, start)
            follows = last is None or last < number <= last + 1 + (start - at) // _RECORD_MIN
            if follows and _closes(chunk, start, size, limit):
                return start
        start = chunk.find(_RECORD_MAGIC, start + 1, end)
    return end


def _repair(source: str, offset: int, number: int, chunk: bytes, walk: _Walk, result: Records) -> None:
    """Reads a chunk with all that is damaged around its records set right or bridged."""
    whole = bytearray(chunk)
    count = len(walk.spans)
    last_start, last_size, _ = walk.spans[-1] if count else (_HEADER_BYTES, 0, 0)
    end = last_start + last_size
    _CHUNK_HEADER.pack_into(whole, 0, CHUNK_MAGIC, 1, count, 1, count, 128, last_start, end, 0)
    for start, stop in walk.gaps:
        _bridge(whole, start, stop)
    for index, (start, size, _) in enumerate(
        walk.spans
    ):  # numbers of our own tell the records apart for certain
        _RECORD_HEADER.pack_into(whole, start, _RECORD_MAGIC, size, index + 1, _SANE_TIME)
    found, errors = _parse(whole)
    texts = dict(reversed(found))
    failed: list[tuple[int, str | int]] = [
        (start, f"{stop - start:,} bytes are no record") for start, stop in walk.gaps
    ]
    for index, (start, _, _) in enumerate(walk.spans):
        raw = texts.get(index + 1)
        if raw is None:
            failed.append((start, index + 1))
        else:
            result.raws.append(raw)
            result.offsets.append(offset + start)
    for start, what in sorted(failed, key=itemgetter(0))[:_MAX_PROBLEMS]:
        message = what if isinstance(what, str) else _reason(errors, what)
        result.problems.append(faults.bad_evtx_record(source, number, offset + start, message))
    if len(failed) > _MAX_PROBLEMS:
        message = f"{len(failed) - _MAX_PROBLEMS:,} more records are damaged"
        result.problems.append(faults.bad_evtx_record(source, number, offset, message))


def _bridge(chunk: bytearray, start: int, stop: int) -> None:
    """Makes a stretch one record that the parser refuses and passes over."""
    if stop - start < _RECORD_MIN:
        return
    _RECORD_HEADER.pack_into(chunk, start, _RECORD_MAGIC, stop - start, 0, _SANE_TIME)
    chunk[start + 24 : start + 25] = _NOT_BINXML
    _SIZE.pack_into(chunk, stop - 4, stop - start)


def _reason(errors: list[str], index: int) -> str:
    """What the parser said of a record."""
    prefix = f"Failed to parse record number {index}: "
    said = next((error for error in errors if error.startswith(prefix)), prefix + "a damaged record")
    return said.removeprefix(prefix).removeprefix("Failed to create record model, reason: ")[:240]
