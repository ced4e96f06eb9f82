"""Puts what workers did in any order back in order.

Contract: units are settled in their order: each gets its place in the output, and its repeated records their uids.
"""

from __future__ import annotations

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
        self, source_no: int, uids: bytes, numbers: list[int] | None, size: int
    ) -> tuple[int, list[NewUid]]:
        """The offset of the next unit in the output, and the uids that replace those of repeated records."""
        if source_no != self._source:
            self._source = source_no
            self._twins = Twins()
        new_uids = [
            NewUid(index if numbers is None else numbers[index], uids[index * _UID : (index + 1) * _UID], new)
            for index, new in self._twins.repeats(uids)
        ]
        offset = self._offset
        self._offset += size
        return offset, new_uids
