"""Runs whose output lies among their inputs, and names that are no text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from tests.pipeline.running import ENV, lines, undertag

COUNT = 3_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_bytes(b'{"a":"0123456789"}\n' * COUNT)
    return tmp_path / "in"


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("place", ["out.jsonl", "zz"])
def test_the_output_is_not_read(place: str, workers: str, folder: Path) -> None:
    for _ in range(2):  # the second run finds what the first one left
        done = undertag("tag", ".", "--no-pack", "--out", place, "-w", workers, "--json", cwd=folder)
        assert done.returncode == 0, done.stderr.decode()
        told = json.loads(done.stdout)
        assert (told["events"], told["problem_codes"]) == (COUNT, {"UT110": 1})


def test_standard_output_into_the_input_folder_is_not_read(folder: Path) -> None:
    if not Path("/dev/fd").is_dir():
        pytest.skip("needs /dev/fd")
    with (folder / "out.jsonl").open("wb") as out:
        command = [sys.executable, "-m", "undertag", "tag", ".", "--no-pack", "--out", "-"]
        assert subprocess.run(command, cwd=folder, stdout=out, env=ENV, timeout=60).returncode == 0
    assert len(lines(folder / "out.jsonl")) == COUNT


@pytest.mark.parametrize("given", ["a.jsonl", "."])
def test_an_input_is_not_replaced(given: str, folder: Path) -> None:
    done = undertag("tag", given, "--no-pack", "--out", "a.jsonl", "--json", cwd=folder)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "UT903"
    assert [path.name for path in folder.iterdir()] == ["a.jsonl"]
    assert len(lines(folder / "a.jsonl")) == COUNT


def test_devices_and_pipes_are_written_as_they_are(folder: Path) -> None:
    done = undertag("tag", "a.jsonl", "--no-pack", "-q", "--out", "/dev/stdout", cwd=folder)
    assert (done.returncode, done.stdout.count(b"\n")) == (0, COUNT)
    os.mkfifo(folder / "pipe")
    done = undertag("tag", "a.jsonl", "--out", "pipe", "--format", "parquet", cwd=folder)
    assert done.returncode == 3
    assert b"UT903 a pipe or device can't hold --format parquet" in done.stderr


@pytest.mark.parametrize("place", ["out.jsonl", "out"])
def test_names_that_are_no_text(place: str, tmp_path: Path) -> None:
    bad = os.fsdecode(b"in/\xff\xfe.jsonl")
    (tmp_path / "in").mkdir()
    try:
        (tmp_path / bad).write_bytes(b'{"a":1}\nnotjson\n')
    except OSError:
        pytest.skip("the file system takes only text")
    for given in ("in", bad):
        done = undertag("tag", given, "--no-pack", "--out", place, cwd=tmp_path)
        assert done.returncode == 1, done.stderr.decode()
        assert rb"in/\udcff\udcfe.jsonl @ byte 8: UT111" in done.stderr
    note = tmp_path / "out" / "run.json" if place == "out" else tmp_path / "out.jsonl.run.json"
    assert orjson.loads(note.read_bytes())["inputs"] == [r"in/\udcff\udcfe.jsonl"]


def test_commands_tell_names_that_are_no_text(tmp_path: Path) -> None:
    bad = os.fsdecode(b"\xff.jsonl")
    for command, code in (
        (("sources", "from", bad), 4),
        (("explain", bad, "--event", "abcdef", "--json"), 4),
    ):
        done = undertag(*command, cwd=tmp_path)
        assert done.returncode == code
        assert rb"\udcff.jsonl: UT101" in done.stderr
        assert b"Traceback" not in done.stderr
