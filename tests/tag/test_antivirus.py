"""Tags by the names of signatures: what is said, how far it is trusted, and how it joins what rules say."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import jsonschema
import orjson
import pytest

from undertag.catalogue.signatures import tag_facts, tag_names
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.catalogue.sources.routes import AntivirusEvent
from undertag.model.expr import TRUE
from undertag.model.rule import LogSource, Rule
from undertag.model.tag import STRENGTHS, is_tag_name
from undertag.tag.antivirus import RULE, AntivirusTags, NamedTags
from undertag.tag.tagger import Tagger
from undertag.tag.technique_claims import TechniqueClaims

SCHEMA: dict[str, Any] = orjson.loads(files("undertag.write").joinpath("event.schema.json").read_bytes())
KEY = "antivirus/guard/found"
WEBSHELL = "Webshell:ASP/Chopper!MSR"
MIMIKATZ = "HackTool:Win32/Mimikatz.D"


def event(convention: str = "microsoft", signature: str = "name", fidelity: str = "high") -> AntivirusEvent:
    return AntivirusEvent(
        key=KEY,
        convention=convention,
        signature=tuple(signature.split(".")),
        fidelity=fidelity,
        outcome="blocked",
        digest="0123456789abcdef",
    )


def reader(version: str = "19", prefix: str = "undertag") -> AntivirusTags:
    return AntivirusTags(TechniqueClaims(version), prefix)


def named(name: Any, **how: str) -> NamedTags:
    found = reader().of(event(**how), {"name": name})
    assert found is not None
    return found


def links(found: NamedTags) -> dict[tuple[str, str], str]:
    return {
        (tag["tag"], link["technique"]): link["strength"]
        for tag in found.tags
        for link in tag.get("relates", ())
    }


# convention, name → tags, (type, platform, family, variant)
NAMES: dict[str, tuple[str, str, list[str], tuple[str, str, str, str]]] = {
    "hack tool": (
        "microsoft",
        MIMIKATZ,
        ["obs.av.hacktool", "obs.av.credential-tool"],
        ("hacktool", "windows", "Mimikatz", "D"),
    ),
    "ransomware": (
        "eset",
        "Win32/Filecoder.Phobos.A",
        ["obs.av.ransomware"],
        ("ransomware", "windows", "Phobos", "A"),
    ),
    "generic heuristics": (
        "kaspersky",
        "HEUR:Trojan.Win32.Generic",
        ["obs.av.trojan", "obs.av.heuristic", "obs.av.generic"],
        ("trojan", "windows", "", ""),
    ),
    "test file": (
        "clamav",
        "Win.Test.EICAR_HDB-1",
        ["obs.av.test-file"],
        ("test-file", "windows", "EICAR", ""),
    ),
    "rule of an EDR": (
        "elastic",
        "Windows_Trojan_CobaltStrike_ee756db7",
        ["obs.av.trojan", "obs.av.c2-framework"],
        ("trojan", "windows", "CobaltStrike", "ee756db7"),
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_names(case: str) -> None:
    convention, name, tags, parts = NAMES[case]
    found = named(name, convention=convention)
    assert [tag["tag"] for tag in found.tags if tag["kind"] != "attack"] == tags
    for tag in found.tags:
        if tag["kind"] != "attack":
            said = tag["signature"]
            assert (said["type"], said["platform"], said["family"], said["variant"]) == parts
            assert (said["vendor"], said["outcome"]) == (convention, "blocked")
            assert tag["rules"] == [RULE]


# what the type of event may be trusted, the name, what the tag is
FIDELITIES = {
    "both high": ("high", MIMIKATZ, "high"),
    "the type is lower": ("medium", MIMIKATZ, "medium"),
    "the type is much lower": ("low", MIMIKATZ, "low"),
    "the type is worth nothing": ("none", MIMIKATZ, "none"),
    "the name is lower": ("high", "Trojan:Win32/Wacatac.B!ml", "low"),
    "the name is worth nothing": ("high", "Virus:DOS/EICAR_Test_File", "none"),
}


@pytest.mark.parametrize("case", FIDELITIES)
def test_fidelity_is_the_lower_of_type_and_name(case: str) -> None:
    fidelity, name, whole = FIDELITIES[case]
    assert {
        tag["signature"]["fidelity"] for tag in named(name, fidelity=fidelity).tags if "signature" in tag
    } == {whole}


CAPS = {"high": "indicative", "medium": "indicative", "low": "compatible", "none": "compatible"}
"""The link of a web shell's tag to T1505.003 says `indicative`."""


@pytest.mark.parametrize("fidelity", CAPS)
def test_links_are_no_stronger_than_the_type_of_event_allows(fidelity: str) -> None:
    found = named(WEBSHELL, fidelity=fidelity)
    assert links(found)["obs.av.webshell", "T1505.003"] == CAPS[fidelity]
    claimed = CAPS[fidelity] == "indicative"
    assert found.techniques == (("T1505.003",) if claimed else ())
    claims = [tag for tag in found.tags if tag["kind"] == "attack"]
    assert [(tag["tag"], tag["technique"], tag["rules"]) for tag in claims] == [
        ("attack.t1505.003", "T1505.003", [RULE])
    ] * claimed


