"""An interrupt lets a step end, but not for long."""

from __future__ import annotations

import os
import signal
import time

import pytest

from undertag.pipeline import stop
from undertag.pipeline.stop import Stop


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_step_that_goes_on_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "GRACE_SECONDS", 0.05)
    with Stop() as asked:
        interrupt()
        assert asked.asked
        with pytest.raises(KeyboardInterrupt):
            time.sleep(5)


def test_what_is_left_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stop, "GRACE_SECONDS", 0.05)
    before = signal.getsignal(signal.SIGALRM)
    with Stop() as asked:
        interrupt()
        asked.settled()
        time.sleep(0.1)
    assert signal.getsignal(signal.SIGALRM) is before
