"""The catalogue in its compiled form: one file of independently compressed blocks, read piece by piece.

Contract: `write_artefact` of equal blocks gives equal bytes; `Artefact` reads the head on opening and a block when asked
for. Layout: magic, length of the head (4 bytes, little-endian), head (msgpack: format, digest of the inputs, facts, and
each block's place), then the blocks (zstd over msgpack or text). A damaged file is UT315, never a wrong answer: the head
has a checksum for each block.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.model.problem import CatalogueError, Place, Problem

MAGIC: Final = b"UTAGCAT\n"
FORMAT: Final = 1
CHUNK: Final = 128
"""Entries in one block: decoded together when one of them is asked for."""
MAX_HEAD: Final = 4 << 20
MAX_BLOCK: Final = 64 << 20
"""Bytes of a block once decompressed."""
_LEVEL: Final = 17


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the blocks. `blocks`: name → (offset from the first block, length, CRC-32)."""

    format: int
    digest: str
    facts: dict[str, Any]
    blocks: dict[str, tuple[int, int, int]]


def write_artefact(path: Path, *, digest: str, facts: Mapping[str, Any], blocks: Mapping[str, bytes]) -> int:
    """Writes the file; returns its size in bytes."""
    import zstandard

    packer = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
    places: dict[str, tuple[int, int, int]] = {}
    packed: list[bytes] = []
    offset = 0
    for name, data in blocks.items():
        block = packer.compress(data)
        places[name] = (offset, len(block), zlib.crc32(block))
        packed.append(block)
        offset += len(block)
    head = msgspec.msgpack.encode(Head(format=FORMAT, digest=digest, facts=dict(facts), blocks=places))
    whole = b"".join([MAGIC, len(head).to_bytes(4, "little"), head, *packed])
    path.write_bytes(whole)
    return len(whole)


class Artefact:
    """An open artefact. `text` and `value` decompress a block at each call; callers remember what they need."""

    def __init__(self, path: Path) -> None:
        import zstandard

        self._path = path
        self._unpacker = zstandard.ZstdDecompressor()
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise self._damaged(f"can't be opened: {error}") from error
        size = int.from_bytes(self._map[len(MAGIC) : len(MAGIC) + 4], "little")
        self._start = len(MAGIC) + 4 + size
        if self._map[: len(MAGIC)] != MAGIC or size > MAX_HEAD or self._start > len(self._map):
            raise self._damaged("it is no compiled catalogue")
        try:
            self.head = msgspec.msgpack.decode(self._map[len(MAGIC) + 4 : self._start], type=Head)
        except msgspec.MsgspecError as error:
            raise self._damaged(f"its head can't be read: {error}") from error
        if self.head.format != FORMAT:
            raise self._damaged(f"its format is {self.head.format}, not {FORMAT}")

    def text(self, name: str) -> bytes:
        """A block's bytes, decompressed.

        Raises:
            CatalogueError: UT315, there is no such block, or it is damaged.
        """
        import zstandard

        place = self.head.blocks.get(name)
        if place is None:
            raise self._damaged(f"it has no block {name!r}")
        offset, length, checksum = place
        block = self._map[self._start + offset : self._start + offset + length]
        if zlib.crc32(block) != checksum:
            raise self._damaged(f"the block {name!r} is damaged")
        if zstandard.frame_content_size(block) > MAX_BLOCK:
            raise self._damaged(f"the block {name!r} is too large")
        return self._unpacker.decompress(block)

    def value(self, name: str) -> Any:
        """A block's msgpack value."""
        return msgspec.msgpack.decode(self.text(name))

    def _damaged(self, why: str) -> CatalogueError:
        return CatalogueError(
            Problem(
                code="UT315",
                message=f"the compiled catalogue can't be used: {why}",
                place=Place(source=self._path.name),
                hint="reinstall undertag, or run tools/build_catalogue.py in a checkout",
            )
        )
