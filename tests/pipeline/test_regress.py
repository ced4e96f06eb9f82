"""`rules regress`: every `info.yml` is a case, whatever is wrong with it, and every rule below the folder is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.pipeline.mixed import rule_id, rule_text

from undertag.apps.cli.commands import run
from undertag.pipeline.regress import run_regression

RULE = "abcdef01-0000-4000-8000-00000000000a"
TEXT = rule_text("endswith").replace(rule_id("endswith"), RULE)
NAMED = f"rule_metadata: [{{id: {RULE}}}]\n"
EVENT = """{"Channel": "Security", "EventID": 4688, "NewProcessName": "C:\\\\zzz.exe", "Computer": "a"}\n"""
GONE = "the recording isn't there"
COUNT = "match_count is no whole number from 0 up"


def write(folder: Path, info: str, *, recording: str = f"{RULE}.log", rules: str = "rules/r.yml") -> Path:
    """A folder with a case that is sound, and the one of `info`."""
    for name, text in (("a", info), ("b", NAMED)):
        data = folder / "regression_data" / name
        data.mkdir(parents=True)
        (data / "info.yml").write_text(text)
        (data / (recording if name == "a" else f"{RULE}.log")).write_text(EVENT)
    (folder / rules).parent.mkdir(exist_ok=True)
    (folder / rules).write_text(TEXT)
    return folder


def recordings(*tests: str) -> str:
    return f"{NAMED}regression_tests_info: [{', '.join(tests)}]\n"


# info.yml, reasons of the failed cases
INFOS: dict[str, tuple[str, list[str]]] = {
    "as SigmaHQ has it": (NAMED, []),
    "no rule_metadata": ("id: x\n", []),
    "rule_metadata without an id": ("rule_metadata: [{title: x}]\n", []),
    "a mapping": (f"rule_metadata: {{id: {RULE}}}\n", []),
    "a mapping as test": (NAMED + f"regression_tests_info: {{path: {RULE}.log}}\n", []),
    "id in upper case": (f"rule_metadata: [{{id: {RULE.upper()}}}]\n", []),
    "id of no rule": ("rule_metadata: [{id: x}]\n", ["the rule isn't there or was rejected"]),
    "no such day": (
        NAMED + "date: 2025-02-30\n",
        ["info.yml can't be read: '2025-02-30' is no valid timestamp"],
    ),
    "no such hour": (
        NAMED + "date: 2025-01-01T99:00:00Z\n",
        ["info.yml can't be read: '2025-01-01T99:00:00Z' is no valid timestamp"],
    ),
    "too deep": (
        f"a: {'[' * 3000}{']' * 3000}\n",
        ["info.yml can't be read: nested deeper than 48 levels"],
    ),
    "empty": ("", ["info.yml can't be read: it isn't one mapping"]),
    "two documents": (f"{NAMED}---\n{NAMED}", ["info.yml can't be read: it isn't one mapping"]),
    "path too long": (recordings(f"{{path: {'x' * 5000}}}", f"{{path: {RULE}.log}}"), [GONE]),
    "NUL in a path": (recordings('{path: "a\\0b"}'), [GONE]),
    "path out of the folder": (recordings("{path: ../outside.log}", "{path: /etc/passwd}"), [GONE] * 2),
    "path of a folder": (recordings("{path: .}", "{path: ..}"), [GONE] * 2),
    "path and type no text": (recordings("{path: [1]}", "{path: 7}", f"{{path: {RULE}.log, type: [1]}}"), [GONE] * 2),
    "test no mapping": (recordings("7", "x"), [GONE] * 2),
    "match_count null": (recordings(f"{{path: {RULE}.log, match_count: null}}"), []),
    "match_count no number": (
        recordings(*(f"{{path: {RULE}.log, match_count: {count}}}" for count in ("x", "yes", "-1", "1.5", "9" * 30))),
        [COUNT] * 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INFOS)
def test_every_info_is_a_case_and_the_others_go_on(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    info, reasons = INFOS[name]
    (tmp_path / "outside.log").write_text(EVENT)
    folder = write(tmp_path / "sigma", info)
    assert run(["rules", "regress", str(folder), "--json"]) == (1 if reasons else 0)
    told = json.loads(capfd.readouterr().out)
    assert [case["reason"] for case in told["failed"]] == reasons
    assert told["passed"] == told["total"] - len(reasons)
    assert told["total"] >= 2


def test_an_info_that_names_no_rule(tmp_path: Path) -> None:
    result = run_regression(str(write(tmp_path, "id: x\n", recording="some.log")))
    assert (result.total, result.passed) == (2, 1)
    assert [case.reason for case in result.failed] == ["info.yml names no rule"]


@pytest.mark.parametrize("rules", ["deprecated/r.yml", "unsupported/r.yml", "r.yml", "rules-x/r.yml"])
def test_rules_lie_anywhere_below(rules: str, tmp_path: Path) -> None:
    folder = write(tmp_path, NAMED, rules=rules)
    (folder / "rules").mkdir()
    result = run_regression(str(folder))
    assert (result.total, result.failed) == (2, [])


def test_the_folders_of_rules_win(tmp_path: Path) -> None:
    folder = write(tmp_path, f"rule_metadata: [{{id: {rule_id('any')}}}, {{id: {RULE}}}]\n")
    (folder / "deprecated").mkdir()
    (folder / "deprecated" / "old.yml").write_text(
        TEXT.replace("zzz", "nothing") + "---\n" + rule_text("any")
    )
    result = run_regression(str(folder))
    assert (result.total, result.failed, result.problems) == (3, [], [])


def test_what_looks_like_markup_is_shown_as_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path, 'rule_metadata: [{id: "[/x]", title: "[/red]"}]\n')
    assert run(["rules", "regress", str(folder), "--no-color"]) == 1
    assert "failed [/red] ([/x]): expected 1, found 0" in capfd.readouterr().out
