"""Equal records of one source stay as many events.

Contract: records come in the source's order; `repeats(uids)` names those that an equal record came before, with the uid
that each gets instead: a hash over the record's own and its number among its equals. The first of equals keeps its
own uid, so an event has the same uid wherever else it is read alone. Memory is bounded: beyond `EXACT` records a
Bloom filter of 64 MiB, a word of it a record, says what is new; what it takes wrongly for a repeat (5 in a million once
five million records were seen, 50 once ten million were) gets a uid that is no less unique.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray

EXACT: Final = 65_536
MAX_REPEATED: Final = 1_000_000
_WORDS: Final = 1 << 23
_SHIFTS: Final = np.arange(0, 48, 6, dtype=np.uint64)[:, np.newaxis]
_UID: Final = 16


class Twins:
    """The records of one source seen so far."""

    def __init__(self) -> None:
        self._seen: set[bytes] | None = set()
        self._filter: NDArray[np.uint64] | None = None
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
        if self._seen is not None:
            return self._exact_suspects(uids)
        assert self._filter is not None
        words, masks = _probes(uids)
        before = np.flatnonzero(self._filter[words] & masks == masks).tolist()
        np.bitwise_or.at(self._filter, words, masks)
        if len(np.unique(words)) == count:  # no two are equal
            return before
        return sorted({*before, *_later_equals(_each(uids))})

    def _exact_suspects(self, uids: bytes) -> list[int]:
        assert self._seen is not None
        each = _each(uids)
        fresh = set(each)
        twice = _later_equals(each) if len(fresh) < len(each) else []
        known = fresh & self._seen
        self._seen |= fresh
        if len(self._seen) > EXACT:
            self._filter = np.zeros(_WORDS, np.uint64)
            np.bitwise_or.at(self._filter, *_probes(b"".join(self._seen)))
            self._seen = None
        before = [index for index, uid in enumerate(each) if uid in known] if known else []
        return sorted({*before, *twice})


def _each(uids: bytes) -> list[bytes]:
    return [uids[start : start + _UID] for start in range(0, len(uids), _UID)]


def _later_equals(each: list[bytes]) -> list[int]:
    seen: set[bytes] = set()
    later = []
    for index, uid in enumerate(each):
        if uid in seen:
            later.append(index)
        seen.add(uid)
    return later


def _probes(uids: bytes) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A record's word in the filter, and its eight bits there: a uid is random already, so its two halves make them."""
    first, second = np.frombuffer(uids, dtype="<u8").reshape(-1, 2).T
    bits = np.uint64(1) << (second >> _SHIFTS & np.uint64(63))
    return first & np.uint64(_WORDS - 1), np.bitwise_or.reduce(bits, axis=0)
