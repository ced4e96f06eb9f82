"""A short walk over the fuzzing targets; `make fuzz` goes further."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.run import changed
from tests.fuzz.targets import TARGETS

RUN = Path(__file__).with_name("run.py")


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_are_taken(name: str) -> None:
    target, seeds = TARGETS[name]
    for seed in seeds:
        target(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_some_damage(name: str) -> None:
    target, seeds = TARGETS[name]

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(seeds), st.lists(st.tuples(st.integers(0), st.binary(max_size=8)), max_size=6))
    def go(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
        target(changed(seed, changes))

    go()


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--plain"]], ids=["as it comes", "plain"])
def test_the_bounded_run(options: list[str]) -> None:
    command = [sys.executable, str(RUN), "--seconds", "9", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no failures" in done.stdout


def test_a_failure_is_told() -> None:
    code = (
        f"import sys; sys.argv = [{str(RUN)!r}, '--one', 'loading', '--seconds', '2', '--plain']\n"
        f"sys.path.insert(0, {str(RUN.parents[2])!r})\n"
        "from tests.fuzz import run, targets\n"
        "def bad(data):\n    assert b'title' not in data\n"
        "targets.TARGETS['loading'] = (bad, targets.TARGETS['loading'][1])\n"
        "sys.exit(run.main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
