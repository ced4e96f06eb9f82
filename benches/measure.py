"""Runs commands and measures them: time, CPU time, and memory of all their processes together.

Contract: a timed run is not disturbed by sampling (memory is measured in runs of its own); repetitions of
the cases of a group are interleaved (A B C A B C), so that a drift of the machine falls on all; a command
that fails ends the bench.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One command to measure. It has to process `events`; what it writes (`out`) is removed afterwards."""

    name: str
    command: Sequence[str]
    events: int
    out: Path
    env: Mapping[str, str] = field(default_factory=dict)
    summary: str = "none"
    """How its output tells what it did: `none`, `undertag` (a JSON document), `lines` (one a match)."""
    stdin: Path = Path(os.devnull)
    fresh: Path | None = None
    """A folder that has to be absent before each run (a cache to be built from scratch)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a case. `cpu_seconds` is of all its processes; `hits` is None where it does not tell."""

    seconds: float
    cpu_seconds: float
    hits: int | None
    out_bytes: int
    peak_bytes: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


def _environment() -> dict[str, str]:
    """This process's, but that Python keeps compiled modules as it does for everybody."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(case: Case, *, sample_memory: bool = False) -> Run:
    """Run the case once."""
    _remove(case.out)
    if case.fresh:
        _remove(case.fresh)
    case.out.parent.mkdir(parents=True, exist_ok=True)
    stdout_file = case.out.with_name(case.out.name + ".stdout")
    stderr_file = case.out.with_name(case.out.name + ".stderr")
    with stdout_file.open("wb") as stdout, stderr_file.open("wb") as stderr, case.stdin.open("rb") as stdin:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(case.command),
            env=_environment() | dict(case.env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            peak = _watch_memory(process.pid) if sample_memory else 0
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = stderr_file.read_text(errors="replace")[-3000:]
        sys.exit(f"{case.name}: exit code {process.returncode}\n  {' '.join(case.command)}\n{said}")
    hits, details = _summary(case, stdout_file)
    out_bytes = _size(case.out)
    for path in (case.out, stdout_file, stderr_file):
        _remove(path)
    return Run(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        hits=hits,
        out_bytes=out_bytes,
        peak_bytes=peak,
        details=details,
    )


def interleaved(cases: Sequence[Case], repetitions: int) -> dict[str, list[Run]]:
    """All cases, `repetitions` times in turn."""
    runs: dict[str, list[Run]] = {case.name: [] for case in cases}
    for repetition in range(repetitions):
        for case in cases:
            runs[case.name].append(run(case))
            last = runs[case.name][-1]
            print(f"  [{repetition + 1}/{repetitions}] {case.name}: {last.seconds:.2f} s", file=sys.stderr)
    return runs


def paired_ratio(runs: Sequence[Run], base: Sequence[Run], events: int, base_events: int) -> float:
    """Median over the repetitions of time an event against the base's in the same repetition."""
    ratios = [(a.seconds / events) / (b.seconds / base_events) for a, b in zip(runs, base, strict=True)]
    return statistics.median(ratios)


def _summary(case: Case, stdout_file: Path) -> tuple[int | None, dict[str, Any]]:
    if case.summary == "lines":
        return sum(1 for _ in stdout_file.open("rb")), {}
    if case.summary == "none":
        return None, {}
    document = json.loads(stdout_file.read_bytes())
    if document["events"] != case.events:
        sys.exit(
            f"{case.name}: {document['events']} events, not {case.events}: the figures would not compare"
        )
    keys = ("tagged", "problems", "uncatalogued", "rules")
    return document["hits"], {key: document[key] for key in keys if key in document}


def _watch_memory(leader: int) -> int:
    """Highest sum of proportional set sizes (bytes) of the session's processes, until its leader ends."""
    peak = 0
    while os.waitid(os.P_PID, leader, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        peak = max(peak, sum(_pss_bytes(pid) for pid in _session(leader)))
        time.sleep(SAMPLE_SECONDS)
    return peak


def _session(leader: int) -> list[int]:
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
            if int(stat.rpartition(")")[2].split()[3]) == leader:
                members.append(int(entry.name))
    return members


def _pss_bytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended while we looked
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else 0


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
