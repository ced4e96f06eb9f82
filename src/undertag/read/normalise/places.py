"""Where the records of some units lie, for the problems of damaged ones.

Contract: `Places(units, found).of(row)` is a place in the source, the same however the source was cut into units: a
byte where one can be told, else the record's number in its unit. Rows count on from unit to unit. Nothing is looked
for until it is asked; a unit is gone over once, however many of its records are damaged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from undertag.model.problem import Place
from undertag.model.source import Records, Unit
from undertag.read.open import locate
from undertag.read.source import unit_data

_LINES = ("jsonl", "text")


class Places:
    """The places of the records of some units."""

    def __init__(self, units: Sequence[Unit], found: Sequence[Records]) -> None:
        self._units = units
        self._found = found
        self._starts = [0, *accumulate([len(records.raws) for records in found])]
        self._known: dict[int, _UnitPlaces] = {}

    def of(self, row: int) -> Place:
        """The place of record `row`."""
        index = bisect_right(self._starts, row) - 1
        places = self._known.get(index)
        if places is None:
            places = self._known[index] = _UnitPlaces(self._units[index], self._found[index])
        return places.of(row - self._starts[index])


class _UnitPlaces:
    """The places of one unit's records."""

    def __init__(self, unit: Unit, records: Records) -> None:
        self._unit = unit
        self._raws = records.raws
        self._offsets = records.offsets

    def of(self, row: int) -> Place:
        """The place of record `row`."""
        unit = self._unit
        if not self._offsets and unit.format in _LINES:
            self._offsets = _found_one_by_one(unit, self._raws)
        if row < len(self._offsets):
            offset = self._offsets[row]
        else:
            offset = locate(unit, row) if unit.data is not None or unit.path is not None else -1
        return (
            Place(source=unit.source, record=row) if offset < 0 else Place(source=unit.source, offset=offset)
        )


def _found_one_by_one(unit: Unit, raws: list[bytes]) -> list[int]:
    """The offset of each line: it is the next place after the line before it; -1 where that can't be told."""
    if unit.data is None and unit.path is None:
        return [-1] * len(raws)
    try:
        data = unit_data(unit)
    except OSError:
        return [-1] * len(raws)
    offsets, at = [], 0
    for raw in raws:
        found = data.find(raw, at)
        offsets.append(unit.offset + found if found >= 0 else -1)
        at = max(at, found + len(raw))
    return offsets
