"""Cuts sources whose records end with a fixed mark (a newline, a closing tag) into units.

Contract: a unit ends right after a mark, or at the end of the source. A record longer than
`MAX_RECORD_BYTES` is never held: it is skipped and told, here or, where a unit holds it whole, by whoever
splits the unit. Plain files give byte ranges and only the places around the cuts are read; all other
sources give their bytes inline.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from undertag.model.source import Unit
from undertag.read import faults
from undertag.read.limits import MAX_RECORD_BYTES
from undertag.read.source import Source

_STEP: Final = 64 << 10


def cut(source: Source, format_name: str, unit_bytes: int, mark: bytes = b"\n") -> Iterator[Unit]:
    """The units of a source, about `unit_bytes` each."""
    if source.path is not None:
        yield from _cut_file(source, format_name, unit_bytes, mark)
        return
    for offset, data in _runs(source, unit_bytes, mark):
        yield source.inline(format_name, data, offset)


def _cut_file(source: Source, format_name: str, unit_bytes: int, mark: bytes) -> Iterator[Unit]:
    assert source.path is not None
    try:
        with Path(source.path).open("rb") as file:
            at = source.start
            while at < source.end:
                target = at + unit_bytes
                if target >= source.end:
                    yield source.range(format_name, at, source.end)
                    return
                stop = _find(
                    file, mark, max(at, target - len(mark)), min(source.end, target + MAX_RECORD_BYTES)
                )
                if stop < 0 and target + MAX_RECORD_BYTES >= source.end:
                    stop = source.end
                if stop >= 0:
                    yield source.range(format_name, at, stop)
                    at = stop
                    continue
                start = _find_last(file, mark, at, target)
                if start > at:
                    yield source.range(format_name, at, start)
                at = _find(file, mark, target, source.end)
                at = source.end if at < 0 else at
                source.tell(faults.too_long(source.name, start, at - start, MAX_RECORD_BYTES))
    except OSError as error:
        source.tell(faults.unreadable(source.name, error.strerror or str(error)))


def _find(file: BinaryIO, mark: bytes, start: int, end: int) -> int:
    """Where the first mark in [start, end) ends, -1 if there is none."""
    keep = len(mark) - 1
    file.seek(start)
    tail = b""
    at = start
    while at < end and (block := file.read(min(_STEP, end - at))):
        data = tail + block
        found = data.find(mark)
        if found >= 0:
            return at - len(tail) + found + len(mark)
        at += len(block)
        tail = data[len(data) - keep :] if keep else b""
    return -1


def _find_last(file: BinaryIO, mark: bytes, start: int, end: int) -> int:
    """Where the last mark in [start, end) ends, `start` if there is none."""
    stop = end
    while stop > start:
        begin = max(start, stop - _STEP)
        file.seek(begin)
        data = file.read(min(end, stop + len(mark) - 1) - begin)
        found = data.rfind(mark)
        if found >= 0:
            return begin + found + len(mark)
        stop = begin
    return start


def _runs(source: Source, unit_bytes: int, mark: bytes) -> Iterator[tuple[int, bytes]]:
    """Runs of whole records of a stream: (offset, bytes)."""
    keep = len(mark) - 1
    offset, held, open_bytes = (
        0,
        bytearray(),
        0,
    )  # open_bytes: how many of the last held bytes are after the last mark
    skipped = 0
    for block in source.stream.blocks():
        if skipped:
            found = (held + block).find(
                mark
            )  # held: the last bytes of the skipped record, where a mark may begin
            if found < 0:
                skipped += len(block)
                held = bytearray((bytes(held) + block)[-keep:] if keep else b"")
                continue
            used = found + len(mark) - len(held)
            skipped += used
            source.tell(faults.too_long(source.name, offset, skipped, MAX_RECORD_BYTES))
            offset += skipped
            skipped, held, block = 0, bytearray(), block[used:]
        before = len(held)
        held += block
        found = held.rfind(mark, max(0, before - keep))
        open_bytes = len(held) - found - len(mark) if found >= 0 else open_bytes + len(block)
        whole = len(held) - open_bytes
        if whole and (len(held) >= unit_bytes or open_bytes > MAX_RECORD_BYTES):
            yield offset, bytes(memoryview(held)[:whole])
            offset += whole
            held = held[whole:]
        if open_bytes > MAX_RECORD_BYTES:
            skipped, open_bytes = len(held), 0
            held = held[-keep:] if keep else bytearray()
    if skipped:
        source.tell(faults.too_long(source.name, offset, skipped, MAX_RECORD_BYTES))
    elif held:
        yield offset, bytes(held)
