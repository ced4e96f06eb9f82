"""A run that can't go on leaves nothing that could be taken for a whole output."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from tests.pipeline.mixed import write_corpus, write_rules
from tests.pipeline.running import ENV, tagged, undertag

from undertag.model.problem import StoreError

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc and signals"
)
PLACES = ["out.jsonl", "out"]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules") / "rules")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("mixed") / "in").folder


def no_whole_output(out: Path) -> None:
    """Nothing here says that it is complete, and everything that has its own name can be read."""
    if out.suffix:
        assert not out.exists()
        assert not out.with_name(out.name + ".run.json").exists()
        return
    assert orjson.loads((out / "run.json").read_bytes())["complete"] is False
    for part in out.rglob("*.parquet"):
        if not part.name.startswith("."):
            assert pq.ParquetFile(part).metadata.num_rows > 0 or part.name == "problems.parquet"


# -- full disks


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_under_a_file(
    workers: int, inputs: Path, rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def full(file: int, data: Any, offset: int) -> int:
        if offset > 300_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data[:10_000], offset)  # and short writes on the way there

    monkeypatch.setattr(os, "pwrite", full)
    out = tmp_path / "out.jsonl"
    out.write_text("what an earlier run wrote")
    with pytest.raises(StoreError) as caught:
        tagged([inputs], rules, out, workers=workers, unit_bytes=50_000)
    assert caught.value.problem.code == "UT601"
    assert "No space left on device" in str(caught.value)
    assert caught.value.exit_code == 4
    assert out.read_text() == "what an earlier run wrote"
    note = orjson.loads((tmp_path / "out.jsonl.partial.run.json").read_bytes())
    assert note["complete"] is False


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_ends_the_program_with_4(
    place: str, workers: str, inputs: Path, rules: Path, tmp_path: Path
) -> None:
    import resource

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    args = ["tag", str(inputs), "--rules", str(rules), "--no-pack", "--out", str(tmp_path / place)]
    done = undertag(*args, "-w", workers, "--json", preexec_fn=small_files)
    assert done.returncode == 4, done.stderr.decode()
    assert json.loads(done.stdout)["error"]["code"] == "UT601"
    assert b"Traceback" not in done.stderr
    no_whole_output(tmp_path / place)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_standard_output(inputs: Path, rules: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "undertag", "tag", inputs, "--rules", rules, "--no-pack", "--out", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=ENV,
            timeout=60,
        )
    assert done.returncode == 4
    assert b"UT601 can't write: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_real_full_disk(inputs: Path, rules: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        for place in PLACES:
            done = undertag("tag", inputs, "--rules", rules, "--no-pack", "--out", disk / place, "-q")
            assert done.returncode == 4
            assert b"UT601" in done.stderr
            assert not (disk / "out.jsonl").exists()
            for path in disk.rglob("*.parquet"):
                if not path.name.startswith("."):
                    pq.ParquetFile(path)
            note = disk / place / "run.json"
            assert not note.exists() or orjson.loads(note.read_bytes())["complete"] is False
            subprocess.run(["find", disk, "-mindepth", "1", "-delete"], check=True)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("place", ["no/such/folder/out.jsonl", "file/out"])
def test_an_output_that_can_t_be_made(place: str, inputs: Path, rules: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = undertag("tag", inputs, "--rules", rules, "--no-pack", "--out", tmp_path / place)
    assert done.returncode == 4
    assert b"UT601" in done.stderr


def test_a_folder_of_something_else_is_left_alone(inputs: Path, rules: Path, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("dear")
    done = undertag("tag", inputs, "--rules", rules, "--no-pack", "--out", tmp_path / "letters")
    assert done.returncode == 4
    assert b"UT602 the folder holds something else" in done.stderr
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["a.txt"]


# -- interrupts


@contextlib.contextmanager
def running(
    inputs: Path, rules: Path, out: Path, workers: int, *, endless: bool
) -> Iterator[subprocess.Popen[bytes]]:
    """The program at work on standard input, which doesn't end."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "undertag", "tag", "-", "--rules", str(rules), "--no-pack"),
            *("--out", str(out), "--workers", str(workers), "--json"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENV,
        start_new_session=True,
    )
    assert process.stdin is not None
    data = (inputs / "a.jsonl").read_bytes()
    data += b"\n" * (data[-1:] != b"\n")
    stop = threading.Event()

    def feed() -> None:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            for _ in range(1 << 30 if endless else 40):
                if stop.is_set():
                    return
                process.stdin.write(data)
            process.stdin.flush()

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        yield process
    finally:
        stop.set()
        process.kill()
        feeder.join(timeout=10)
        process.communicate()


def wait_for(what: Any, seconds: float = 30) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def at_work(out: Path, process: subprocess.Popen[bytes], workers: int) -> bool:
    """Whether something was written, by all the workers that were asked for."""
    if out.suffix:
        partial = out.with_name(out.name + ".partial")
        wrote = partial.exists() and partial.stat().st_size > 3 << 20
    else:
        wrote = (out / "events").is_dir() and time.monotonic() > 0
    return wrote and (workers == 1 or len(children(process)) == workers)


def children(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("endless", [True, False], ids=["busy", "waiting for input"])
def test_ctrl_c_ends_cleanly(
    endless: bool, place: str, workers: int, inputs: Path, rules: Path, tmp_path: Path
) -> None:
    out = tmp_path / place
    with running(inputs, rules, out, workers, endless=endless) as process:
        wait_for(lambda: at_work(out, process, workers))
        if not out.suffix or not endless:
            time.sleep(0.7)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=30) == 130
        assert process.stdout is not None
        assert process.stderr is not None
        summary = json.loads(process.stdout.read())
        assert b"Traceback" not in process.stderr.read()
    assert summary["complete"] is False
    assert summary["events"] > 0
    no_whole_output(out)
    if out.suffix:
        partial = out.with_name(out.name + ".partial")
        written = [orjson.loads(line)["undertag"]["event_uid"] for line in partial.open("rb")]
        assert orjson.loads((tmp_path / "out.jsonl.partial.run.json").read_bytes())["complete"] is False
    else:
        written = [
            uid
            for part in (out / "events").rglob("*.parquet")
            for uid in pq.ParquetFile(part).read(columns=["event_uid"])["event_uid"].to_pylist()
        ]
    assert len(written) == len(set(written)) == summary["events"]


def test_a_killed_worker_is_told(inputs: Path, rules: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with running(inputs, rules, out, 2, endless=True) as process:
        wait_for(lambda: at_work(out, process, 2))
        os.kill(children(process)[0], signal.SIGKILL)
        assert process.wait(timeout=30) == 4
        assert process.stdout is not None
        error = json.loads(process.stdout.read())["error"]
    assert (error["code"], error["message"]) == ("UT191", "a worker ended unexpectedly (exit code -9)")
    no_whole_output(out)
    assert b"UT191" in (tmp_path / "out.jsonl.partial.problems.jsonl").read_bytes()


def test_no_worker_outlives_its_parent(inputs: Path, rules: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    with running(inputs, rules, out, 2, endless=True) as process:
        wait_for(lambda: at_work(out, process, 2))
        workers = children(process)
        process.kill()
        process.wait(timeout=10)
        wait_for(lambda: not any(alive(pid) for pid in workers))
    no_whole_output(out)


def alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
