"""Small units are taken together, and nothing but speed tells that they were."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.mixed import write_rules
from tests.pipeline.running import lines, tagged

from undertag.model.source import Unit
from undertag.pipeline.bundles import MAX_UNITS, bundled, bytes_of
from undertag.pipeline.ledger import Ledger


def unit(size: int, format_name: str = "jsonl") -> Unit:
    return Unit(source="x", source_no=0, format=format_name, end=size)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([3], [[3]]),
        ([10], [[10]]),
        ([3, 3, 3], [[3, 3, 3]]),
        ([3, 3, 4, 3], [[3, 3, 4], [3]]),
        ([25, 3, 25, 3], [[25], [3, 25], [3]]),
        ([0, 0], [[0, 0]]),
    ],
    ids=[
        "none",
        "one small",
        "one full",
        "small ones",
        "until full",
        "large ones end a bundle",
        "empty ones",
    ],
)
def test_bundles_of_ten_bytes(sizes: list[int], expected: list[list[int]]) -> None:
    found = bundled(map(unit, sizes), 10)
    assert [[one.size for one in bundle] for bundle in found] == expected


def test_a_bundle_is_of_one_format() -> None:
    units = [unit(1, name) for name in ("jsonl", "evtx", "evtx", "jsonl")]
    assert [[one.format for one in bundle] for bundle in bundled(units, 10)] == [
        ["jsonl"],
        ["evtx", "evtx"],
        ["jsonl"],
    ]


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["jsonl", "evtx"])), max_size=40))
def test_bundles_are_the_units_in_their_order(about: list[tuple[int, str]]) -> None:
    units = [unit(size, name) for size, name in about]
    bundles = list(bundled(units, 25))
    assert [one for bundle in bundles for one in bundle] == units
    assert all(bytes_of(bundle) - bundle[-1].size < 25 for bundle in bundles)


def test_a_bundle_of_tiny_units_ends_too() -> None:
    assert [len(bundle) for bundle in bundled(map(unit, [0] * (2 * MAX_UNITS + 1)), 10)] == [
        MAX_UNITS,
        MAX_UNITS,
        1,
    ]


def test_repeats_are_those_of_their_own_source() -> None:
    """Sources 0 (two units), 1 and 2 hold a b, b | b | c c; the third record of the bundle is damaged."""
    a, b, c = (sha256(name).digest()[:16] for name in (b"a", b"b", b"c"))
    ledger = Ledger()
    offset, new = ledger.settle(
        [(0, 2), (0, 1), (1, 1), (2, 2)], b"".join([a, b, b, b, c, c]), [0, 1, 3, 4, 5, 6], 10
    )
    assert (offset, [(one.number, one.old) for one in new]) == (0, [(3, b), (6, c)])
    offset, new = ledger.settle([(2, 1), (3, 0), (4, 1)], b"".join([c, c]), None, 10)
    assert (offset, [(one.number, one.old) for one in new]) == (10, [(0, c)])


@pytest.mark.parametrize("workers", [1, 2])
def test_many_small_files(workers: int, tmp_path: Path) -> None:
    """Each file of a folder is written as if it were alone, its problems are its own."""
    folder = tmp_path / "in"
    folder.mkdir()
    event = b'{"Channel": "Application", "EventID": 1, "n": %d}\n'
    for number in range(40):
        damaged = b"{broken\n" if number % 10 == 7 else b""
        (folder / f"{number:02}.jsonl").write_bytes(event % number + damaged + event % 7 + event % 7)
    rules = write_rules(tmp_path / "rules")
    summary = tagged([folder], rules, tmp_path / "out.jsonl", workers=workers)
    assert summary.events == 120
    assert sorted(
        (Path(problem.place.source).name, problem.place.offset)
        for problem in summary.problems
        if problem.place is not None
    ) == [(f"{number:02}.jsonl", len(event % number)) for number in (7, 17, 27, 37)]
    alone = b""
    for file in sorted(folder.iterdir()):
        tagged([file], rules, tmp_path / "one.jsonl")
        alone += (tmp_path / "one.jsonl").read_bytes()
    assert (tmp_path / "out.jsonl").read_bytes() == alone
    assert [event["n"] for event in lines(tmp_path / "out.jsonl")][::3] == list(range(40))
    uids = [orjson.loads(line)["undertag"]["event_uid"] for line in alone.splitlines()]
    assert len(set(uids[:3])) == len(set(uids[21:24])) == 3
    assert uids[1] == uids[4]
