"""Bytes that come in blocks: looked at, unpacked, never held whole.

Contract: a `Stream` gives each byte once. The unpackers are generators of bounded blocks that never raise
for bad data: damage becomes one problem, and the stream ends there.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import zstandard

from undertag.model.problem import Problem
from undertag.read import faults
from undertag.read.limits import BLOCK_BYTES, HEAD_BYTES, Budget

GZIP_MAGIC: Final = b"\x1f\x8b\x08"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_MAX_WINDOW: Final = 128 << 20
_ZSTD_BLOCK_MAX: Final = 128 << 10
_ZSTD_HEADER_MAX: Final = 18

Tell = Callable[[Problem], None]


class Stream:
    """A source of blocks that can be looked into before it is read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = b""
        self._at = 0

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end; they stay to be read."""
        if len(self._held) - self._at < size:
            parts = [self._held[self._at :]]
            have = len(parts[0])
            while have < size and (block := next(self._blocks, None)) is not None:
                parts.append(block)
                have += len(block)
            self._held = b"".join(parts)
            self._at = 0
        return self._held[self._at : self._at + size]

    def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        found = self.peek(size)
        self._at += len(found)
        return found

    def blocks(self) -> Iterator[bytes]:
        """What is left, in blocks as they come."""
        if self._at < len(self._held):
            held = self._held[self._at :]
            self._held, self._at = b"", 0
            yield held
        yield from self._blocks


def file_blocks(file: BinaryIO, name: str, tell: Tell, budget: Budget) -> Iterator[bytes]:
    """An open file's bytes, counted as arrived; of many files no more is wanted than their head."""
    size = HEAD_BYTES
    while True:
        try:
            block = file.read(size)
        except OSError as error:
            tell(faults.unreadable(name, error.strerror or str(error)))
            return
        if not block:
            return
        size = BLOCK_BYTES
        budget.arrived += len(block)
        yield block


def gunzip(packed: Iterator[bytes], name: str, tell: Tell, budget: Budget) -> Iterator[bytes]:
    """Unpacks gzip, all members of it."""
    unpacker = zlib.decompressobj(31)
    begun = False
    for block in packed:
        while block:
            if not begun:
                block = block.lstrip(b"\0")  # padding, of any length
                if block and not GZIP_MAGIC.startswith(block[: len(GZIP_MAGIC)]):
                    tell(
                        faults.damaged_container(
                            name, "bytes after the end of the gzip data were left out", severity="warning"
                        )
                    )
                    return
                begun = bool(block)
                continue
            try:
                out = unpacker.decompress(block, BLOCK_BYTES)
            except zlib.error as error:
                tell(faults.damaged_container(name, f"gzip data are damaged: {error}"))
                return
            if out:
                if not budget.unpack(len(out)):
                    return
                yield out
            if not unpacker.eof:
                block = unpacker.unconsumed_tail
                continue
            block = unpacker.unused_data
            unpacker, begun = zlib.decompressobj(31), False
    if begun and not budget.over:
        tell(faults.damaged_container(name, "gzip data are cut short"))


def unzstd(packed: Iterator[bytes], name: str, tell: Tell, budget: Budget) -> Iterator[bytes]:
    """Unpacks zstd, all frames of it, one block of at most 128 KiB after the other."""
    stream = Stream(packed)
    while head := stream.peek(_ZSTD_HEADER_MAX):
        try:
            if head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
                yield from _skip_frame(stream)
                continue
            if not head.startswith(ZSTD_MAGIC):
                tell(
                    faults.damaged_container(
                        name, "bytes after the end of the zstd data were left out", severity="warning"
                    )
                )
                return
            for out in _unpack_frame(stream, head):
                if not budget.unpack(len(out)):
                    return
                yield out
        except (zstandard.ZstdError, EOFError) as error:
            what = "are cut short" if isinstance(error, EOFError) else f"are damaged: {error}"
            tell(faults.damaged_container(name, f"zstd data {what}"))
            return


def _skip_frame(stream: Stream) -> Iterator[bytes]:
    """Passes over a frame that holds no data; yields nothing."""
    left = int.from_bytes(_exactly(stream, 8)[4:], "little")
    while left:
        left -= len(_exactly(stream, min(left, BLOCK_BYTES)))
    yield from ()


def _unpack_frame(stream: Stream, head: bytes) -> Iterator[bytes]:
    """Hands a frame to the library block by block, so that a small input can't become a large output at
    once."""
    checksum = zstandard.get_frame_parameters(head).has_checksum
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_MAX_WINDOW).decompressobj()
    yield from _some(unpacker.decompress(_exactly(stream, zstandard.frame_header_size(head))))
    last = False
    while not last:
        header = _exactly(stream, 3)
        fields = int.from_bytes(header, "little")
        last, kind, size = bool(fields & 1), fields >> 1 & 3, fields >> 3
        if size > _ZSTD_BLOCK_MAX:
            raise zstandard.ZstdError("a block is too large")
        body = _exactly(stream, 1 if kind == 1 else size)
        yield from _some(unpacker.decompress(header + body))
    if checksum:
        yield from _some(unpacker.decompress(_exactly(stream, 4)))


def _exactly(stream: Stream, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _some(data: bytes) -> Iterator[bytes]:
    if data:
        yield data
