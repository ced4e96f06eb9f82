"""Inputs → sources: files, folders, globs and standard input, with everything that is packed taken out of
its packing.

Contract: `find_sources` is deterministic (sorted by name) and passes over nothing without a problem. What a
file is, is told by its content. Containers are unpacked in memory-bounded streams, never to names that they
choose.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from undertag.model.output import NOWHERE, Output
from undertag.model.problem import Problem, printable
from undertag.read import faults
from undertag.read.encoding import UTF8_BOM, to_utf8, utf16_of
from undertag.read.limits import HEAD_BYTES, Budget, Limits
from undertag.read.paths import STDIN, Found, find_files
from undertag.read.source import Source
from undertag.read.streams import GZIP_MAGIC, ZSTD_MAGIC, Stream, file_blocks, gunzip, unzstd
from undertag.read.tarballs import Member, is_tar, tar_members
from undertag.read.zips import ZIP_MAGICS, stated_size, zip_members

_UNPACKERS: Final = {"gzip": gunzip, "zstd": unzstd}
_SPOOL_IN_MEMORY: Final = 32 << 20
_ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"


def container_of(head: bytes) -> str | None:
    """`gzip`, `zstd`, `zip` or `tar` by a source's first 512 bytes, None if it is none of them."""
    if head.startswith(GZIP_MAGIC):
        return "gzip"
    if head.startswith(ZSTD_MAGIC) or (head[1:4] == _ZSTD_SKIPPABLE and head[0] & 0xF0 == 0x50):
        return "zstd"
    if head.startswith(ZIP_MAGICS):
        return "zip"
    return "tar" if is_tar(head) else None


def find_sources(
    inputs: Sequence[str | Path],
    problems: list[Problem],
    *,
    limits: Limits | None = None,
    output: Output = NOWHERE,
) -> Iterator[Source]:
    """All sources of the inputs, each valid until the next is asked for.

    Args:
        inputs: files, folders, globs, or `-` for standard input.
        problems: gets what could not be read, and why.
        limits: bounds for what an input may unpack to.
        output: what the run itself writes, which is passed over.
    """
    finder = _Finder(problems, limits or Limits())
    for found in find_files(inputs, problems.append, output):
        yield from finder.sources(found)


@dataclass(slots=True)
class _Layer:
    """A stream somewhere in the packing. `file` is there where the stream is a whole file that can be
    sought in."""

    name: str
    stream: Stream
    budget: Budget
    depth: int = 0
    file: BinaryIO | None = None
    path: str | None = None
    unpacked: bool = False
    """Whether it came right out of gzip or zstd."""


@dataclass(slots=True)
class _Finder:
    problems: list[Problem]
    limits: Limits
    numbers: Iterator[int] = field(default_factory=count)

    def sources(self, found: Found) -> Iterator[Source]:
        """The sources of one file."""
        tell = self.problems.append
        if found.path == STDIN:
            budget = Budget("<stdin>", self.limits, None, tell)
            blocks = file_blocks(sys.stdin.buffer, "<stdin>", tell, budget)
            yield from self._peel(_Layer("<stdin>", Stream(blocks), budget))
            return
        with ExitStack() as stack:
            try:
                # A folder may hold many small files: `Path` takes as long as the system does.
                file = stack.enter_context(open(found.path, "rb", buffering=0))  # noqa: PTH123
            except OSError as error:
                tell(faults.unreadable(found.path, error.strerror or str(error)))
                return
            status = os.fstat(file.fileno())
            plain = stat.S_ISREG(status.st_mode)
            budget = Budget(found.path, self.limits, status.st_size if plain else None, tell)
            blocks = file_blocks(file, found.path, tell, budget)
            layer = _Layer(found.path, Stream(blocks), budget)
            if plain:
                layer.path, layer.file = found.path, file
            yield from self._peel(layer)

    def _peel(self, layer: _Layer) -> Iterator[Source]:
        head = layer.stream.peek(HEAD_BYTES)
        kind = container_of(head)
        if kind is None:
            yield self._source(layer, head)
            return
        depth = layer.depth if kind == "tar" and layer.unpacked else layer.depth + 1
        if depth > self.limits.depth:
            self.problems.append(
                faults.over_limit(layer.name, f"containers are nested more than {self.limits.depth} deep")
            )
        elif kind in _UNPACKERS:
            blocks = _UNPACKERS[kind](layer.stream.blocks(), layer.name, self.problems.append, layer.budget)
            yield from self._peel(_Layer(layer.name, Stream(blocks), layer.budget, depth, unpacked=True))
        elif kind == "tar":
            yield from self._members(
                tar_members(layer.stream, layer.name, self.problems.append, layer.budget), layer, depth
            )
        else:
            yield from self._zip(layer, depth)

    def _zip(self, layer: _Layer, depth: int) -> Iterator[Source]:
        tell = self.problems.append
        if layer.file is not None:
            yield from self._members(zip_members(layer.file, layer.name, tell, layer.budget), layer, depth)
            return
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY) as spool:
            for block in layer.stream.blocks():
                spool.write(block)
                if spool.tell() > self.limits.spool_bytes:
                    tell(
                        faults.over_limit(
                            layer.name,
                            f"a zip of more than {self.limits.spool_bytes:,} bytes inside something else",
                        )
                    )
                    return
            yield from self._members(zip_members(spool, layer.name, tell, layer.budget), layer, depth)

    def _members(self, members: Iterator[Member], layer: _Layer, depth: int) -> Iterator[Source]:
        for member in members:
            name = shown(member.name)
            if _escapes(member.name[len(layer.name) + 1 :]):
                self.problems.append(faults.escaping_name(name))
            yield from self._peel(_Layer(name, member.stream, layer.budget, depth))

    def _source(self, layer: _Layer, head: bytes) -> Source:
        source = Source(
            name=layer.name,
            number=next(self.numbers),
            stream=layer.stream,
            tell=self.problems.append,
            path=layer.path,
        )
        if layer.path is not None:
            source.end = layer.budget.size or 0
        encoding = utf16_of(head)
        if encoding is not None:
            source.path = None
            source.stream = Stream(to_utf8(layer.stream.blocks(), encoding, layer.name, self.problems.append))
        elif head.startswith(UTF8_BOM):
            layer.stream.read(len(UTF8_BOM))
            source.start = len(UTF8_BOM)
        return source


def shown(name: str) -> str:
    """A name from an archive, safe to print: no control characters, of bounded length."""
    text = printable(name[:1024])
    return text if len(name) <= 1024 else text + "…"


def _escapes(member: str) -> bool:
    """Whether a member's name would lead out of the folder it is unpacked to, on any system."""
    parts = member.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or parts[0][1:2] == ":"


def unpacked_size(path: str) -> int:
    """About how many bytes a file holds when unpacked; for progress, not to be relied upon.

    Raises:
        OSError: the file can't be read.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (as in `sources`)
        size = os.fstat(file.fileno()).st_size
        kind = container_of(file.read(512))
        if kind == "gzip":
            file.seek(-4, os.SEEK_END)
            stated = int.from_bytes(file.read(4), "little")  # modulo 4 GiB, of the last member only
            return max(size, min(stated, size * 1032))
        if kind == "zip":
            return max(size, stated_size(file, Limits()))
        return size * 8 if kind == "zstd" else size
