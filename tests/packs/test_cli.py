"""`undertag packs` from outside: JSON keys, exit codes, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.packs.breaking import GOOD
from typer.testing import CliRunner

from undertag.apps.cli.packs import app
from undertag.model.problem import SettingsError, StoreError
from undertag.packs.check import check_pack

RUN = CliRunner()


def test_check_of_our_pack_is_clean() -> None:
    result = RUN.invoke(app, ["check", "--json"], standalone_mode=False)
    said = json.loads(result.stdout)
    assert result.return_value == 0
    assert said["findings"] == []
    assert said["rules"] == sum(said["by_kind"].values())


def test_check_tells_findings_by_exit_code_and_row(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text(GOOD.replace("level: informational", "level: high"), encoding="utf-8")
    result = RUN.invoke(app, ["check", str(path), "--json"], standalone_mode=False)
    said = json.loads(result.stdout)
    assert result.return_value == 1
    assert (said["rules"], said["by_kind"]) == (1, {"obs": 1})
    assert [(row["file"], row["code"]) for row in said["findings"]] == [(str(path), "UT261")]


def test_docs_are_printed_or_written(tmp_path: Path) -> None:
    (tmp_path / "rule.yml").write_text(GOOD, encoding="utf-8")
    printed = RUN.invoke(app, ["docs", str(tmp_path)], standalone_mode=False).stdout
    out = tmp_path / "page.md"
    assert (
        RUN.invoke(app, ["docs", str(tmp_path), "--out", str(out)], standalone_mode=False).return_value == 0
    )
    assert out.read_text(encoding="utf-8") == printed
    assert "### Smart Card API DLL" in printed
    assert "](" not in printed, "a link to a page that the reader hasn't got"
    assert "tools/" not in printed
    assert "T1003.001, *compatible*: Some credential tools load it" in printed


def test_new_rule_loads_and_the_check_tells_what_is_missing(tmp_path: Path) -> None:
    args = ["new", "obs.proc.example", "--title", "Example Run", "--folder", str(tmp_path / "new"), "--json"]
    said = json.loads(RUN.invoke(app, args, standalone_mode=False).stdout)
    assert said == {"file": str(tmp_path / "new" / "obs_proc_example.yml"), "tag": "obs.proc.example"}
    assert {problem.code for problem in check_pack(said["file"])} == {"UT263", "UT269"}
    again = RUN.invoke(app, args, standalone_mode=False)
    assert isinstance(again.exception, StoreError)


@pytest.mark.parametrize(
    ("tag", "title"),
    [("proc.example", "Example"), ("attack.t1003.001", "Example"), ("obs.proc.example", "a: b")],
    ids=["no kind", "technique", "title with a colon"],
)
def test_new_rule_refuses_what_can_not_stand_in_it(tag: str, title: str, tmp_path: Path) -> None:
    result = RUN.invoke(app, ["new", tag, "--title", title, "--folder", str(tmp_path)], standalone_mode=False)
    assert isinstance(result.exception, SettingsError)
    assert list(tmp_path.iterdir()) == []
