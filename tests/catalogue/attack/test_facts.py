"""The embedded facts: what they hold, how they load, what they owe."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from undertag.catalogue.attack import embedded_versions, load_release, notice
from undertag.catalogue.attack.diff import compare
from undertag.catalogue.attack.facts import DATA, history
from undertag.catalogue.attack.importing import published
from undertag.catalogue.attack.telemetry import log_sources, telemetry_of

ATTACK = Path(os.environ.get("UNDERTAG_CORPORA", "../shared/corpora")).parent / "attack"


@pytest.mark.parametrize(
    ("version", "active", "withdrawn", "tactics"),
    [
        ("4.0", 244, 0, 12),
        ("6.0", 266, 0, 12),
        ("8.2", 530, 140, 14),
        ("17.1", 679, 144, 14),
        ("18.1", 691, 144, 14),
        ("19", 697, 161, 15),
    ],
)
def test_counts(version: str, active: int, withdrawn: int, tactics: int) -> None:
    release = load_release(version)
    states = [one.state for one in release.techniques()]
    assert (states.count("active"), len(states) - states.count("active"), len(release.tactics())) == (
        active,
        withdrawn,
        tactics,
    )


def test_thin_v19_says_what_is_not_its_own() -> None:
    assert load_release("19").inherited["platforms"] == "18.1"
    assert load_release("18.1").inherited == {}


@pytest.mark.parametrize("name", ["stealth", "Stealth", "STEALTH", "TA0005", "ta0005"])
def test_tactic_by_any_spelling(name: str) -> None:
    tactic = load_release("19").tactic(name)
    assert tactic is not None
    assert (tactic.name, tactic.id, tactic.title) == ("stealth", "TA0005", "Stealth")


def test_technique_as_releases_knew_it() -> None:
    old, new = load_release("6.0").technique("T1086"), load_release("18.1").technique("T1086")
    assert old is not None
    assert (old.name, old.tactics, old.platforms, old.state) == (
        "PowerShell",
        ("execution",),
        ("Windows",),
        "active",
    )
    assert new is not None
    assert (new.state, new.successors) == ("revoked", ("T1059.001",))
    assert load_release("6.0").technique("T1059.001") is None
    assert load_release("18.1").technique("DS0005") is None


def test_every_basis_is_explained() -> None:
    document = history().document
    used = set(document["basis"].values()) | {move["basis"] for move in document["tactic_moves"]}
    assert used < set(history().bases)


def test_embedded_size_stays_below_half_a_megabyte() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 500_000


def test_importing_the_package_reads_no_data_and_no_heavy_library() -> None:
    script = (
        "import sys, undertag.catalogue.attack as a, undertag.catalogue.attack.facts as f;"
        "assert f.history.cache_info().currsize == 0;"
        "assert not {'yaml', 'msgspec', 'urllib.request', 'platformdirs'} & sys.modules.keys();"
        "a.resolve_tag('attack.t1086');"
        "assert not {'yaml', 'urllib.request', 'platformdirs'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_notice_is_mitres() -> None:
    assert "The MITRE Corporation. This work is reproduced and distributed with the permission of" in notice()
    assert "non-exclusive, royalty-free license" in (DATA / "NOTICE").read_text(encoding="utf-8")


def test_no_embedded_text_is_a_description() -> None:
    for row in log_sources():
        assert len(row.channel) < 300


def test_published_hashes() -> None:
    table = published()
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in table)
    assert {("2.0", "18.1"), ("2.1", "18.1"), ("2.0", "6.0"), ("2.1", "19.0")} <= set(table.values())


TELEMETRY = [
    ("T1086", "6.0", "6.0", "data_sources", "PowerShell logs"),
    ("T1003", "4.0", "4.0", "data_sources", "API monitoring"),
    ("T1059.001", "17.1", "17.1", "data_components", "Process: Process Creation"),
    ("T1059.001", "18.1", "18.1", "data_components", "DC0032"),
    ("T1059.001", "19", "18.1", "data_components", "DC0032"),
]


@pytest.mark.parametrize(("attack_id", "version", "as_of", "part", "name"), TELEMETRY)
def test_telemetry(attack_id: str, version: str, as_of: str, part: str, name: str) -> None:
    found = telemetry_of(attack_id, version)
    assert found.as_of == as_of
    assert name in getattr(found, part)


@pytest.mark.corpora
@pytest.mark.skipif(not ATTACK.is_dir(), reason="needs the tables of ATT&CK beside UNDERTAG_CORPORA")
def test_log_sources_agree_with_the_table() -> None:
    with (ATTACK / "v18.1-log-sources.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    expected = {
        (row["data_component_id"], row["name"], row["channel"]): (
            tuple(sorted(map(int, row["event_ids"].split()))),
            tuple(row["technique_ids"].split()),
        )
        for row in rows
    }
    found = {(row.component, row.name, row.channel): (row.event_ids, row.techniques) for row in log_sources()}
    assert found.keys() - expected.keys() == {  # cited by analytics, but in no data component's own list
        ("DC0032", "WinEventLog:Security", "EventCode=1"),
        ("DC0063", "WinEventLog:Sysmon", "EventCode=13"),
        ("DC0098", "AWS:CloudTrail", "DeleteVolume, ModifyVolume"),
    }
    assert len(expected) == 2699
    assert expected.keys() <= found.keys()
    cited = {key: value for key, value in expected.items() if value[0]}
    assert {key: found[key][0] for key in cited} == {key: value[0] for key, value in cited.items()}
    assert {key: found[key][1] for key in expected} == {key: value[1] for key, value in expected.items()}


def test_diff_tells_the_split_of_defense_evasion() -> None:
    found = compare(load_release("18.1"), load_release("19"))
    assert [one.name for one in found.tactics_added] == ["stealth", "defense-impairment"]
    assert [one.name for one in found.tactics_removed] == ["defense-evasion"]
    assert (len(found.added), len(found.removed), len(found.revoked), len(found.deprecated)) == (23, 0, 17, 0)
    assert {one.id for one in found.renamed} == {"T1211", "T1222.001", "T1222.002", "T1557.001"}
    moved = {one.id: (one.left, one.joined) for one in found.moved_tactics}
    assert moved["T1112"] == (("defense-evasion",), ("defense-impairment",))
    assert moved["T1574"] == (
        ("defense-evasion", "persistence", "privilege-escalation"),
        ("execution", "stealth"),
    )


def test_diff_of_a_release_with_itself_is_empty() -> None:
    for version in embedded_versions():
        assert compare(load_release(version), load_release(version)).changed == 0


def test_diff_back_is_the_mirror() -> None:
    there = compare(load_release("6.0"), load_release("8.2"))
    back = compare(load_release("8.2"), load_release("6.0"))
    assert {one.id for one in there.added} == {one.id for one in back.removed}
    assert {one.id for one in there.revoked} | {one.id for one in there.deprecated} == {
        one.id for one in back.restored
    }
    assert {(one.id, one.before) for one in there.renamed} == {(one.id, one.after) for one in back.renamed}
