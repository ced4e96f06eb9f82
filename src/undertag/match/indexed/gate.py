"""One look at all bytes of a unit for what is hardly ever there: keywords of rules for every entry, escapes that hide
letters, our own name.

Contract: a row that is not loud holds none of the literals that the gate covers in any case, and nothing that could hide
one. The gate may call a row loud for nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, takewhile
from operator import eq
from typing import Final

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, MatchKind
from numpy.typing import NDArray

_ESCAPED: Final = (b"\\u00", b"\\u0130", b"\\u212")
"""The last digit of one may be a capital letter, so it is left out."""
_REFERENCE: Final = b"&#"
FOLDING: Final = ("\u0130".encode(), "\u212a".encode())
"""The letters beyond ASCII that fold to plain ones: a capital i with a dot, the sign for Kelvin."""
HIDING: Final = (*_ESCAPED, _REFERENCE, *FOLDING)
"""What may stand for a plain letter, in records as they are written: escapes of JSON and XML, and letters that fold to one."""
OWN_NAME: Final = b"undertag"
MAX_LITERALS: Final = 54
"""Searching for more can't use the fast way that looks at many bytes at once."""
_BEGINNING: Final = 5
"""Literals that begin alike in so many characters, if they are several, are looked for by their common beginning."""
_SEVERAL: Final = 3
_EDGE: Final = b"\xff"
_LOWER: Final = np.uint8(0x20)
"""The bit that parts small letters from capitals. Setting it in every byte takes a quarter of the time of `lower` and makes
a few more signs equal, which only calls rows loud for nothing."""


class Gate:
    """Finds loud rows."""

    def __init__(self, first: Iterable[str], others: Iterable[str] = ()) -> None:
        """Folded ASCII texts, `others` as far as there is room; `covered` are those that no quiet row holds."""
        first, others = list(first), list(others)
        chosen = (*_few(first), *others)[:MAX_LITERALS]
        self.covered = frozenset([text for text in (*first, *others) if any(part in text for part in chosen)])
        # The shortest escape has a search of its own: among the literals it would make that of all six times as slow.
        # So have the letters beyond ASCII, which are looked for where there are any.
        sought = [OWN_NAME, *_ESCAPED, *(text.encode() for text in chosen)]
        *self._searches, self._folding = [
            BytesAhoCorasick([_folded(text).tobytes() for text in some], MatchKind.LeftmostFirst)
            for some in (sought, [_REFERENCE], FOLDING)
        ]

    def loud(self, raws: Sequence[bytes], data: bytes = b"") -> set[int]:
        """Indices of the loud among some records; `data` as in `Records`."""
        folded = _folded(data or _EDGE.join(raws)).data
        plain = data.isascii() if data else all(map(bytes.isascii, raws))
        searches = self._searches if plain else (*self._searches, self._folding)
        hits = [hit for search in searches for hit in search.find_matches_as_indexes(folded)]
        if not hits:
            return set()
        ends = list(accumulate(map(len, raws), lambda total, size: total + size + 1))
        return {min(bisect_left(ends, start + 1), len(raws) - 1) for _, start, _ in hits}


def _folded(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, np.uint8) | _LOWER


def _few(literals: Iterable[str]) -> list[str]:
    """Texts one of which is in each literal: the literals themselves, or what several begin with if they are too many."""
    found = list(dict.fromkeys(literals))
    if len(found) <= MAX_LITERALS:
        return found
    alike: dict[str, list[str]] = {}
    for text in found:
        alike.setdefault(text[:_BEGINNING], []).append(text)
    shared = [[_beginning(texts)] if len(texts) >= _SEVERAL else texts for texts in alike.values()]
    return sorted(chain.from_iterable(shared))


def _beginning(texts: Sequence[str]) -> str:
    """What all texts begin with."""
    first, last = min(texts), max(texts)
    return first[: sum(takewhile(bool, map(eq, first, last)))]
