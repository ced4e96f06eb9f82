"""Whole events that are met again: what matches them is known by the values of all fields that the plan's rules look at.

Contract: an answer is remembered only where these values decide it, and stands for no other values: arrays are told from
texts, numbers from booleans.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final, TypeAlias

from undertag.match.indexed.asked import Reason
from undertag.match.indexed.memory import Kept, Memory, Trial
from undertag.model.batch import Batch

MAX_BYTES: Final = 4_096
"""An event that takes more than this hardly comes again."""
_EACH: Final = 56
"""Bytes that a value takes beside its characters, about; an event takes as much as four."""
_NOTHING: Final = type(None)


class Met:
    """The rules that an event meets, in the order of their numbers, and why; the same object where all is the same.

    Attributes:
        told: what whoever writes hits has made of it, to be made once; None until then.
    """

    __slots__ = ("hits", "told")

    def __init__(self, hits: list[tuple[int, Reason]]) -> None:
        self.hits = hits
        self.told: Any = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the rules."""
        return tuple([number for number, _ in self.hits])


NOTHING_MET: Final = Met([])
Key: TypeAlias = tuple[Any, ...]


class Recall:
    """What one plan remembers of events."""

    __slots__ = ("_kept", "_kinds", "_names", "_seen", "_trial")

    def __init__(self, names: Iterable[str], memory: Memory) -> None:
        """`names`: all fields that the plan's rules look at."""
        self._names = tuple(names)
        self._kept: Kept[Key, Met] = Kept(memory)
        self._kinds: dict[int, type] = {}
        """What the values that are no texts are, by their place in the key."""
        self._trial = Trial()
        self._seen: set[int] | None = set()
        """The events seen while it is tried whether remembering pays, by their hashes; nothing is remembered then."""

    def keys(self, batch: Batch) -> list[Key] | None:
        """What to look the batch's events up by; None where that doesn't pay now."""
        if batch.loud is None or self._trial.rests(len(batch)):
            return None
        keys = batch.keys(self._names)
        if self._seen is not None:
            self._try(keys, self._seen)
            return None
        for place, kind in self._kinds.items():
            if not {kind, str, _NOTHING}.issuperset(map(type, map(itemgetter(place), keys))):
                return None
        return keys

    def _try(self, keys: list[Key], seen: set[int]) -> None:
        try:
            hashes = set(map(hash, keys))
        except TypeError:  # arrays or objects among the values
            hashes = set(map(hash, map(_hashable, keys)))
        pays = self._trial.pays(len(keys), len(hashes - seen))
        seen |= hashes
        if pays is not None:
            self._seen = None if pays else set()

    def look(self, keys: list[Key], loud: frozenset[int]) -> tuple[list[Met | None], list[int], list[Key]]:
        """What is known of each event, the rows of those of which nothing is, and what they are remembered by; of the
        loud nothing is known."""
        try:
            found = list(map(self._kept.new.get, keys))
        except TypeError:  # arrays or objects among the values
            keys = list(map(_hashable, keys))
            found = list(map(self._kept.new.get, keys))
        for row in loud:
            found[row] = None
        new = [row for row, met in enumerate(found) if met is None] if None in found else []
        if new and self._kept.old:
            for row in new:
                if row not in loud:
                    found[row] = self._once_known(keys[row])
            new = [row for row in new if found[row] is None]
        if self._trial.pays(len(keys), len({keys[row] for row in new})) is False:
            self._kept.clear()
            self._seen = set()
        return found, new, keys

    def _once_known(self, key: Key) -> Met | None:
        met = self._kept.old.get(key)
        if met is not None:
            self.remember(key, met)
        return met

    def remember(self, key: Key, met: Met) -> None:
        """That these rules are what the event meets, if it may be remembered."""
        size = _EACH * (4 + len(key))
        for place, value in enumerate(key):
            kind = value.__class__
            if kind is str:
                size += len(value)
            elif kind is int or kind is bool:
                if self._kinds.setdefault(place, kind) is not kind:
                    return
            elif kind is tuple:
                if value and value[0] is _ODD:
                    return
                size += sum(map(len, value))
            elif value is not None:
                return
        if size <= MAX_BYTES:
            self._kept.put(key, met, size)


_ODD: Final = object()


def _hashable(key: Key) -> Key:
    """The same with arrays of texts as tuples; any other array or object makes the event one of its kind."""
    return tuple([_frozen(value) if value.__class__ in (list, dict) else value for value in key])


def _frozen(value: Any) -> tuple[Any, ...]:
    if value.__class__ is list and all(item.__class__ is str for item in value):
        return tuple(value)
    return (_ODD, object())
