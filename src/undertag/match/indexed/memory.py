"""What is remembered to save asking again: how much, for how long, and whether it pays.

Contract: these decide speed and memory alone, never an answer.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, Generic, TypeVar
from weakref import WeakSet

ANSWERS: Final = 16_384
"""Answers remembered by all rules together before the older ones are forgotten."""
EVENT_BYTES: Final = 4_000_000
"""The same for what events take that all plans together remember, about."""
TRIALS: Final = (256, 1_024, 4_096)
"""Events after which it is seen whether remembering pays; at a log's beginning all is new, so a later trial is longer."""
PAUSE: Final = 8
MAX_PAUSE: Final = 64
"""After a trial that failed, so many times as many events go by before the next, and each time twice as many."""
WORTH: Final = 0.7
"""Remembering pays where fewer of the events than this are new."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory:
    """Counts what several remember together, and lets them forget the older when it is too much."""

    def __init__(self, limit: int) -> None:
        """`limit`: how much is remembered before; twice as much is kept at most."""
        self._limit = self._left = limit
        self._kept: WeakSet[Kept[Any, Any]] = WeakSet()

    def join(self, kept: Kept[Any, Any]) -> None:
        """Takes in what one remembers, as long as there is one."""
        self._kept.add(kept)

    def spend(self, size: int = 1) -> None:
        """To be called before something is remembered."""
        self._left -= size
        if self._left < 0:
            for kept in self._kept:
                kept.age()
            self._left = self._limit


class Kept(Generic[K, V]):
    """What one of those that share a memory remembers.

    Attributes:
        new: what was remembered or asked for of late; another dictionary after the next `put`.
        old: what is forgotten next, unless it is put again.
    """

    __slots__ = ("__weakref__", "_memory", "new", "old")

    def __init__(self, memory: Memory) -> None:
        self.new: dict[K, V] = {}
        self.old: dict[K, V] = {}
        self._memory = memory
        memory.join(self)

    def put(self, key: K, value: V, size: int = 1) -> None:
        """Remembers a value."""
        self._memory.spend(size)
        self.new[key] = value

    def age(self) -> None:
        """Forgets what wasn't put since this was called before."""
        self.old, self.new = self.new, {}

    def clear(self) -> None:
        """Forgets everything."""
        self.old, self.new = {}, {}


class Trial:
    """Whether remembering pays for one that remembers."""

    __slots__ = ("_asked", "_new", "_pause", "_stage", "_times")

    def __init__(self, rest: int = 0) -> None:
        """`rest`: events to go by first."""
        self._asked = self._new = self._stage = 0
        self._pause = rest
        self._times = PAUSE

    def rests(self, events: int) -> bool:
        """Whether these events are to go by without a look at what is remembered."""
        if self._pause <= 0:
            return False
        self._pause -= events
        return True

    def pays(self, asked: int, new: int) -> bool | None:
        """Counts events, and those that were new; None as long as too few were seen to tell. Where it doesn't, it rests."""
        self._asked += asked
        self._new += new
        events = TRIALS[self._stage]
        if self._asked < events:
            return None
        paid = self._new <= self._asked * WORTH
        if not paid:
            self._pause = events * self._times
            self._times = min(2 * self._times, MAX_PAUSE)
            self._stage = min(self._stage + 1, len(TRIALS) - 1)
        self._asked = self._new = 0
        return paid
