"""One look at all bytes of a unit for what is hardly ever there: keywords of rules for every entry, escapes that hide
letters, our own name.

Contract: a row that is not loud holds none of the gate's literals in any case, and nothing that could hide one. The gate
may call a row loud for nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, MatchKind

HIDING: Final = (b"\\u00", b"&#")
"""Escapes by which JSON and XML may write a plain letter."""
OWN_NAME: Final = b"undertag"
MAX_LITERALS: Final = 56
"""Searching for more can't use the fast way that looks at many bytes at once."""
_EDGE: Final = b"\xff"


class Gate:
    """Finds loud rows."""

    def __init__(self, literals: Iterable[str]) -> None:
        """`literals`: folded ASCII texts; those beyond `MAX_LITERALS` are not covered."""
        chosen = list(dict.fromkeys(literals))[:MAX_LITERALS]
        self.covered = frozenset(chosen)
        # Two searches: the short escapes among the literals would make the one search of all six times as slow.
        self._searches = [
            BytesAhoCorasick([OWN_NAME, *(text.encode() for text in chosen)], MatchKind.LeftmostFirst),
            BytesAhoCorasick(list(HIDING), MatchKind.LeftmostFirst),
        ]

    def loud(self, raws: Sequence[bytes]) -> set[int]:
        """Indices of the loud among some records."""
        joined = _EDGE.join(raws).lower()
        hits = [hit for search in self._searches for hit in search.find_matches_as_indexes(joined)]
        if not hits:
            return set()
        ends = list(accumulate(map(len, raws), lambda total, size: total + size + 1))
        return {min(bisect_left(ends, start + 1), len(raws) - 1) for _, start, _ in hits}
