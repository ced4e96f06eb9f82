"""Varied rules: no copy looks for what another does, and exclusions stay."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def rules() -> Any:
    sys.path.insert(0, str(ROOT / "benches"))
    try:
        yield importlib.import_module("vary_rules")
    finally:
        sys.path.remove(str(ROOT / "benches"))


@pytest.mark.parametrize(
    ("text", "varied"),
    [
        ("mimikatz", "mimikatzQ"),
        (r"\powershell.exe", r"\powershellQ.exe"),
        (r"*\AppData\Roaming\*", r"*\AppDataQ\Roaming\*"),
        (" -enc ", " -encQ "),
        ("sekurlsa::logonpasswords", "sekurlsa::logonpasswordsQ"),
        ("?", "?"),
        ("", ""),
    ],
    ids=[
        "word",
        "file name",
        "first of the longest",
        "switch",
        "punctuation inside",
        "wildcard only",
        "empty",
    ],
)
def test_vary_text(rules: Any, text: str, varied: str) -> None:
    assert rules.vary_text(text, "Q") == varied


@pytest.mark.parametrize(
    ("pattern", "varied"),
    [("a+b", "(?:a+b)Q"), ("^a$", "(?:^a)Q$"), (r"a\$", r"(?:a\$)Q"), ("a|b", "(?:a|b)Q")],
    ids=["plain", "anchored", "escaped dollar", "alternatives"],
)
def test_vary_regex(rules: Any, pattern: str, varied: str) -> None:
    assert rules.vary_regex(pattern, "Q") == varied


@pytest.mark.parametrize(
    ("detection", "varied"),
    [
        (
            {"s": {"Image|endswith": r"\reg.exe", "CommandLine|contains": ["save"]}, "condition": "s"},
            {"s": {"Image|endswith": r"\reg.exe", "CommandLine|contains": ["saveQ"]}, "condition": "s"},
        ),
        (
            {"s": {"Image|endswith": r"\reg.exe"}, "condition": "s"},
            {"s": {"Image|endswith": r"\regQ.exe"}, "condition": "s"},
        ),
        (
            {"s": {"A": "x1"}, "known": {"A": "y1"}, "condition": "s and not known"},
            {"s": {"A": "x1Q"}, "known": {"A": "y1"}, "condition": "s and not known"},
        ),
        (
            {"s": {"A": "x1"}, "f_a": {"A": "y1"}, "condition": "s and not 1 of f_*"},
            {"s": {"A": "x1Q"}, "f_a": {"A": "y1"}, "condition": "s and not 1 of f_*"},
        ),
        (
            {"s": {"A": "x1"}, "p": {"A": "y1"}, "r": {"A": "z1"}, "condition": "s and not (p or r)"},
            {"s": {"A": "x1Q"}, "p": {"A": "y1"}, "r": {"A": "z1"}, "condition": "s and not (p or r)"},
        ),
        (
            {"s": {"EventID": 1102, "A|cidr": "10.0.0.0/8"}, "condition": "s"},
            {"s": {"EventID": 1102, "A|cidr": "10.0.0.0/8"}, "condition": "s"},
        ),
        ({"k": ["one", 2, None], "condition": "k"}, {"k": ["oneQ", 2, None], "condition": "k"}),
    ],
    ids=[
        "program kept",
        "program only",
        "exclusion",
        "exclusions by pattern",
        "in brackets",
        "fixed",
        "keywords",
    ],
)
def test_vary_detection(rules: Any, detection: dict[str, Any], varied: dict[str, Any]) -> None:
    assert rules.vary_detection(detection, "Q") == varied


def test_multiply_keeps_the_first_and_gives_others_new_ids(rules: Any, tmp_path: Path) -> None:
    yaml = importlib.import_module("yaml")
    source = tmp_path / "rules/a/one.yml"
    source.parent.mkdir(parents=True)
    source.write_text(
        "title: One\nid: 7d2b1d3e-3d4b-4a7c-9f55-2f4d5f1f2a01\ndate: 2024-01-02\n"
        "logsource: {product: windows}\n"
        "detection: {s: {CommandLine|contains: save}, condition: s}\n"
    )
    assert rules.multiply([tmp_path / "rules"], 3, tmp_path / "out") == 3
    files = sorted((tmp_path / "out").rglob("*.yml"))
    assert files[0].read_bytes() == source.read_bytes()
    loaded = [yaml.safe_load(file.read_bytes()) for file in files]
    assert len({rule["id"] for rule in loaded}) == 3
    assert len({rule["detection"]["s"]["CommandLine|contains"] for rule in loaded}) == 3
    assert len({rule["date"] for rule in loaded}) == 1
