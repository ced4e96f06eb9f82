"""Each thing that can be wrong with files that are well formed, on a small catalogue with just that one fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.catalogue.sources.trees import PREREQUISITES, SECURITY, SYSMON, plant

from undertag.catalogue.sources import links
from undertag.catalogue.sources.compiling import read_parts
from undertag.model.problem import Problem


def problems_of(root: Path) -> list[Problem]:
    parts = read_parts(root)
    return [
        *parts.problems,
        *links.duplicate_keys(parts.curated),
        *links.duplicate_rows(parts.tables),
        *links.missing_facts(parts.curated),
        *links.dangling(parts.curated, parts.prerequisites, set(parts.keys)),
        *links.cycles(parts.prerequisites),
        *links.attack_links(parts.curated),
    ]


def test_nothing_is_wrong_with_the_small_catalogue(tmp_path: Path) -> None:
    assert problems_of(plant(tmp_path)) == []


FAULTS = {
    "relation leads nowhere": (SYSMON, "to: windows/security/4688", "to: windows/security/1", "UT305", 17),
    "relation to itself": (SYSMON, "to: windows/security/4688", "to: windows/sysmon/1", "UT305", 17),
    "unknown prerequisite": (SYSMON, "[agent/sysmon]", "[agent/other]", "UT306", 17),
    "unknown component": (SYSMON, "DC0032", "DC9999", "UT308", 17),
    "unknown data source": (SYSMON, "[Process monitoring]", "[Process watching]", "UT308", 17),
    "source not declared": (SYSMON, "source: seen}\n    attack", "source: other}\n    attack", "UT309", 17),
    "attribute missing": (SYSMON, "  cost: unknown\n", "", "UT309", 16),
    "wrong platform": (SYSMON, "platform: windows", "platform: linux", "UT303", 17),
    "key doesn't follow the channel": (
        SYSMON,
        "Windows-Sysmon/Operational",
        "Windows-Other/Operational",
        "UT316",
        17,
    ),
    "unknown attribute": (
        SYSMON,
        "    title: Network connection",
        "    title: x\n    colour: red",
        "UT302",
        24,
    ),
    "no title": (SYSMON, "    title: Network connection", "    notes: x", "UT302", 24),
    "unknown state": (SYSMON, "state: absent", "state: missing", "UT302", 1),
    "unknown relation": (SYSMON, "kind: duplicates", "kind: resembles", "UT302", 17),
    "malformed key": (SYSMON, "  3:", "  a b:", "UT303", 24),
}


@pytest.mark.parametrize(("text", "old", "new", "code", "line"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_found_where_it_is(
    tmp_path: Path, text: str, old: str, new: str, code: str, line: int
) -> None:
    assert old in text
    found = problems_of(plant(tmp_path, sysmon=text.replace(old, new)))
    places = [(p.code, p.place.source, p.place.line) for p in found if p.place]
    assert (code, "curated/windows/sysmon.yml", line) in places


def test_a_key_of_two_files_is_found(tmp_path: Path) -> None:
    plant(tmp_path)
    (tmp_path / "curated/windows/again.yml").write_text(SECURITY)
    found = [p for p in problems_of(tmp_path) if p.code == "UT304"]
    assert [str(p.place) for p in found] == ["curated/windows/security.yml:14"]


def test_a_prerequisite_that_needs_itself_is_found(tmp_path: Path) -> None:
    looped = PREREQUISITES.replace("title: Force,", "title: Force, needs: [audit/process-creation],")
    found = problems_of(plant(tmp_path, prerequisites=looped))
    assert [p.code for p in found] == ["UT307"]
    assert "policy/force → audit/process-creation → policy/force" in found[0].message


ROWS = {
    "too few cells": ("windows/x/1\tX\t0\n", "cells"),
    "malformed key": ("Windows x\tX\t0\t1\t1\t1\t\n", "malformed"),
    "key twice": ("windows/security/4688\tX\t0\t1\t1\t1\t\n", "twice"),
    "no such set": ("windows/x/1\tX\t9\t1\t1\t1\t\n", "no set"),
    "no title": ("windows/x/1\t\t0\t1\t1\t1\t\n", "no title"),
}


@pytest.mark.parametrize(("row", "says"), ROWS.values(), ids=ROWS.keys())
def test_a_bad_row_is_told_and_the_rest_is_read(tmp_path: Path, row: str, says: str) -> None:
    plant(tmp_path)
    table = tmp_path / "derived/windows.tsv"
    table.write_text(table.read_text() + row)
    parts = read_parts(tmp_path)
    assert [(p.code, str(p.place)) for p in parts.problems] == [("UT317", "derived/windows.tsv:7")]
    assert says in parts.problems[0].message
    assert len(parts.tables[0].rows) == 5
