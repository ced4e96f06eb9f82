"""Standard streams that break off: a reader that has seen enough, a full disk, Ctrl-C."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.pipeline.running import ENV

from undertag.apps.cli import demo
from undertag.apps.cli.commands import run

CAPFD = pytest.CaptureFixture[str]
COMMANDS = [
    "--help",
    "--version",
    "tag {in}",
    "tag {in} --json",
    "tag {in} --out -",
    "rules lint {in}",
    "sources list",
    "sources export windows/sysmon",
    "sources relations",
    "attack show T1059",
    "version",
    "completion",
    "packs docs",
]


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streams") / "in.jsonl"
    path.write_text('{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational"}\n')
    return path


def into(stdout: Any, command: str, line: Path) -> subprocess.CompletedProcess[bytes]:
    args = [sys.executable, "-m", "undertag", *(word.format(**{"in": line}) for word in command.split())]
    return subprocess.run(args, stdout=stdout, stderr=subprocess.PIPE, env=ENV, timeout=60)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_is_gone_is_no_finding(command: str, line: Path) -> None:
    end, pipe = os.pipe()
    os.close(end)
    try:
        done = into(pipe, command, line)
    finally:
        os.close(pipe)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_standard_output_is_told(command: str, line: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = into(full, command, line)
    assert done.returncode == 4
    assert done.stderr.startswith(b"undertag: <stdout>: UT601 can't write: No space left on device")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(("command", "code"), [("nope --json", 3), ("sources list --tier x --json", 3)])
def test_an_error_that_json_can_t_tell_keeps_its_code(command: str, code: int, line: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = into(full, command, line)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


INTERRUPTED = {
    "sources from -": "undertag.apps.cli.sources_survey.survey",
    "rules lint x": "undertag.match.sigma.cache.load_rules_cached",
    "tag x": "undertag.apps.cli.loading.load_rule_set",
}


@pytest.mark.parametrize("command", INTERRUPTED)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_ctrl_c_is_told_to_people_and_programs(
    as_json: bool, command: str, monkeypatch: pytest.MonkeyPatch, capfd: CAPFD
) -> None:
    def interrupt(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(INTERRUPTED[command], interrupt)
    assert run([*command.split(), *["--json"] * as_json]) == 130
    said = capfd.readouterr()
    assert said.err == "undertag: interrupted\n"
    if as_json:
        error = json.loads(said.out)["error"]
        assert (error["code"], error["message"]) == ("UT905", "interrupted")
    else:
        assert said.out == ""


def test_an_interrupted_demo_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: CAPFD) -> None:
    monkeypatch.setattr(demo, "_run", lambda *args: SimpleNamespace(complete=False))
    assert run(["demo", "--out", str(tmp_path), "--json"]) == 130
    said = capfd.readouterr()
    assert json.loads(said.out)["error"]["code"] == "UT905"
    assert said.err == "undertag: interrupted\n"
