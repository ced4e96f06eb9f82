"""Which tags rules put on events, and what is said with them."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from undertag.model.expr import TRUE
from undertag.model.rule import LogSource, Rule
from undertag.tag.tagger import Tagger, TagSettings


def rule(**parts: Any) -> Rule:
    made: dict[str, Any] = {
        "id": "0badd08f-c6a3-4630-90d3-6875cca440be",
        "title": "A Thing",
        "logsource": LogSource(),
        "condition": TRUE,
    }
    return Rule(**{**made, **parts})


def tags_of(*rules: Rule, settings: TagSettings | None = None) -> dict[str, dict[str, Any]]:
    tagger = Tagger(rules, settings)
    return {tag["tag"]: tag for tag in orjson.loads(tagger.tags_of(tuple(range(len(rules)))).json)}


STRONG = {"relates": [{"technique": "T1003.001", "strength": "indicative"}]}
LINKS = {
    "relates": [{"technique": "T1003.001", "strength": "compatible", "why": "w"}],
    "ask": "?",
    "benign": ["b"],
}


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ({"tags": ("obs.dll.x",), "level": "informational"}, {"obs.dll.x"}),
        ({"level": "informational"}, {"obs.sigma.0badd08f-c6a3-4630"}),
        ({"level": "high"}, {"beh.sigma.0badd08f-c6a3-4630"}),
        ({"tags": ("attack.t1059.001",)}, {"beh.sigma.0badd08f-c6a3-4630", "attack.t1059.001"}),
        ({"tags": ("attack.t1086",)}, {"beh.sigma.0badd08f-c6a3-4630", "attack.t1059.001"}),
        ({"tags": ("attack.t9999",)}, {"beh.sigma.0badd08f-c6a3-4630", "attack.t9999"}),
        ({"tags": ("cve.2021-1",)}, {"beh.sigma.0badd08f-c6a3-4630"}),
        ({"tags": ("obs.dll.x",), "custom": LINKS}, {"obs.dll.x"}),
        ({"tags": ("beh.x.y",), "custom": STRONG}, {"beh.x.y", "attack.t1003.001"}),
        ({"tags": ("beh.x.y",), "custom": {"relates": "nonsense"}}, {"beh.x.y"}),
        ({"tags": ("obs.x.y", "attack.t1003"), "level": "informational", "pack": True}, {"obs.x.y"}),
    ],
    ids=["observation", "informational", "detection", "technique", "moved technique", "unknown technique", "other namespace",
         "weak link", "strong link", "malformed links", "observation that claims"],
)  # fmt: skip
def test_tags(parts: dict[str, Any], names: set[str]) -> None:
    assert set(tags_of(rule(**parts))) == names


def test_what_is_said_with_a_tag() -> None:
    said = tags_of(rule(tags=("obs.dll.x",), custom=LINKS), settings=TagSettings(prefix="acme"))["obs.dll.x"]
    assert said["title"] == "acme: A Thing"
    assert said["kind"] == "obs"
    assert said["ask"] == "?"
    assert said["benign"] == ["b"]
    assert said["relates"] == [
        {"technique": "T1003.001", "strength": "compatible", "why": "w", "name": "LSASS Memory"}
    ]


def test_one_tag_of_two_rules_comes_once_with_both() -> None:
    first, second = rule(tags=("obs.x.y",), id="a"), rule(tags=("obs.x.y",), id="b")
    assert tags_of(first, second)["obs.x.y"]["rules"] == ["a", "b"]


def test_informational_claims_are_downgraded_when_asked() -> None:
    informational = rule(level="informational", tags=("attack.t1003.001",))
    assert "attack.t1003.001" in tags_of(informational)
    downgraded = tags_of(informational, settings=TagSettings(downgrade_informational=True))
    assert list(downgraded) == ["obs.sigma.0badd08f-c6a3-4630"]
    assert downgraded["obs.sigma.0badd08f-c6a3-4630"]["relates"][0]["strength"] == "compatible"


def test_moved_and_unknown_ids_are_reported_with_the_number_of_rules() -> None:
    tagger = Tagger([rule(tags=("attack.t1086", "attack.t9999")), rule(id="b", tags=("attack.t1086",))])
    assert tagger.claims.moved == {"attack.t1086": 2}
    assert tagger.claims.unknown == {"attack.t9999": 1}
    assert {problem.code for problem in tagger.claims.problems()} == {"UT421", "UT422"}


def test_a_deprecated_id_stays_what_it_is() -> None:
    tagger = Tagger([rule(tags=("attack.t1043", "attack.ds0005", "attack.t1026"), level="high")])
    found = tagger.tags_of((0,))
    titles = {tag["tag"]: tag["title"] for tag in json.loads(found.json) if tag["kind"] == "attack"}
    assert titles == {
        "attack.t1043": "T1043 Commonly Used Port (deprecated)",
        "attack.ds0005": "DS0005 WMI (deprecated)",
        "attack.t1026": "T1026 Multiband Communication (deprecated)",
    }
    assert found.techniques == ("T1043", "T1026"), "a data source is no technique"
    assert [(problem.code, problem.message) for problem in tagger.claims.problems()] == [
        ("UT423", "attack.ds0005 is deprecated in ATT&CK 19, which names DC0008 where appropriate"),
        ("UT423", "attack.t1026 is deprecated in ATT&CK 19 without a successor"),
        ("UT423", "attack.t1043 is deprecated in ATT&CK 19, which names T1571 where appropriate"),
    ]
    assert not any("migrate" in problem.hint for problem in tagger.claims.problems())


def test_an_id_too_young_for_the_release_is_not_said_to_have_moved() -> None:
    tagger = Tagger([rule(tags=("attack.t1059.009",))], TagSettings(attack_version="6.0"))
    assert [problem.code for problem in tagger.claims.problems()] == ["UT422"]


def test_bad_tag_name_is_told_and_left_out() -> None:
    tagger = Tagger([rule(tags=("obs." + "x" * 40,))])
    assert tagger.tags_of((0,)).names == ()
    assert [problem.code for problem in tagger.problems] == ["UT402"]
