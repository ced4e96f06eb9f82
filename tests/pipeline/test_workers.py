"""How many processes a run makes, and what becomes of a run that loses one."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.mixed import write_rules
from tests.pipeline.running import tagged

from undertag.pipeline import workers
from undertag.pipeline.workers import usable_workers

pytestmark = pytest.mark.skipif(usable_workers(2) == 1, reason="one process only here")
LINE = json.dumps({"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": "h"}) + "\n"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The processes that were made."""
    made: list[Any] = []
    process = multiprocessing.get_context("fork").Process

    def start(self: Any) -> None:
        made.append(self)
        super(process, self).start()

    monkeypatch.setattr(process, "start", start, raising=False)
    return made


@pytest.mark.parametrize(("bundles", "most"), [(1, 0), (2, 1), (3, 2), (12, 5)])
def test_no_more_workers_than_there_are_bundles(
    bundles: int, most: int, started: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "in.jsonl").write_text(LINE * bundles)
    rules = write_rules(tmp_path / "rules")
    summary = tagged([tmp_path / "in.jsonl"], rules, tmp_path / "out.jsonl", workers=5, unit_bytes=len(LINE))
    assert summary.events == bundles
    assert len(started) == most


def test_a_worker_that_is_gone_at_the_end_is_told(tmp_path: Path) -> None:
    class Closed:
        def send(self, message: object) -> None:
            raise BrokenPipeError

    class Ended:
        exitcode = -9

        def join(self, timeout: float) -> None: ...

    peer = workers._Peer(Ended(), Closed())  # type: ignore[arg-type]
    state: Any = workers._State(lambda: peer, 1, *[None] * 3)  # type: ignore[arg-type]
    with pytest.raises(workers.WorkerError, match="UT191"):
        workers._drive(iter(()), [peer], state)
