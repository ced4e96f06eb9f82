"""One rule, asked of the events that the filter leaves it: once for each set of values that it looks at.

Contract: `Asked.met(rows, asking)` gives those of `rows` that meet the rule. What is remembered is bounded over all
rules together (`Memory`) and never changes an answer: no two values that Python takes for equal (1 and True) stand for
each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from undertag.match.bind import has_keywords
from undertag.match.indexed.columns import Columns, ColumnTest, compile_screen
from undertag.match.indexed.evidence import Evidence, Fact, compile_evidence
from undertag.match.indexed.folded import FoldedEvent
from undertag.match.indexed.long_texts import LongTexts
from undertag.match.indexed.memory import Kept, Memory, Trial
from undertag.match.indexed.text_tests import Condition
from undertag.model.batch import Batch
from undertag.model.expr import Expr, Not, Test, field_names

MAX_CHARS: Final = 512
"""A longer value hardly comes again, and a memo of such would be large."""
SELDOM: Final = 128
"""A rule that was asked of fewer events remembers nothing yet: remembering takes longer than asking anew."""
FEW_ROWS: Final = 4
"""Fewer events are asked one by one."""


class Asking:
    """The events that rules are asked of, by row, and the joined texts of some; each is made when it is first wanted."""

    __slots__ = ("_columns", "batch", "events")

    def __init__(self, batch: Batch, longs: LongTexts) -> None:
        self.batch = batch
        self.events: Mapping[int, FoldedEvent] = _Events(batch, longs)
        self._columns: dict[tuple[int, ...], Columns] = {}

    def columns(self, rows: tuple[int, ...]) -> Columns:
        """The texts of these rows together."""
        found = self._columns.get(rows)
        if found is None:
            found = self._columns[rows] = Columns(self.batch, rows)
        return found


class _Events(dict[int, FoldedEvent]):
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
    """One rule of a plan.

    Attributes:
        by_values: whether the values of its fields decide it.
    """

    __slots__ = (
        "_condition",
        "_evidence",
        "_expr",
        "_first",
        "_kept",
        "_names",
        "_numbers",
        "_screen",
        "_trial",
        "by_values",
    )

    def __init__(self, expr: Expr, condition: Condition, first: ColumnTest | None, memory: Memory) -> None:
        """`condition`: `expr`, compiled; `first`: asked of several events together, before each is asked."""
        self._expr = expr
        self._condition = condition
        self._first = first
        self._screen = compile_screen(expr)
        self._kept: Kept[tuple[Any, ...], Reason | None] = Kept(memory)
        self.by_values = _by_values(expr)
        self._names = tuple(sorted(field_names(expr)))
        self._evidence: Evidence | None = None
        self._trial = Trial(rest=SELDOM)
        self._numbers = False

    def met(self, rows: Sequence[int], asking: Asking) -> list[tuple[int, Reason]]:
        """The rows that meet the rule, and why."""
        if self._screen is not None:
            rows = self._screen(rows, asking.batch)
            if not rows:
                return []
        if not self.by_values or self._trial.rests(len(rows)):
            condition = self._condition
            if not self._may_be(rows, asking):
                return []
            return [(row, self._reason()) for row in rows if condition(asking.events[row])]
        if not self._names:
            return self._all_or_none(rows, asking)
        columns = [asking.batch.column(name) for name in self._names]
        keys = zip(*[map(column.__getitem__, rows) for column in columns], strict=True)
        memo, numbers = self._kept.new, self._numbers
        found, new = [], []
        for row, key in zip(rows, keys, strict=True):
            try:
                reason = memo[key]
            except (KeyError, TypeError):  # TypeError: arrays and objects are no keys
                new.append((row, key))
                continue
            if numbers and not _is_key(key):
                new.append((row, key))
                continue
            if reason is not None:
                found.append((row, reason))
        if self._trial.pays(len(rows), len(new)) is False:
            self._kept.clear()
        return found + self._ask(new, asking) if new else found

    def _may_be(self, rows: Sequence[int], asking: Asking) -> bool:
        """Whether one of the rows may meet the rule, told from all of them together."""
        if self._first is None or len(rows) < FEW_ROWS:
            return True
        return self._first(asking.columns(tuple(rows)))

    def _all_or_none(self, rows: Sequence[int], asking: Asking) -> list[tuple[int, Reason]]:
        """A rule that looks at no field is true for every event of the entry, or for none."""
        if () not in self._kept.new:
            self._kept.put((), self._reason() if self._condition(asking.events[rows[0]]) else None)
        reason = self._kept.new[()]
        return [(row, reason) for row in rows] if reason is not None else []

    def _reason(self) -> Reason:
        if self._evidence is None:
            self._evidence = compile_evidence(self._expr)
        return Reason(self._evidence)

    def _ask(self, new: list[tuple[int, tuple[Any, ...]]], asking: Asking) -> list[tuple[int, Reason]]:
        """The same for rows with values not met before; these are remembered."""
        condition, kept = self._condition, self._kept
        may_be = self._may_be([row for row, _ in new], asking)
        found = []
        for row, key in new:
            is_key = _is_key(key)
            if is_key and key in kept.new:  # met a moment ago
                reason = kept.new[key]
            else:
                if is_key and key in kept.old:
                    reason = kept.old[key]
                else:
                    reason = self._reason() if may_be and condition(asking.events[row]) else None
                if is_key:
                    kept.put(key, reason)
                    self._numbers = self._numbers or int in map(type, key)
            if reason is not None:
                found.append((row, reason))
        return found


def _is_key(values: tuple[Any, ...]) -> bool:
    """Whether an answer may be remembered by these values: True and 1.0 are not to be taken for 1."""
    for value in values:
        if value.__class__ is str:
            if len(value) > MAX_CHARS:
                return False
        elif value is not None and value.__class__ is not int:
            return False
    return True


def _by_values(expr: Expr) -> bool:
    """Whether the values of its fields decide the condition: keywords look at everything, `exists` at absent and null."""
    return not has_keywords(expr) and not _asks_exists(expr)


def _asks_exists(expr: Expr) -> bool:
    if isinstance(expr, Test):
        return expr.op == "exists"
    if isinstance(expr, Not):
        return _asks_exists(expr.arg)
    return any(map(_asks_exists, expr.args))
