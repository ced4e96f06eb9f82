"""`undertag attack`: one JSON document, exit codes, talk on standard error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.catalogue.attack.bundles import bundle, technique
from typer.testing import CliRunner, Result

from undertag.apps.cli.attack import app
from undertag.model.problem import UndertagError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def document(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_resolve() -> None:
    found = document("resolve", "T1086")
    assert {key: found[key] for key in ("id", "name", "version", "state", "chain", "resolved")} == {
        "id": "T1086",
        "name": "PowerShell",
        "version": "19",
        "state": "moved",
        "chain": ["T1086", "T1059.001"],
        "resolved": ["T1059.001"],
    }
    assert document("resolve", "T1150", "--to", "8.2")["resolved"] == ["T1547.011"]


@pytest.mark.parametrize("command", ["show", "resolve"])
def test_unknown_id_is_a_finding(command: str) -> None:
    result = run(command, "attack.credental-access", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["state"] == "unknown"
    assert "credential-access" in result.stderr
    assert run(command, "attack.credental-access", "--quiet").stderr == ""


def test_show_technique() -> None:
    found = document("show", "T1059.001")
    assert (found["id"], found["version"], found["tactics"], found["platforms"]) == (
        "T1059.001",
        "19",
        ["execution"],
        ["Windows"],
    )
    assert "DC0032: Process Creation" in found["data_components"]
    assert any(4104 in row["event_ids"] for row in found["log_sources"])
    assert (found["inherited"]["platforms"], found["telemetry_as_of"]) == ("18.1", "18.1")
    assert "MITRE" in found["notice"]
    old = document("show", "T1086", "--version", "6.0")
    assert (old["name"], old["state"], "PowerShell logs" in old["data_sources"]) == (
        "PowerShell",
        "current",
        True,
    )


def test_show_tactic_and_text() -> None:
    assert "T1027" in document("show", "attack.stealth")["techniques"]
    text = run("show", "T1003.001").stdout
    assert text.startswith("T1003.001 LSASS Memory (ATT&CK 19, current)\n")
    assert "The MITRE Corporation" in text.splitlines()[-1]


def test_diff() -> None:
    found = document("diff", "18.1", "19")
    assert set(found) >= {"added", "removed", "renamed", "revoked", "deprecated", "moved_tactics", "changed"}
    assert (found["changed"], len(found["added"]), len(found["revoked"])) == (239, 23, 17)
    assert found["tactics"] == {"added": ["stealth", "defense-impairment"], "removed": ["defense-evasion"]}
    assert "T1562: " not in run("diff", "17.1", "18.1").stdout


def test_migrate(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    text = "tags:\n" + "".join(
        f"  - attack.{one}\n" for one in ("defense-evasion", "t1027", "t1112", "t1086")
    )
    text += "detection: {}\n"
    path.write_text(text)
    found = document("migrate", str(tmp_path), "--to", "19", code=1)
    assert (found["files"], found["changed"], found["written"]) == (1, 1, 0)
    assert [(edit["line"], edit["from"], edit["to"]) for edit in found["edits"]] == [
        (2, "attack.defense-evasion", "attack.stealth"),
        (2, "attack.defense-evasion", "attack.defense-impairment"),
        (5, "attack.t1086", "attack.t1059.001"),
    ]
    assert {edit["file"] for edit in found["edits"]} == {str(path)}
    assert all(edit["reason"] for edit in found["edits"])
    assert path.read_text() == text
    assert "+  - attack.stealth" in run("migrate", str(path)).stdout
    assert document("migrate", str(tmp_path), "--to", "19", "--write")["written"] == 1
    assert document("migrate", str(tmp_path), "--to", "19")["changed"] == 0


def test_migrate_reports_what_a_person_must_decide(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_text("tags: [attack.t1059.999]\ndetection: {}\n")
    result = run("migrate", str(path), "--json", "--write")
    assert result.exit_code == 1
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["code"], finding["line"], finding["hint"]) == ("UT355", 1, "did you mean attack.t1059?")
    assert "UT355" in result.stderr


def test_settings_choose_the_release(tmp_path: Path) -> None:
    settings = tmp_path / "undertag.toml"
    settings.write_text('attack_version = "18.1"\n')
    assert document("resolve", "T1562.001", "--config", str(settings))["state"] == "current"
    assert document("resolve", "T1562.001", "--config", str(settings), "--to", "19")["state"] == "moved"


def test_import(tmp_path: Path) -> None:
    path = tmp_path / "enterprise-attack.json"
    path.write_bytes(bundle(technique("T1059", "Interpreter")))
    found = document("import", str(path), "--as", "16.1")
    assert (found["version"], found["verified"], found["techniques"]) == ("16.1", False, 1)
    assert document("show", "T1059", "-V", "16.1")["name"] == "Interpreter"


def test_a_release_that_the_settings_name_can_be_imported(tmp_path: Path) -> None:
    path, settings = tmp_path / "enterprise-attack.json", tmp_path / "undertag.toml"
    path.write_bytes(bundle(technique("T1059", "Interpreter")))
    settings.write_text('attack_version = "16.1"\n')
    config = ("--config", str(settings))
    assert document("show", "T1059", "--version", "18.1", *config)["version"] == "18.1"
    assert document("diff", "18.1", "19", *config)["new"] == "19"
    error = run("show", "T1059", *config).exception
    assert isinstance(error, UndertagError)
    assert error.problem.code == "UT344"
    assert document("import", str(path), "--as", "16.1", *config)["version"] == "16.1"
    assert document("show", "T1059", *config)["name"] == "Interpreter"


def test_a_release_that_is_none_is_told_by_the_settings(tmp_path: Path) -> None:
    settings = tmp_path / "undertag.toml"
    settings.write_text('attack_version = "newest"\n')
    error = run("import", "no-such-file.json", "--config", str(settings)).exception
    assert isinstance(error, UndertagError)
    assert (error.problem.code, error.exit_code) == ("UT902", 3)
    assert "attack_version" in str(error)


@pytest.mark.parametrize("command", ["show", "resolve"])
def test_nothing_takes_the_place_of_a_deprecated_technique(command: str) -> None:
    text = run(command, "T1043").stdout
    assert "  ATT&CK names T1571 where appropriate\n" in text
    assert "now:" not in text
    assert "  now: T1059.001\n" in run(command, "T1086").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["resolve", "T1086", "--to", "99"], "UT344", 3),
        (["diff", "6.0", "x"], "UT344", 3),
        (["migrate", "no-such-file.yml"], "UT361", 3),
        (["import", "no-such-file.json"], "UT348", 4),
    ],
)
def test_errors(arguments: list[str], code: str, exit_code: int) -> None:
    error = run(*arguments).exception
    assert isinstance(error, UndertagError)
    assert (error.problem.code, error.exit_code) == (code, exit_code)
