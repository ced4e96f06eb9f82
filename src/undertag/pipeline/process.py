"""What a process that does the work wants of the interpreter.

Contract: whatever is set here is set back when the run ends; results never depend on it.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

COLLECT_BYTES: Final = 256 << 20
"""So many bytes of input are worked on between two collections of cycles, which nothing in the way makes on purpose."""


class Sweeper:
    """Collects cycles now and then; what lives on is not looked at again."""

    def __init__(self) -> None:
        self._bytes = 0

    def after(self, size: int) -> None:
        """Called after each unit with its size."""
        self._bytes += size
        if self._bytes >= COLLECT_BYTES:
            self._bytes = 0
            gc.collect()
            gc.freeze()


def settle_process() -> None:
    """What a process that does the work wants of the interpreter: no cyclic collection in the middle of a unit."""
    if gc.isenabled():
        gc.collect()
    gc.freeze()
    gc.disable()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))


@contextmanager
def settled() -> Iterator[None]:
    """The same for a process that goes on with other things afterwards."""
    collecting, depth = gc.isenabled(), sys.getrecursionlimit()
    settle_process()
    try:
        yield
    finally:
        if collecting:
            gc.unfreeze()
            gc.enable()
        sys.setrecursionlimit(depth)