@pytest.mark.parametrize("fidelity", CAPS)
def test_weaker_links_stay_as_weak(fidelity: str) -> None:
    found = links(named(MIMIKATZ, fidelity=fidelity))
    allowed = "consistent" if fidelity in ("high", "medium") else "compatible"
    assert found["obs.av.credential-tool", "T1003"] == allowed
    assert not [tag for tag in named(MIMIKATZ, fidelity=fidelity).tags if tag["kind"] == "attack"]


def test_no_link_of_a_tag_is_conclusive() -> None:
    """So `conclusive`, which high fidelity allows, is never claimed from a name alone."""
    strengths = {link.strength for tag in tag_names() for link in tag_facts(tag).relates}
    assert strengths <= set(STRENGTHS[:3])


def test_the_hit_holds_the_evidence() -> None:
    hit = orjson.loads(named(MIMIKATZ, signature="name").hit)
    assert hit == {
        "id": RULE,
        "title": "Signature name read",
        "level": "informational",
        "hash": "0123456789abcdef",
        "evidence": [
            {
                "selection": KEY,
                "field": "name",
                "operator": "named",
                "pattern": "hacktool/windows/Mimikatz",
                "value": MIMIKATZ,
            }
        ],
    }


def test_what_is_said_with_a_tag() -> None:
    found = reader(prefix="ACME").of(event(), {"name": WEBSHELL})
    assert found is not None
    (said,) = (tag for tag in found.tags if tag["tag"] == "obs.av.webshell")
    facts = tag_facts("obs.av.webshell")
    assert said["title"] == f"ACME: {facts.title}"
    assert (said["kind"], said["ask"], said["action"]) == ("obs", facts.ask, facts.action)
    assert said["benign"] == list(facts.benign)
    (link,) = (link for link in said["relates"] if link["technique"] == "T1505.003")
    assert link["name"] == "Web Shell"
    assert link["why"]


PATHS: dict[str, tuple[str, dict[str, Any]]] = {
    "nested": ("event.threat.name", {"event": {"threat": {"name": MIMIKATZ}}}),
    "dots in a name": ("event.threat.name", {"event.threat.name": MIMIKATZ}),
    "first of a list": ("threats.name", {"threats": [{"name": MIMIKATZ}, {"name": "Adware:Win32/X"}]}),
    "list of names": ("names", {"names": [MIMIKATZ, "Adware:Win32/X"]}),
    "a blank in the field": ("Threat Name", {"Threat Name": MIMIKATZ}),
    "JSON in a text": ("said.name", {"said": orjson.dumps({"name": MIMIKATZ}).decode()}),
}


@pytest.mark.parametrize("case", PATHS)
def test_where_the_name_stands(case: str) -> None:
    path, fields = PATHS[case]
    found = reader().of(event(signature=path), fields)
    assert found is not None
    evidence = orjson.loads(found.hit)["evidence"][0]
    assert (evidence["field"], evidence["value"]) == (path, MIMIKATZ)


NOTHING: dict[str, dict[str, Any]] = {
    "absent": {},
    "null": {"name": None},
    "empty": {"name": ""},
    "blank": {"name": " \t"},
    "dash": {"name": "-"},
    "not available": {"name": "N/A"},
    "none": {"name": "None"},
    "null as text": {"name": " (null) "},
    "empty list": {"name": []},
    "list of nothing": {"name": [[]]},
    "an object": {"name": {"text": MIMIKATZ}},
}


@pytest.mark.parametrize("case", NOTHING)
def test_an_event_that_names_nothing_has_no_tag(case: str) -> None:
    assert reader().of(event(), NOTHING[case]) is None


ODD: dict[str, Any] = {
    "a number": 12,
    "a truth": True,
    "controls": "Trojan\x00:Win32/\x1bX",
    "no Latin": "Троян:Win32/Емотет",
    "long": "Trojan:Win32/" + "A" * 100_000,
    "brackets": "<script>[bold]{0}%s",
}


@pytest.mark.parametrize("case", [*ODD, *NAMES])
def test_whatever_the_name_what_is_written_is_as_the_schema_says(case: str) -> None:
    convention, name = NAMES[case][:2] if case in NAMES else ("microsoft", ODD[case])
    found = named(name, convention=convention)
    properties = SCHEMA["properties"]
    jsonschema.validate(list(found.tags), properties["tags"])
    jsonschema.validate([orjson.loads(found.hit)], properties["rules"])
    assert all(is_tag_name(tag["tag"]) for tag in found.tags)
    assert len(found.hit) < 4_000


def test_names_are_read_once() -> None:
    tags, one = reader(), event()
    assert tags.of(one, {"name": MIMIKATZ, "x": 1}) is tags.of(one, {"name": MIMIKATZ, "x": 2})


