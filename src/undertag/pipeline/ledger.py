"""Puts what workers did in any order back in order.

Contract: bundles of units are settled in their order: each gets its place in the output, and its repeated records
their uids.
"""

from __future__ import annotations

from collections.abc import Sequence

from undertag.pipeline.twins import Twins
from undertag.write.events import NewUid

_UID = 16


class Ledger:
    """The order of a run."""

    def __init__(self) -> None:
        self._source = -1
        self._twins = Twins()
        self._offset = 0

    def settle(
        self, sources: Sequence[tuple[int, int]], uids: bytes, numbers: list[int] | None, size: int
    ) -> tuple[int, list[NewUid]]:
        """The offset of the next bundle in the output, and the uids that replace those of repeated records.

        Args:
            sources: (number of the source, events) of each unit.
            uids: 16 bytes an event.
            numbers: each event's record number in the bundle; None for 0, 1, 2, …
            size: bytes that the bundle takes in the output.
        """
        new_uids, start = [], 0
        for source_no, events in sources:
            if source_no != self._source:
                self._source = source_no
                self._twins = Twins()
            own = uids[start * _UID : (start + events) * _UID]
            for index, new in self._twins.repeats(own):
                number = start + index if numbers is None else numbers[start + index]
                new_uids.append(NewUid(number, own[index * _UID : (index + 1) * _UID], new))
            start += events
        offset = self._offset
        self._offset += size
        return offset, new_uids
