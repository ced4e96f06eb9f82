"""A bounded fuzzing run over all targets: `python tests/fuzz/run.py --seconds 60 [--target NAME]`.

Guided by coverage where `atheris` is installed (the extra `fuzz`), by Hypothesis otherwise. Ends with 1 if a target
fails; the input that did it is then printed and kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main() -> int:
    """Runs the targets one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(description="Fuzzes the readers, the normaliser and the rule loader.")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", action="append", help="only this one; may be given often")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help="without atheris")
    args = parser.parse_args()
    guided = not args.plain and find_spec("atheris") is not None
    if args.one:
        return (_guided if guided else _random)(args.one, args.seconds)
    names = args.target or ["reading", "normalising", "loading"]
    share = max(1, args.seconds // len(names))
    failed = []
    for name in names:
        print(f"{name}: {share} s, {'guided by coverage' if guided else 'at random'}", flush=True)
        command = [sys.executable, __file__, "--one", name, "--seconds", str(share)]
        folder = tempfile.mkdtemp(prefix=f"undertag-fuzz-{name}-")
        env = {**os.environ, "TMPDIR": folder}
        done = subprocess.run(command + ["--plain"] * args.plain, env=env)
        if done.returncode:
            failed.append(name)
        else:
            shutil.rmtree(folder)
    print(f"failed: {', '.join(failed)}" if failed else "no failures")
    return 1 if failed else 0


def _guided(name: str, seconds: int) -> int:
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=["undertag.read", "undertag.match", "undertag.write"]):
        from tests.fuzz.targets import TARGETS, corpus_folder
    folder = corpus_folder(name)
    options = [
        sys.argv[0],
        str(folder),
        f"-max_total_time={seconds}",
        "-max_len=8192",
        "-timeout=30",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
        f"-artifact_prefix={folder}/failed-",
    ]
    atheris.Setup(options, TARGETS[name][0])
    atheris.Fuzz()  # ends the process itself
    return 0


def _random(name: str, seconds: int) -> int:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st
    from tests.fuzz.targets import TARGETS

    target, seeds = TARGETS[name]
    until = time.monotonic() + seconds
    rounds = 0

    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(seeds), st.lists(st.tuples(st.integers(0), st.binary(max_size=8)), max_size=8))
    def try_some(seed: bytes, changes: list[tuple[int, bytes]]) -> None:
        target(changed(seed, changes))

    while time.monotonic() < until:
        try_some()
        rounds += 1
    print(f"{rounds * 200} inputs")
    return 0


def changed(seed: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    """A seed with bytes put in, or (by an empty change) a piece cut out."""
    data = seed
    for place, piece in changes:
        at = place % (len(data) + 1)
        data = data[:at] + piece + data[at + (place // 7) % 9 if piece else at + 1 :]
    return data


if __name__ == "__main__":
    sys.exit(main())