def test_another_type_of_event_reads_the_same_name_anew() -> None:
    tags = reader()
    low = AntivirusEvent(
        key="antivirus/guard/low",
        convention="microsoft",
        signature=("name",),
        fidelity="low",
        outcome="detected",
        digest="0" * 16,
    )
    first, second = tags.of(event(), {"name": WEBSHELL}), tags.of(low, {"name": WEBSHELL})
    assert first is not None
    assert second is not None
    assert (first.techniques, second.techniques) == (("T1505.003",), ())


def test_a_full_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undertag.tag.antivirus._MEMO_SIZE", 2)
    names = [name for _, name, *_ in NAMES.values()] * 2
    tags = reader()
    assert [tags.of(event(), {"name": name}) for name in names] == [named(name) for name in names]


def test_techniques_are_those_of_the_release() -> None:
    found = reader(version="6.0").of(event(), {"name": WEBSHELL})
    assert found is not None
    assert found.techniques != ("T1505.003",)
    assert all("." not in technique for technique in found.techniques)


EVENTS = {
    "the product's own key": ("antivirus/microsoft-defender-antivirus/1116", "Threat Name", "microsoft"),
    "the channel's key": ("windows/windows-defender/1116", "Threat Name", "microsoft"),
    "a path": ("antivirus/sophos-central/detection", "rawData.detection_name", "sophos"),
}


@pytest.mark.parametrize("case", EVENTS)
def test_events_that_name_signatures(case: str) -> None:
    key, field, convention = EVENTS[case]
    found = reader().event(key)
    assert found is not None
    assert (".".join(found.signature), found.convention) == (field, convention)
    assert found.fidelity in ("high", "medium", "low", "none")
    assert found.digest == load_catalogue().artefact.head.digest[:16]


@pytest.mark.parametrize(
    "key", ["windows/security/4688", "antivirus/eset-protect/Audit_Event", "nothing/at/all"]
)
def test_events_that_name_none(key: str) -> None:
    assert reader().event(key) is None


# -- with rules' own tags


def rule(ident: str, *tags: str) -> Rule:
    return Rule(id=ident, title=ident, level="high", logsource=LogSource(), condition=TRUE, tags=tags)


def joined(name: str, *rules: Rule) -> tuple[dict[str, dict[str, Any]], tuple[str, ...], tuple[str, ...]]:
    tagger = Tagger(rules)
    one = tagger.antivirus.of(event(), {"name": name})
    assert one is not None
    tags, added = tagger.with_names(tuple(range(len(rules))), one)
    written = orjson.loads(tags.json)
    assert [tag["tag"] for tag in written] == list(tags.names)
    assert len(set(tags.names)) == len(tags.names)
    return {tag["tag"]: tag for tag in written}, tags.techniques, added


BY_NAME = ("obs.av.webshell", "attack.t1505.003")


def test_without_rules_a_name_gives_its_tags_alone() -> None:
    tags, techniques, added = joined(WEBSHELL)
    assert tuple(tags) == added == BY_NAME
    assert techniques == ("T1505.003",)


def test_tags_of_rules_come_first() -> None:
    tags, techniques, added = joined(WEBSHELL, rule("r", "beh.x.y", "attack.t1003"))
    assert tuple(tags) == ("beh.x.y", "attack.t1003", *BY_NAME)
    assert added == BY_NAME
    assert techniques == ("T1003", "T1505.003")
    assert [tag["rules"] for tag in tags.values()] == [["r"], ["r"], [RULE], [RULE]]


def test_a_tag_of_both_comes_once_with_both_behind_it() -> None:
    tags, _, added = joined(WEBSHELL, rule("r", "obs.av.webshell"))
    assert tuple(tags) == BY_NAME
    assert added == ("attack.t1505.003",)
    said = tags["obs.av.webshell"]
    assert said["rules"] == ["r", RULE]
    assert said["title"] == "undertag: r"
    assert said["signature"]["type"] == "webshell"
    assert said["relates"]
    jsonschema.validate(list(tags.values()), SCHEMA["properties"]["tags"])


def test_a_technique_of_both_is_claimed_once_with_both_behind_it() -> None:
    tags, techniques, added = joined(WEBSHELL, rule("r", "beh.x.y", "attack.t1505.003"))
    assert tags["attack.t1505.003"]["rules"] == ["r", RULE]
    assert techniques == ("T1505.003",)
    assert added == ("obs.av.webshell",)


def test_all_tags_of_both() -> None:
    tags, techniques, added = joined(WEBSHELL, rule("r", "obs.av.webshell", "attack.t1505.003"))
    assert added == ()
    assert {name: tag["rules"] for name, tag in tags.items()} == {key: ["r", RULE] for key in BY_NAME}
    assert techniques == ("T1505.003",)


def test_joining_leaves_what_rules_say_alone_as_it_was() -> None:
    tagger = Tagger([rule("r", "obs.av.webshell")])
    before = tagger.tags_of((0,)).json
    one = tagger.antivirus.of(event(), {"name": WEBSHELL})
    assert one is not None
    first = tagger.with_names((0,), one)
    assert tagger.tags_of((0,)).json == before
    assert tagger.with_names((0,), one) == first
