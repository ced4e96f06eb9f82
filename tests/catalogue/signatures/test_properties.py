"""Whatever the text: an answer, the same answer, and one within its vocabularies and bounds."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.catalogue.signatures.table import CASES

from undertag.catalogue.signatures import SignatureName, load_reader, read_name, tag_names
from undertag.catalogue.signatures.name import (
    FIDELITIES,
    MAX_CHARACTERS,
    MODIFIERS,
    PLATFORMS,
    TYPES,
)
from undertag.catalogue.signatures.reader import Reader
from undertag.catalogue.signatures.tables import load_tables

PIECES = st.sampled_from(
    [piece for case in CASES for piece in re.split(r"(?<=[.:/!_ -])", case["name"])]
    + ["", "[", "]", "(", "{", "@", "::", "'", '"']
)
VENDORS = st.sampled_from(sorted({case["vendor"] for case in CASES}))
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=12).map("".join))


def check(found: SignatureName) -> None:
    assert found.type in TYPES
    assert found.platform in (*PLATFORMS, "")
    assert found.fidelity in FIDELITIES
    assert set(found.modifiers) <= set(MODIFIERS)
    assert set(found.tags) <= set(tag_names())
    assert len(set(found.tags)) == len(found.tags)
    assert found.tags[:1] == (f"obs.av.{found.type}",)
    for part in (found.name, found.family, found.family_word, found.variant, found.platform_word):
        assert len(part) <= MAX_CHARACTERS


@settings(max_examples=400, deadline=None)
@given(name=TEXTS, vendor=VENDORS)
def test_answers_within_its_vocabularies(name: str, vendor: str) -> None:
    check(read_name(name, vendor))


@settings(max_examples=100, deadline=None)
@given(name=TEXTS, vendor=VENDORS)
def test_answers_depend_on_name_and_vendor_only(name: str, vendor: str) -> None:
    fresh = Reader(load_reader()._tables)
    assert fresh.read(name, vendor) == read_name(name, vendor)


@settings(max_examples=200, deadline=None)
@given(name=TEXTS)
def test_telling_the_vendor_that_would_be_inferred_changes_nothing(name: str) -> None:
    inferred = read_name(name)
    if inferred.vendor:
        assert read_name(name, inferred.vendor) == inferred


HOSTILE = {
    "one word": "a" * 65_536,
    "types without end": "Trojan:" * 9_000,
    "hyphens": "a-" * 32_768,
    "vulnerabilities": "CVE-2017-11882" * 4_600,
    "opening brackets": "[(" * 32_768,
    "exclamation marks": "x!" * 32_768,
    "points": "." * 65_536,
    "quotes": "'malware '" * 6_500,
    "nulls": "\0" * 65_536,
    "not ASCII": "é" * 65_536,
    "half a character": "\ud800" * 65_536,
    "right to left": "Trojan:\u202eWin32/Emotet" * 3_000,
    "digits": "1" * 65_536,
    "labels": "Threat: " * 8_000,
    "spaces": "Trojan" + " " * 65_530,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_names_are_cut_and_quick(what: str) -> None:
    reader = load_reader()
    reader.read("Trojan:Win32/Emotet.PA!MTB")
    start = time.perf_counter()
    found = reader.read(HOSTILE[what])
    assert time.perf_counter() - start < 0.25
    check(found)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undertag.catalogue.signatures.reader._REMEMBERED", 8)
    reader = Reader(load_tables())
    for number in range(100):
        reader.read(f"Trojan.Win32.Emotet.{number}")
    assert len(reader._memory) <= 8
