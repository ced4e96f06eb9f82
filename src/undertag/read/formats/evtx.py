"""Windows event logs (EVTX), one chunk of 64 KiB at a time.

Contract: what is readable is read: a damaged chunk costs that chunk at most, a damaged record that record
where the records after it can still be found. A record's raw is the JSON text that the `evtx` library
renders.
Format: [MS-EVEN6] section 2.2.12 and J. Metz, "Windows XML Event Log (EVTX) format", libevtx documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from undertag.model.source import Records, Unit
from undertag.read import faults
from undertag.read.formats.evtx_chunk import CHUNK_BYTES, CHUNK_MAGIC, is_empty, read_chunk
from undertag.read.source import Source, unit_data

FILE_MAGIC: Final = b"ElfFile\0"
FILE_HEADER_BYTES: Final = 4096
_CHUNK_COUNT: Final = slice(42, 44)
_COUNT_LIMIT: Final = 0xFFFF


class Evtx:
    """Reader of `evtx`."""

    what = "Windows event logs (EVTX), damaged ones too"

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        """See `registry.Format`."""
        head = source.head(FILE_HEADER_BYTES)
        start = 0 if head.startswith(CHUNK_MAGIC) else FILE_HEADER_BYTES
        whole = head.startswith(FILE_MAGIC)
        if not whole:
            what = "damaged" if start else "missing"
            source.tell(
                faults.bad_evtx_file(source.name, f"the file header is {what}", severity="warning", offset=0)
            )
        chunks_per_unit = max(1, unit_bytes // CHUNK_BYTES)
        pieces = _Pieces(source)
        if source.path is None:
            source.stream.read(start)
            found = pieces.of_stream(start)
        else:
            found = pieces.of_file(start)
        for offset, size, data in _grouped(found, chunks_per_unit):
            if data is None:
                yield source.range("evtx", offset, offset + size)
            else:
                yield source.inline("evtx", data, offset)
        promised = int.from_bytes(head[_CHUNK_COUNT], "little")
        if whole and pieces.count < promised < _COUNT_LIMIT:
            there = f"{pieces.count:,} are there"
            message = f"the file is cut short: its header promises {promised:,} chunks, {there}"
            source.tell(faults.bad_evtx_file(source.name, message))

    def records(self, unit: Unit) -> Records:
        """See `registry.Format`."""
        data = unit_data(unit)
        result = Records(raws=[])
        for start in range(0, len(data), CHUNK_BYTES):
            read_chunk(unit.source, unit.offset + start, data[start : start + CHUNK_BYTES], result)
        return result

    def locate(self, unit: Unit, index: int) -> int:
        """See `registry.Format`."""
        offsets = self.records(unit).offsets
        return offsets[index] if index < len(offsets) else -1


Piece = tuple[int, int, bytes | None]
"""A chunk, or what is left of one: offset, size, bytes (None in plain files)."""


def _grouped(pieces: Iterator[Piece], chunks_per_unit: int) -> Iterator[Piece]:
    """Runs of pieces that lie side by side; only the last of a run may be shorter than a chunk, so that the others can be found
    by counting."""
    offset, size = 0, 0
    parts: list[bytes] = []
    for start, length, data in pieces:
        if size and start != offset + size:
            yield offset, size, b"".join(parts) if parts else None
            size, parts = 0, []
        if not size:
            offset = start
        size += length
        if data is not None:
            parts.append(data)
        if length < CHUNK_BYTES or size >= chunks_per_unit * CHUNK_BYTES:
            yield offset, size, b"".join(parts) if data is not None else None
            size, parts = 0, []
    if size:
        yield offset, size, b"".join(parts) if parts else None


class _Pieces:
    """Finds a source's used chunks, and tells of empty ones that used ones come after: those were wiped, not yet
    unused.

    Attributes:
        count: chunks found so far, empty ones and pieces of some among them.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._empty_from = -1
        self.count = 0

    def of_file(self, start: int) -> Iterator[Piece]:
        """The pieces of a plain file; only the first bytes of each are read as long as all is well."""
        assert self._source.path is not None
        at, end = start, self._source.end
        try:
            with open(self._source.path, "rb", buffering=0) as file:  # noqa: PTH123 (once a file, of many)
                while at < end:
                    size = min(CHUNK_BYTES, end - at)
                    file.seek(at)
                    first = file.read(len(CHUNK_MAGIC))
                    file.seek(at + CHUNK_BYTES)
                    if first == CHUNK_MAGIC and _may_begin(file.read(len(CHUNK_MAGIC))):
                        self._used(at)
                    else:
                        file.seek(at)
                        size = self._look(file.read(size), at) or size
                    self.count += 1
                    if self._empty_from < 0:
                        yield at, size, None
                    at += size
        except OSError as error:
            self._source.tell(faults.unreadable(self._source.name, error.strerror or str(error)))

    def of_stream(self, start: int) -> Iterator[Piece]:
        """The pieces of a stream, with their bytes."""
        at = start
        stream = self._source.stream
        while ahead := stream.peek(CHUNK_BYTES + len(CHUNK_MAGIC)):
            chunk = ahead[:CHUNK_BYTES]
            if chunk.startswith(CHUNK_MAGIC) and _may_begin(ahead[CHUNK_BYTES:]):
                self._used(at)
                chunk = stream.read(len(chunk))
            else:
                chunk = stream.read(self._look(chunk, at))
            self.count += 1
            if self._empty_from < 0:
                yield at, len(chunk), chunk
            at += len(chunk)

    def _look(self, chunk: bytes, offset: int) -> int:
        """How many of the bytes belong to this chunk: fewer where the next one begins early."""
        if is_empty(chunk):
            self._empty_from = offset if self._empty_from < 0 else self._empty_from
            return len(chunk)
        self._used(offset)
        found = chunk.find(CHUNK_MAGIC, 1)
        return found if found > 0 else len(chunk)

    def _used(self, offset: int) -> None:
        if self._empty_from >= 0:
            lost = f"{offset - self._empty_from:,} bytes are zero where used chunks follow"
            self._source.tell(faults.bad_evtx_file(self._source.name, lost, offset=self._empty_from))
            self._empty_from = -1


def _may_begin(first: bytes) -> bool:
    """Whether a chunk, used or not, or the end of the file may be where these bytes are."""
    return first == CHUNK_MAGIC or not first.strip(b"\0")
