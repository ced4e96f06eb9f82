"""Runs as the command line makes them, with what it doesn't let one choose."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow.dataset as ds

from undertag.apps.cli.loading import load_rule_set
from undertag.apps.cli.settings import Settings
from undertag.pipeline.run import Job, Summary, run
from undertag.write.files import FileSink
from undertag.write.store.parquet import StoreSink

ENV = {**os.environ, "NO_COLOR": "1"}


def tagged(
    inputs: Sequence[Path], rules: Path, out: Path, *, workers: int = 1, unit_bytes: int = 1 << 20
) -> Summary:
    """A run into `out`: a file if it has an ending, else a folder."""
    loaded = load_rule_set([str(rules)], Settings(), pack=False)
    sink: Any = (FileSink if out.suffix else StoreSink)(out, attack_version="19", only_tagged=False)
    return run(
        Job(
            inputs=[str(path) for path in inputs],
            rules=loaded.rules,
            rejected=loaded.rejected,
            rule_problems=loaded.problems,
            sink=sink,
            workers=workers,
            unit_bytes=unit_bytes,
        )
    )


def stored(folder: Path) -> list[tuple[Any, ...]]:
    """All rows of an output folder, sorted."""
    files = [str(path) for path in (folder / "events").rglob("*.parquet")]
    if not files:
        return []
    return sorted(tuple(map(repr, row.values())) for row in ds.dataset(files).to_table().to_pylist())


def lines(path: Path) -> list[dict[str, Any]]:
    """The events of an output file, each read as JSON."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def undertag(*args: str | Path, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """The program, run to its end as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "undertag", *map(str, args)], capture_output=True, env=ENV, timeout=120, **more
    )
