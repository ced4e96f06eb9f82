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


CLOSED = "undertag: <stdout>: UT601 can't write: Bad file descriptor (it is closed: send it to a file or /dev/null)\n"


def without(stream: int, command: str, line: Path) -> subprocess.CompletedProcess[str]:
    """A run one of whose standard streams is closed."""
    words = [word.format(**{"in": line}) for word in command.split()]
    shell = ["sh", "-c", f'"$@" {stream}>&-', "sh", sys.executable, "-m", "undertag", *words]
    return subprocess.run(shell, capture_output=True, text=True, env=ENV, timeout=60)


@pytest.mark.parametrize("command", [*COMMANDS, "version --json"])
def test_a_closed_standard_output_is_told(command: str, line: Path) -> None:
    done = without(1, command, line)
    assert (done.returncode, done.stderr[-len(CLOSED) :]) == (4, CLOSED)
    assert "Traceback" not in done.stderr


def test_an_error_keeps_its_code_without_standard_output(line: Path) -> None:
    done = without(1, "nope --json", line)
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)


def test_what_needs_no_standard_output_does_without(line: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = without(1, f"tag {{in}} --out {out} -q", line)
    assert (done.returncode, done.stderr) == (0, "")
    assert out.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("command", ["tag - -q", "sources av -"])
def test_a_closed_standard_input_is_told(command: str, line: Path) -> None:
    done = without(0, command, line)
    assert done.returncode == 4
    assert done.stderr.endswith("<stdin>: UT101 can't read: Bad file descriptor\n")


def test_nothing_strays_from_a_closed_standard_error(line: Path) -> None:
    done = without(2, "nope --json", line)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (3, "UT903")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_named_pipe_whose_reader_leaves_is_told(workers: str, line: Path, tmp_path: Path) -> None:
    many = tmp_path / "many.jsonl"
    many.write_text(line.read_text() * 20_000)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["head", "-c", "100", pipe], stdout=subprocess.DEVNULL)
    done = into(subprocess.PIPE, f"tag {many} --out {pipe} --json -w {workers}", line)
    reader.wait(timeout=60)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], error["message"]) == (4, "UT601", "can't write: Broken pipe")


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
