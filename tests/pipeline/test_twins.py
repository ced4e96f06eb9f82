"""Equal records stay as many events, whether all of a source is remembered or a filter stands for it."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from random import Random

import pytest

from undertag.pipeline import twins
from undertag.pipeline.twins import Twins


def uid(number: int) -> bytes:
    return sha256(b"%d" % number).digest()[:16]


def expected(units: list[list[bytes]]) -> list[list[tuple[int, bytes]]]:
    seen: Counter[bytes] = Counter()
    found: list[list[tuple[int, bytes]]] = []
    for unit in units:
        found.append([])
        for index, one in enumerate(unit):
            if seen[one]:
                found[-1].append((index, sha256(one + seen[one].to_bytes(8, "big")).digest()[:16]))
            seen[one] += 1
    return found


@pytest.mark.parametrize(
    "exact", [0, 700, 1 << 16], ids=["a filter", "a filter from the middle on", "remembered"]
)
def test_repeats_are_told_within_a_unit_and_between_units(
    exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "EXACT", exact)
    random = Random(7)
    units = [[uid(random.randrange(2_000)) for _ in range(random.randrange(200))] for _ in range(12)]
    source = Twins()
    assert [source.repeats(b"".join(unit)) for unit in units] == expected(units)


def test_the_filter_hardly_ever_takes_a_new_record_for_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """As full as with ten million records: some 50 in a million."""
    monkeypatch.setattr(twins, "EXACT", 0)
    monkeypatch.setattr(twins, "_WORDS", 1 << 14)
    source, random = Twins(), Random(7)
    source.repeats(b"".join([uid(1), uid(2)]))
    source.repeats(random.randbytes(16 * (10_000_000 >> 9)))
    wrong = [len(source.repeats(random.randbytes(16 * 20))) for _ in range(100)]
    assert sum(wrong) <= 4
