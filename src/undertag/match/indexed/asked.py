"""One rule, asked of the events that the filter leaves it: once for each set of values that it looks at.

Contract: `Asked.met(batch, rows, events)` gives those of `rows` that meet the rule. What is remembered is bounded over all
rules together (`Memory`) and never changes an answer: only texts and absent fields are keys, so that no two values
that Python takes for equal stand for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from undertag.match.bind import names_any
from undertag.match.indexed.evidence import Evidence, Fact, compile_evidence
from undertag.match.indexed.folded import FoldedEvent
from undertag.match.indexed.long_texts import LongTexts
from undertag.match.indexed.text_tests import Condition
from undertag.model.batch import Batch
from undertag.model.expr import Expr, Not, Test, field_names

MAX_ANSWERS: Final = 32_768
"""Answers remembered by all rules together."""
MAX_CHARS: Final = 512
"""A longer value hardly comes again, and a memo of such would be large."""
_KEYWORDS: Final = frozenset({None})
_SHARE: Final = 8
"""A rule that is left in fewer than one of so many events looks at their values alone, not at whole columns."""


class Memory:
    """Counts what all rules remember, and lets them forget it when it is too much."""

    def __init__(self) -> None:
        self._memos: list[dict[Any, Any]] = []
        self._left = MAX_ANSWERS

    def memo(self) -> dict[Any, Any]:
        """A new memo."""
        memo: dict[Any, Any] = {}
        self._memos.append(memo)
        return memo

    def spend(self) -> None:
        """To be called before an answer is remembered."""
        self._left -= 1
        if self._left < 0:
            for memo in self._memos:
                memo.clear()
            self._left = MAX_ANSWERS


class Events(dict[int, FoldedEvent]):
    """The events of a batch by row, each made when a condition asks for it."""

    __slots__ = ("_batch", "_longs")

    def __init__(self, batch: Batch, longs: LongTexts) -> None:
        super().__init__()
        self._batch = batch
        self._longs = longs

    def __missing__(self, row: int) -> FoldedEvent:
        event = self[row] = FoldedEvent(self._batch, row, self._longs)
        return event


class Reason:
    """Why a rule matches: the same for all events with the same values.

    Attributes:
        said: the evidence as whoever writes it has written it, to be written once; None until then.
    """

    __slots__ = ("_evidence", "said")

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self.said: bytes | None = None

    def facts(self, event: FoldedEvent) -> list[Fact]:
        """The tests that made the rule true for the event."""
        return self._evidence(event) or []


class Asked:
    """One rule of a plan."""

    __slots__ = ("_condition", "_evidence", "_expr", "_memo", "_memory", "_names")

    def __init__(self, expr: Expr, condition: Condition, memory: Memory) -> None:
        """`condition`: `expr`, compiled."""
        self._expr = expr
        self._condition = condition
        self._memory = memory
        self._memo = memory.memo()
        self._names = tuple(sorted(field_names(expr))) if _by_values(expr) else None
        self._evidence: Evidence | None = None

    def met(self, batch: Batch, rows: Sequence[int], events: Events) -> list[tuple[int, Reason]]:
        """The rows that meet the rule, and why."""
        names, condition = self._names, self._condition
        if not names:
            return [(row, self.reason()) for row in rows if condition(events[row])]
        keys: Iterable[tuple[Any, ...]]
        if len(rows) * _SHARE < len(batch):
            keys = [tuple([batch.value(row, name) for name in names]) for row in rows]
        else:
            columns = [batch.column(name) for name in names]
            keys = zip(*[map(column.__getitem__, rows) for column in columns], strict=True)
        memo = self._memo
        found = []
        for row, key in zip(rows, keys, strict=True):
            try:
                reason = memo[key]
            except (KeyError, TypeError):  # TypeError: arrays and objects are no keys
                reason = self._ask(key, events[row])
            if reason is not None:
                found.append((row, reason))
        return found

    def reason(self) -> Reason:
        """Why the rule matches an event with values not met before."""
        if self._evidence is None:
            self._evidence = compile_evidence(self._expr)
        return Reason(self._evidence)

    def _ask(self, key: tuple[Any, ...], event: FoldedEvent) -> Reason | None:
        reason = self.reason() if self._condition(event) else None
        for value in key:
            if value.__class__ is str:
                if len(value) > MAX_CHARS:
                    return reason
            elif value is not None:
                return reason
        self._memory.spend()
        self._memo[key] = reason
        return reason


def _by_values(expr: Expr) -> bool:
    """Whether the values of its fields decide the condition: keywords look at everything, `exists` at absent and null."""
    return not names_any(expr, _KEYWORDS) and not _asks_exists(expr)


def _asks_exists(expr: Expr) -> bool:
    if isinstance(expr, Test):
        return expr.op == "exists"
    if isinstance(expr, Not):
        return _asks_exists(expr.arg)
    return any(map(_asks_exists, expr.args))
