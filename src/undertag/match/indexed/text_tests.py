"""Tests on texts as closures over a `FoldedEvent`; the pieces of which closures.py puts conditions together.

Contract: each says what match/patterns.py says of the same texts. Texts that are long, and tests that are dear, are asked
less often, never answered otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from undertag.match.indexed.folded import AS_IS, KEYWORDS_JOINED, FoldedEvent
from undertag.match.indexed.long_texts import LONG
from undertag.match.indexed.regex_literals import least_length, literal_groups
from undertag.model.expr import Test

Condition: TypeAlias = Callable[[FoldedEvent], bool]
MAX_GUARDS: Final = 4
"""Looking for more literals costs as much as asking the expression."""
_MEMO_SIZE: Final = 256
LONG_MATCH: Final = 32
"""An expression that matches no fewer characters than this is asked of texts that have as many alone."""


class Timeouts:
    """Regular expressions that took too long, by their pattern, with the number of values."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def note(self, test: Test, text: str) -> None:
        """Counts one value on which an expression was broken off."""
        self.counts[test.pattern] += 1


def any_keyword(patterns: list[str]) -> Condition:
    """Whether one of the patterns, none of which has a `BETWEEN`, is in one of the event's texts."""

    def ask(event: FoldedEvent) -> bool:
        text = event[KEYWORDS_JOINED]
        for pattern in patterns:  # noqa: SIM110
            if pattern in text:
                return True
        return False

    return ask


def any_of(name: str, op: str, patterns: list[str]) -> Condition:
    """Whether one of the patterns, tests of a plain kind, holds for a field's text."""
    if op == "contains":
        return _contains(name, patterns)
    if op == "eq":
        return _equals(name, frozenset(patterns))
    return _starts(name, tuple(patterns)) if op == "startswith" else _ends(name, tuple(patterns))


def _equals(name: str, wanted: frozenset[str]) -> Condition:
    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return text in wanted
        return text is not None and not wanted.isdisjoint(text)

    return ask


def _starts(name: str, edges: tuple[str, ...]) -> Condition:
    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return text.startswith(edges)
        return text is not None and any(part.startswith(edges) for part in text)

    return ask


def _ends(name: str, edges: tuple[str, ...]) -> Condition:
    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return text.endswith(edges)
        return text is not None and any(part.endswith(edges) for part in text)

    return ask


def _contains(name: str, patterns: list[str]) -> Condition:
    wanted = frozenset(patterns)
    if "" in wanted:
        return on_text(name, lambda text: True)
    if len(patterns) == 1:
        pattern = patterns[0]

        def one(event: FoldedEvent) -> bool:
            text = event[name]
            if text.__class__ is str:
                return pattern in text if len(text) < LONG else pattern in event.longs.found(name, text)
            return text is not None and any(pattern in part for part in text)

        return one

    def some(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            if len(text) >= LONG:
                return not wanted.isdisjoint(event.longs.found(name, text))
            for pattern in patterns:  # noqa: SIM110
                if pattern in text:
                    return True
            return False
        return text is not None and any(pattern in part for part in text for pattern in patterns)

    return some


def contains_all(name: str, patterns: list[str]) -> Condition:
    """Whether each of the patterns is in a field's text, or in one of its texts."""
    if len(patterns) == 1:
        return _contains(name, patterns)
    wanted = frozenset(patterns)

    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            if len(text) >= LONG:
                return wanted <= event.longs.found(name, text)
            for pattern in patterns:  # noqa: SIM110
                if pattern not in text:
                    return False
            return True
        return text is not None and all(any(pattern in part for part in text) for pattern in patterns)

    return ask


def on_text(name: str, holds: Callable[[str], Any]) -> Condition:
    """A test on the text of field `name` as a `FoldedEvent` knows it."""

    def ask(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            return bool(holds(text))
        return text is not None and any(holds(part) for part in text)

    return ask


def guarded(test: Test, name: str, holds: Callable[[str], bool]) -> Condition:
    """A regular expression behind a look for what it can't match without, a length or a literal, which costs a
    twentieth of it."""
    least = least_length(test.pattern, test.flags)
    ask = on_text(AS_IS + name, _not_short(holds, least) if least >= LONG_MATCH else holds)
    groups = [group for group in literal_groups(test.pattern, test.flags) if len(group) <= MAX_GUARDS]
    if not groups:
        return ask
    literals: frozenset[str] = min(groups, key=lambda group: (len(group), -min(map(len, group))))

    def ask_guarded(event: FoldedEvent) -> bool:
        text = event[name]
        if text.__class__ is str:
            for literal in literals:
                if literal in text:
                    return ask(event)
            return False
        return ask(event)

    return ask_guarded


def _not_short(holds: Callable[[str], bool], least: int) -> Callable[[str], bool]:
    """A test on text that is asked of no text too short for it; half a surrogate may stand for several characters."""
    return lambda text: (len(text) >= least or not text.isascii()) and holds(text)


def remembered(holds: Callable[[str], bool]) -> Callable[[str], bool]:
    """Dear tests are asked once a distinct value."""
    memo: dict[str, bool] = {}

    def ask(text: str) -> bool:
        found = memo.get(text)
        if found is None:
            if len(memo) >= _MEMO_SIZE:
                memo.clear()
            found = memo[text] = holds(text)
        return found

    return ask
