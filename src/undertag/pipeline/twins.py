"""Equal records of one source stay as many events.

Contract: records come in the source's order; `repeats(uids)` names those that an equal record came before, with the uid
that each gets instead: a hash over the record's own and its number among its equals. The first of equals keeps its
own uid, so an event has the same uid wherever else it is read alone. Memory is bounded: beyond `EXACT` records a
Bloom filter of 64 MiB says what is new; what it takes wrongly for a repeat (some 30 in a million once ten million
records were seen) gets a uid that is no less unique.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXACT: Final = 65_536
MAX_REPEATED: Final = 1_000_000
_BITS: Final = 1 << 29
_PROBES: Final = 4
_UID: Final = 16


class Twins:
    """The records of one source seen so far."""

    def __init__(self) -> None:
        self._seen: set[bytes] | None = set()
        self._filter: NDArray[np.uint8] | None = None
        self._counts: dict[bytes, int] = {}
        self._records = 0

    def repeats(self, uids: bytes) -> list[tuple[int, bytes]]:
        """(index, new uid) of each record in `uids` (16 bytes a record) that isn't the first of its equals."""
        count = len(uids) // _UID
        found = []
        suspects = self._suspects(uids, count)
        for index in suspects:
            uid = uids[index * _UID : (index + 1) * _UID]
            found.append((index, self._next(uid, self._records + index)))
        self._records += count
        return found

    def _next(self, uid: bytes, record: int) -> bytes:
        number = self._counts.get(uid, 0) + 1
        if number == 1 and len(self._counts) >= MAX_REPEATED:
            return sha256(uid + b"at" + record.to_bytes(8, "big")).digest()[:_UID]
        self._counts[uid] = number
        return sha256(uid + number.to_bytes(8, "big")).digest()[:_UID]

    def _suspects(self, uids: bytes, count: int) -> list[int]:
        each = [uids[start : start + _UID] for start in range(0, count * _UID, _UID)]
        fresh = set(each)
        twice = _later_equals(each) if len(fresh) < count else []
        if self._seen is not None:
            known = fresh & self._seen
            self._seen |= fresh
            if len(self._seen) > EXACT:
                self._filter = np.zeros(_BITS // 8, np.uint8)
                self._put(_probes(b"".join(self._seen)))
                self._seen = None
            before = [index for index, uid in enumerate(each) if uid in known] if known else []
        else:
            assert self._filter is not None
            probes = _probes(uids)
            met = (self._filter[probes >> 3] >> (probes & 7).astype(np.uint8)) & 1
            before = np.flatnonzero(met.all(axis=1)).tolist()
            self._put(probes)
        return sorted({*before, *twice})

    def _put(self, probes: NDArray[np.uint64]) -> None:
        assert self._filter is not None
        np.bitwise_or.at(
            self._filter, (probes >> 3).ravel(), np.uint8(1) << (probes & 7).astype(np.uint8).ravel()
        )


def _later_equals(each: list[bytes]) -> list[int]:
    seen: set[bytes] = set()
    later = []
    for index, uid in enumerate(each):
        if uid in seen:
            later.append(index)
        seen.add(uid)
    return later


def _probes(uids: bytes) -> NDArray[np.uint64]:
    """Bit numbers, `_PROBES` a record: a uid is random already, so its two halves make them."""
    halves = np.frombuffer(uids, dtype="<u8").reshape(-1, 2)
    steps = np.arange(_PROBES, dtype=np.uint64)
    return (halves[:, :1] + steps * (halves[:, 1:] | np.uint64(1))) & np.uint64(_BITS - 1)
