"""How far reading goes with input that may be hostile.

Contract: all bounds of the room stand here. A `Budget` belongs to one named input and everything packed in
it; once it is exceeded it says so in one problem and every stream that draws on it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from undertag.model.problem import Problem
from undertag.read import faults

MAX_RECORD_BYTES: Final = 16 << 20
"""Longer lines, documents and events are skipped and reported."""
BLOCK_BYTES: Final = 256 << 10
"""How much is read or unpacked at a time."""
HEAD_BYTES: Final = 64 << 10
"""How much of a source is looked at to tell its format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds for what one input may unpack to."""

    depth: int = 3
    """Containers within containers; a tar directly in gzip or zstd counts as one with it."""
    members: int = 100_000
    total_bytes: int = 1 << 40
    ratio: int = 250
    """Unpacked bytes for each byte of the input, once more than `ratio_from_bytes` came out."""
    ratio_from_bytes: int = 64 << 20
    directory_bytes: int = 32 << 20
    """A zip's table of contents, which has to be held in memory."""
    spool_bytes: int = 1 << 30
    """A zip inside something else has to be laid down whole in a temporary file before it can be read."""
    name_bytes: int = 1 << 20
    """Long names and extended headers of tar members."""


@dataclass(slots=True)
class Budget:
    """What an input has used up of its limits."""

    source: str
    limits: Limits
    size: int | None
    """The input's bytes where known; a pipe's are counted as they come."""
    tell: Callable[[Problem], None]
    unpacked: int = 0
    members: int = 0
    arrived: int = 0
    over: bool = field(default=False)

    def unpack(self, count: int) -> bool:
        """Accounts for `count` unpacked bytes; False if that is too much."""
        self.unpacked += count
        if self.over:
            return False
        if self.unpacked > self.limits.total_bytes:
            return self._exceed(f"unpacks to more than {self.limits.total_bytes:,} bytes")
        if self.unpacked > self.limits.ratio_from_bytes:
            packed = self.arrived if self.size is None else self.size
            if self.unpacked > self.limits.ratio * max(packed, 1):
                return self._exceed(f"unpacks to more than {self.limits.ratio} times its size")
        return True

    def member(self) -> bool:
        """Accounts for one member of an archive; False if there are too many."""
        self.members += 1
        if self.over:
            return False
        if self.members > self.limits.members:
            return self._exceed(f"holds more than {self.limits.members:,} members")
        return True

    def _exceed(self, message: str) -> bool:
        self.over = True
        self.tell(faults.over_limit(self.source, message))
        return False
