"""Small units taken together, so that what is done once a batch is paid for many events and not for a few.

Contract: `bundled(units, size)` gives all units in their order, in runs of one format. A run ends once it holds `size`
bytes or `MAX_UNITS` units; how runs are made changes speed alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from undertag.model.source import Unit

MAX_UNITS: Final = 256
Bundle: TypeAlias = tuple[Unit, ...]


def bundled(units: Iterable[Unit], size: int) -> Iterator[Bundle]:
    """The units in runs of about `size` bytes, none of them empty."""
    held: list[Unit] = []
    held_bytes = 0
    for unit in units:
        if held and unit.format != held[0].format:
            yield tuple(held)
            held, held_bytes = [], 0
        held.append(unit)
        held_bytes += unit.size
        if held_bytes >= size or len(held) >= MAX_UNITS:
            yield tuple(held)
            held, held_bytes = [], 0
    if held:
        yield tuple(held)


def bytes_of(bundle: Bundle) -> int:
    """Bytes in all units of a bundle."""
    return sum([unit.size for unit in bundle])
