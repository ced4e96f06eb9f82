"""Patterns with `**` name what the shell's do, but for what lies behind links."""

from __future__ import annotations

from pathlib import Path

import pytest

from undertag.model.problem import Problem
from undertag.read.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("**", [""]),
        ("**/c.x", ["a/b/c.x", "c.x"]),
        ("a/**/*.x", ["a/b/c.x"]),
        ("**/b", ["a/b"]),
        ("**/b/", ["a/b/"]),
        ("**/**/**/c.x", ["a/b/c.x", "c.x"]),
        ("**/b/**/c.*", ["a/b/c.x"]),
        ("*/c.x", []),
        ("/".join(["**"] * 40) + "/none", []),
    ],
)
def test_what_a_pattern_names(pattern: str, named: list[str], tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("a/b/c.x", "c.x", "a/d.y"):
        (tmp_path / name).touch()
    for depth in range(30):
        (tmp_path / "deep" / "/".join("z" * depth)).mkdir(parents=True, exist_ok=True)
    problems: list[Problem] = []
    found = [path.rstrip("/") for path in matches(f"{tmp_path}/{pattern}", problems.append)]
    assert found == [str(tmp_path / name).rstrip("/") for name in named]
    assert problems == []
