"""Findings in rules that load."""

from __future__ import annotations

import pytest
from tests.match.modifier_cases import load_text

from undertag.model.problem import Problem
from undertag.pipeline.lint import lint

HEAD = """
title: {title}
id: {id}
status: test
description: x
level: {level}
tags: [{tags}]
falsepositives: [{fp}]
logsource: {{product: windows, category: {category}}}
detection:
    sel: {{{sel}}}
    condition: {condition}
"""
ID = "5f1abf38-3fcf-4f1c-9f7a-0d7c1f2f0a0{}"


def findings(*rules: dict[str, str]) -> list[str]:
    return [finding.code for finding in found(*rules)]


def found(*rules: dict[str, str]) -> list[Problem]:
    loaded = []
    for number, parts in enumerate(rules):
        made = {
            "title": f"Rule {number}",
            "id": ID.format(number),
            "level": "medium",
            "tags": "attack.t1059.001",
            "fp": "admins",
            "category": "process_creation",
            "sel": "Image|endswith: '\\\\whoami.exe'",
            "condition": "sel",
            **parts,
        }
        result = load_text(HEAD.format(**made))
        assert not result.rejected
        loaded += result.rules
    return lint(loaded, "19")


@pytest.mark.parametrize(
    ("parts", "codes"),
    [
        ({}, []),
        ({"tags": "attack.t9999"}, ["UT272"]),
        ({"tags": "attack.t1086"}, ["UT272"]),
        ({"level": "informational"}, ["UT274"]),
        ({"condition": "not sel"}, ["UT273"]),
        ({"category": "no_such_category"}, ["UT277"]),
        ({"level": "high", "fp": ""}, ["UT276"]),
        ({"sel": "Image|contains: a"}, ["UT271"]),
        ({"sel": "Image|re: whoami"}, ["UT278"]),
    ],
    ids=["clean", "unknown technique", "moved technique", "informational claims", "nothing to look for", "no entry",
         "no false positives", "one letter", "plain expression"],
)  # fmt: skip
def test_finding(parts: dict[str, str], codes: list[str]) -> None:
    assert findings(parts) == codes


@pytest.mark.parametrize(
    ("tag", "message"),
    [
        ("attack.t1043", "attack.t1043 is deprecated in ATT&CK 19, which names T1571 where appropriate"),
        ("attack.t1026", "attack.t1026 is deprecated in ATT&CK 19 without a successor"),
    ],
    ids=["others named", "none named"],
)
def test_a_deprecated_technique_is_left_to_a_person(tag: str, message: str) -> None:
    [finding] = found({"tags": tag})
    assert (finding.code, finding.message) == ("UT272", message)
    assert "migrate" not in finding.hint


def test_twins_are_found() -> None:
    assert findings({}, {}) == ["UT275"]
    assert findings({}, {"category": "image_load"}) == []
