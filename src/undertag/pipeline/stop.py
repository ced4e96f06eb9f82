"""Ctrl-C in the right moment: a run ends between two steps, never in the middle of one.

Contract: inside `with Stop() as stop`, a first interrupt only sets `stop.asked`, so that whoever is at work ends
cleanly; while waiting for input (`with stop.waiting()`) it is a `KeyboardInterrupt` at once, and so is a second one
anywhere, or `GRACE_SECONDS` gone by until `stop.settled()`. Outside the main thread, where Python tells of no signals, nothing changes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

GRACE_SECONDS: Final = 3.0
"""So long a step may go on after an interrupt."""
_TIMED: Final = hasattr(signal, "setitimer")
"""Whether the system has timers that tell when that is over."""


class Stop:
    """Whether somebody asked the run to stop."""

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False
        self._before: Any = None
        self._alarm: Any = None
        self._held = False

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
            if _TIMED:
                self._alarm = signal.signal(signal.SIGALRM, self._insist)
            self._held = True
        return self

    def __exit__(self, *error: object) -> None:
        if self._held:
            self.settled()
            signal.signal(signal.SIGINT, self._before)
            if _TIMED:
                signal.signal(signal.SIGALRM, self._alarm)
            self._held = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """What is done inside may be broken off at any point."""
        self._waiting = True
        try:
            if self.asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._waiting = False

    def settled(self) -> None:
        """What is left, such as closing the output, takes the time that it takes."""
        if self._held and _TIMED:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if again or self._waiting:
            raise KeyboardInterrupt
        if _TIMED:
            signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)

    def _insist(self, number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt
