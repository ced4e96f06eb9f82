"""How well names are read that the reader wasn't made by: independent.tsv, scored as a whole.

The bounds are below 100 % on purpose: some rows are matters of opinion (whether `GdSda` is a family), and stay as their author wrote them.
"""

from __future__ import annotations

from functools import cache

import pytest
from tests.catalogue.signatures.table import COLUMNS, INDEPENDENT, agrees

from undertag.catalogue.signatures import SignatureName, load_reader, read_name

WHOLE, PART = 0.96, 0.98


@cache
def read() -> list[tuple[dict[str, str], SignatureName]]:
    return [(case, read_name(case["name"], case["vendor"])) for case in INDEPENDENT]


def misses(column: str) -> list[str]:
    return [
        f"{case['vendor']}: {case['name']}: {column} {getattr(found, column)!r}, not {case[column]!r}"
        for case, found in read()
        if not agrees(case, column, found)
    ]


@pytest.mark.parametrize("column", COLUMNS)
def test_each_part_is_read(column: str) -> None:
    wrong = misses(column)
    assert 1 - len(wrong) / len(INDEPENDENT) >= PART, "\n".join(wrong)


def test_whole_names_are_read() -> None:
    wrong = [case for case, found in read() if not all(agrees(case, column, found) for column in COLUMNS)]
    told = "\n".join(line for column in COLUMNS for line in misses(column))
    assert 1 - len(wrong) / len(INDEPENDENT) >= WHOLE, told


def test_the_table_is_broad() -> None:
    reader = load_reader()
    assert len(INDEPENDENT) >= 500
    assert len({reader.convention(case["vendor"]) for case in INDEPENDENT}) >= 28
    assert len({(case["vendor"], case["name"]) for case in INDEPENDENT}) == len(INDEPENDENT)


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        ("trojan", True),
        ("backdoor|trojan", True),
        ("backdoor", False),
        ("backdoor|", False),
        ("", False),
        ("*", True),
    ],
)
def test_alternatives(wanted: str, answer: bool) -> None:
    found = read_name("Trojan:Win32/Emotet.A", "microsoft")
    assert agrees({"type": wanted}, "type", found) is answer


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [("Downadup", True), ("conficker", True), ("Kido", False), ("", False), ("|Sality", False)],
)
def test_a_family_may_be_given_as_the_vendor_spells_it(wanted: str, answer: bool) -> None:
    assert agrees({"family": wanted}, "family", read_name("W32.Downadup.B", "symantec")) is answer


@pytest.mark.parametrize("wanted", ["", "Kryptik|"])
def test_an_empty_alternative_accepts_nothing_read(wanted: str) -> None:
    found = read_name("Trojan:Win32/Kryptik.A", "microsoft")
    assert agrees({"family": wanted}, "family", found)
    assert not agrees({"family": "Kryptik"}, "family", found)
