"""Where ids and tags of one release stand in another."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import pytest

from undertag.catalogue.attack import load_release, resolve_tag, versions
from undertag.model.problem import CatalogueError

ATTACK = Path(os.environ.get("UNDERTAG_CORPORA", "../shared/corpora")).parent / "attack"

CASES = [
    # name, asked, to, state, ids
    ("a technique of 2019", "T1086", "19", "moved", ("T1059.001",)),
    ("the same as a tag", "attack.t1086", "19", "moved", ("T1059.001",)),
    ("upper case and white space", " ATTACK.T1086 ", "19", "moved", ("T1059.001",)),
    ("a sub-technique by slash", "attack.t1059/001", "19", "current", ("T1059.001",)),
    ("before it was revoked", "T1086", "6.0", "current", ("T1086",)),
    ("two hops", "T1150", "19", "moved", ("T1647",)),
    ("one hop of the two", "T1150", "8.2", "moved", ("T1547.011",)),
    ("three releases on", "T1089", "19", "moved", ("T1685",)),
    ("up to the release asked for", "T1089", "18.1", "moved", ("T1562.001",)),
    ("v19, from the table of moves", "T1562.001", "19", "moved", ("T1685",)),
    ("v19, restated", "T1562.003", "19", "moved", ("T1690",)),
    ("v19, same name elsewhere", "T1672", "v19", "moved", ("T1684.002",)),
    ("still there in v18.1", "T1562.001", "18.1", "current", ("T1562.001",)),
    ("deprecated with successors", "T1108", "19", "deprecated", ("T1133", "T1136", "T1505.003")),
    ("deprecated without", "T1062", "19", "deprecated", ()),
    ("deprecated later", "T1053.004", "19", "deprecated", ()),
    ("not yet deprecated", "T1053.004", "8.2", "current", ("T1053.004",)),
    ("back to what became it", "T1059.001", "6.0", "moved", ("T1086",)),
    ("back to two", "T1560", "6.0", "split", ("T1002", "T1022")),
    ("back by the same name", "T1685", "18.1", "moved", ("T1562.001",)),
    ("back to nothing", "T1027.018", "18.1", "absent", ()),
    ("a tactic", "attack.execution", "19", "current", ("execution",)),
    ("a tactic with underscores", "attack.privilege_escalation", "19", "current", ("privilege-escalation",)),
    ("a tactic by title", "Command and Control", "19", "current", ("command-and-control",)),
    ("the split", "attack.defense-evasion", "19", "split", ("stealth", "defense-impairment")),
    (
        "the split with an underscore",
        "attack.defense_evasion",
        "19",
        "split",
        ("stealth", "defense-impairment"),
    ),
    ("the split before it", "attack.defense-evasion", "18.1", "current", ("defense-evasion",)),
    ("a half of the split, back", "attack.stealth", "18.1", "moved", ("defense-evasion",)),
    ("the other half, by id", "TA0112", "18.1", "moved", ("TA0005",)),
    ("an id that kept its number", "TA0005", "19", "current", ("TA0005",)),
    ("a tactic that came later", "attack.reconnaissance", "6.0", "absent", ()),
    ("a data source", "attack.ds0005", "17.1", "current", ("DS0005",)),
    ("a data source since v18", "attack.ds0005", "18.1", "deprecated", ("DC0008",)),
    ("a data source in thin v19", "attack.ds0005", "19", "deprecated", ("DC0008",)),
    ("software", "attack.s0002", "19", "not-tracked", ("S0002",)),
    ("a group", "attack.g0049", "19", "not-tracked", ("G0049",)),
    ("no such technique", "attack.t9999", "19", "unknown", ()),
    ("no such sub-technique", "attack.t1059.999", "19", "unknown", ()),
    ("another tag", "cve.2021-44228", "19", "unknown", ()),
    ("nothing", "", "19", "unknown", ()),
    ("a tag without end", "attack." + "t1059." * 500, "19", "unknown", ()),
    ("digits of another script", "attack.t१०५९", "19", "unknown", ()),
]


@pytest.mark.parametrize(
    ("asked", "to", "state", "ids"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_resolution(asked: str, to: str, state: str, ids: tuple[str, ...]) -> None:
    found = resolve_tag(asked, to)
    assert (found.state, found.ids) == (state, ids)


@pytest.mark.parametrize(
    ("asked", "suggestion"),
    [("attack.t1059.999", "T1059"), ("attack.credental-access", "credential-access"), ("T1685.009", "T1685")],
)
def test_unknown_ids_have_suggestions(asked: str, suggestion: str) -> None:
    assert suggestion in resolve_tag(asked).suggestions


def test_chain_tells_each_hop_with_its_release_and_basis() -> None:
    found = resolve_tag("T1150")
    assert found.chain == ("T1150", "T1547.011", "T1647")
    assert [(hop.by, hop.basis) for hop in found.hops] == [("8.2", "revoked-by"), ("17.1", "revoked-by")]


def test_every_technique_of_october_2019_is_accounted_for() -> None:
    old = list(load_release("6.0").techniques())
    found = [resolve_tag(one.id) for one in old]
    assert len(old) == 266
    assert Counter(one.state for one in found) == {"current": 126, "moved": 129, "deprecated": 11}
    new = load_release("19")
    for one in found:
        assert all((there := new.technique(key)) and there.state == "active" for key in one.ids), one
    named = {one.id for one in found if one.state == "deprecated" and one.ids}
    assert named == {"T1034", "T1043", "T1061", "T1064", "T1108", "T1175"}


@pytest.mark.parametrize("to", ["6.0", "8.2", "17.1", "18.1", "19"])
def test_answers_are_active_in_the_release_asked_for(to: str) -> None:
    release = load_release(to)
    for version in versions():
        for one in load_release(version).techniques():
            for attack_id in resolve_tag(one.id, to).ids:
                there = release.technique(attack_id)
                assert there is not None, (one.id, attack_id)
                assert there.state == "active", (one.id, attack_id)


def test_every_active_technique_of_v18_leads_into_v19() -> None:
    active = [one for one in load_release("18.1").techniques() if one.state == "active"]
    states = Counter(resolve_tag(one.id).state for one in active)
    assert states == {"current": 674, "moved": 17}


@pytest.mark.parametrize("asked", ["20", "6.1", "x", "", "1" * 5000, "../../etc/passwd", "19\n20"])
def test_unknown_release_is_refused_with_the_known_ones(asked: str) -> None:
    with pytest.raises(CatalogueError) as error:
        resolve_tag("T1086", asked)
    assert error.value.problem.code == "UT344"
    assert "18.1" in error.value.problem.hint


@pytest.mark.parametrize(
    ("asked", "version"), [("v18.1", "18.1"), ("19.0", "19"), ("6", "6.0"), ("V4", "4.0")]
)
def test_release_spellings(asked: str, version: str) -> None:
    assert load_release(asked).version == version


@pytest.mark.corpora
@pytest.mark.skipif(not ATTACK.is_dir(), reason="needs the tables of ATT&CK beside UNDERTAG_CORPORA")
def test_agrees_with_the_table_of_2019_ids() -> None:
    with (ATTACK / "v6.0-to-v18.1.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    states = {"active": "current", "revoked": "moved", "deprecated": "deprecated"}
    for row in rows:
        found = resolve_tag(row["id_2019"], "18.1")
        assert found.state == states[row["state_v18.1"]], row
        if row["id_v18.1"]:
            assert found.ids == (row["id_v18.1"],)
            technique = load_release("18.1").technique(row["id_v18.1"])
            assert technique is not None
            assert technique.name == row["name_v18.1"]


@pytest.mark.corpora
@pytest.mark.skipif(not ATTACK.is_dir(), reason="needs the tables of ATT&CK beside UNDERTAG_CORPORA")
def test_agrees_with_the_tables_of_v19() -> None:
    release = load_release("19")
    with (ATTACK / "v19-techniques.tsv").open(encoding="utf-8") as stream:
        rows = {row["id"]: row for row in csv.DictReader(stream, delimiter="\t")}
    active = {one.id: one for one in release.techniques() if one.state == "active"}
    assert active.keys() == rows.keys()
    for key, one in active.items():
        assert one.name == rows[key]["name"]
        assert set(one.tactics) == set(rows[key]["tactics"].replace(",", " ").replace(";", " ").split())
    with (ATTACK / "v18-to-v19-moves.tsv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            assert resolve_tag(row["from"]).ids == (row["to"],)
