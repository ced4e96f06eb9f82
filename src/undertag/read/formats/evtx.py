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
_WINDOW: Final = CHUNK_BYTES + len(CHUNK_MAGIC)
_NEXT: Final = (CHUNK_MAGIC, b"")
"""What follows a chunk that is whole, if it is no unused one: the next one, or the end."""


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
        if len(head) < FILE_HEADER_BYTES and whole:
            source.tell(faults.bad_evtx_file(source.name, "the file is cut short within its header"))
            return
        promised = int.from_bytes(head[_CHUNK_COUNT], "little")
        if whole and pieces.count < promised < _COUNT_LIMIT:
            there = f"its header promises {promised:,} chunks, {pieces.count:,} are there"
            zeros = pieces.empty_from if pieces.empty_from >= 0 else None
            what = "the file is cut short" if zeros is None else "chunks at the end are zeroed"
            source.tell(faults.bad_evtx_file(source.name, f"{what}: {there}", offset=zeros))

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
        count: chunks up to the last used one, wiped ones and pieces of some among them.
        empty_from: where the empty ones after it begin, -1 if there are none.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._seen = 0
        self.count = 0
        self.empty_from = -1

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
                    self._seen += 1
                    if first == CHUNK_MAGIC and file.read(len(CHUNK_MAGIC)) in _NEXT:
                        self._used(at)
                    else:
                        file.seek(at)
                        size = self._look(file.read(min(_WINDOW, end - at)), at) or size
                    if self.empty_from < 0:
                        yield at, size, None
                    at += size
        except OSError as error:
            self._source.tell(faults.unreadable(self._source.name, error.strerror or str(error)))

    def of_stream(self, start: int) -> Iterator[Piece]:
        """The pieces of a stream, with their bytes."""
        at = start
        stream = self._source.stream
        while ahead := stream.peek(_WINDOW):
            self._seen += 1
            if ahead.startswith(CHUNK_MAGIC) and ahead[CHUNK_BYTES:] in _NEXT:
                self._used(at)
                chunk = stream.read(CHUNK_BYTES)
            else:
                chunk = stream.read(self._look(ahead, at))
            if self.empty_from < 0:
                yield at, len(chunk), chunk
            at += len(chunk)

    def _look(self, ahead: bytes, offset: int) -> int:
        """How many of the bytes belong to this chunk: fewer where the next one begins early. Zeros after it don't tell that
        it is whole: in a used chunk's header there are some too."""
        found = ahead[: CHUNK_BYTES + len(CHUNK_MAGIC) - 1].find(CHUNK_MAGIC, 1)
        size = found if found > 0 else min(len(ahead), CHUNK_BYTES)
        if is_empty(ahead[:size]):
            self.empty_from = offset if self.empty_from < 0 else self.empty_from
        else:
            self._used(offset)
        return size

    def _used(self, offset: int) -> None:
        self.count = self._seen
        if self.empty_from >= 0:
            lost = f"{offset - self.empty_from:,} bytes are zero where used chunks follow"
            self._source.tell(faults.bad_evtx_file(self._source.name, lost, offset=self.empty_from))
            self.empty_from = -1
