"""All rules that can be true in one entry, ready to match its batches: a filter in front, then the conditions.

Contract: `Plan.match(batch)` gives exactly the (row, rule) pairs that match/reference.py finds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from undertag.match.indexed.asked import Asked, Asking, Reason
from undertag.match.indexed.atoms import RAW, Group, Needs, needs_of
from undertag.match.indexed.chances import RARE, Chances
from undertag.match.indexed.closures import compile_condition
from undertag.match.indexed.columns import compile_column_tests
from undertag.match.indexed.filter import Filter
from undertag.match.indexed.folded import FoldedEvent
from undertag.match.indexed.long_texts import LongTexts
from undertag.match.indexed.memory import ANSWERS, EVENT_BYTES, Memory
from undertag.match.indexed.pending import Conditions, Pending
from undertag.match.indexed.recall import NOTHING_MET, Met, Recall
from undertag.match.indexed.sample import Sample
from undertag.match.indexed.text_tests import Timeouts
from undertag.model.batch import Batch
from undertag.model.expr import TRUE, Expr, field_names

_UNUSUAL: Final = re.compile(r"[\x00-\x1f\"\\.]")
"""What no plain field's name has: paths, and names that JSON would have to escape, are looked up one by one."""


class Found(NamedTuple):
    """The hits on one event."""

    asking: Asking
    row: int
    met: Met

    @property
    def event(self) -> FoldedEvent:
        """The event, to say the reasons that nobody said yet."""
        return self.asking.events[self.row]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the rules that it meets."""
        return self.met.numbers


class Plan:
    """The rules of one entry, ready to match its batches."""

    def __init__(
        self,
        rules: Sequence[tuple[int, Expr | Pending]],
        chances: Chances | None = None,
        needs: Mapping[int, Needs] | None = None,
        *,
        gated: frozenset[str] = frozenset(),
        twins: Mapping[int, Sequence[int]] | None = None,
        memory: Memory | None = None,
        recall: Memory | None = None,
    ) -> None:
        """`rules`: numbers, which come back in hits, and bound conditions. `needs`: those known already. `twins`: by the
        number of a rule those of all with its condition, itself among them; they match where it does. `memory`, `recall`:
        what bounds the rules' answers and the events remembered."""
        self._gated, self.rules, self._twins = gated, list(rules), twins or {}
        chances = chances or Chances()
        self._guesses = chances.guesses
        self.always = [number for number, expr in rules if expr == TRUE]
        self._exprs = Conditions(rules)
        self.timeouts = Timeouts()
        self._longs = LongTexts()
        self._memory = memory or Memory(ANSWERS)
        self._events = recall or Memory(EVENT_BYTES)
        self._recall: Recall | None = None
        self._askeds: dict[int, Asked] = {}
        self._needs = self._wanted(chances) if needs is None else dict(needs)
        self._names: tuple[str, ...] = ()
        self._chances = chances
        self._filter: Filter | None = None
        """Built when it is first wanted; a plan that is at once planned anew never needs one."""

    def _wanted(self, chances: Chances) -> dict[int, Needs]:
        """What each rule needs, as far as it is known without binding it."""
        return {
            number: rule.needs if isinstance(rule, Pending) else needs_of(rule, chances.group)
            for number, rule in self.rules
            if rule != TRUE
        }

    @property
    def filter(self) -> Filter:
        """What stands in front of the conditions."""
        if self._filter is None:
            self._filter = Filter(self._needs, self._chances, self._gated)
        return self._filter

    def match(self, batch: Batch) -> dict[int, Found]:
        """What matches, by row; rows without a match are left out."""
        recall = self._prepare(batch)
        asking = Asking(batch, self._longs)
        keys = recall.keys(batch)
        if keys is None:
            return {row: Found(asking, row, Met(hits)) for row, hits in self._hits(batch, asking)[0].items()}
        loud = self.filter.loud(batch)
        known, new, keys = recall.look(keys, loud)
        if new:
            part = batch.pick(new) if len(new) < len(keys) else batch
            hits, unsure = self._hits(part, Asking(part, self._longs))
            for at, row in enumerate(new):
                met = known[row] = Met(hits[at]) if at in hits else NOTHING_MET
                if row not in loud and at not in unsure:
                    recall.remember(keys[row], met)
        return {row: Found(asking, row, met) for row, met in enumerate(known) if met is not None and met.hits}

    def _hits(self, batch: Batch, asking: Asking) -> tuple[dict[int, list[tuple[int, Reason]]], set[int]]:
        """The hits by row, in the order of the rules' numbers; and the rows of which values alone can't tell."""
        left = self.filter.left(batch)
        for number in self.always:
            left[number] = list(range(len(batch)))
        by_rule: dict[int, list[tuple[int, Reason]]] = {}
        unsure: set[int] = set()
        for number, rows in left.items():
            asked = self._asked(number)
            if not asked.by_values:
                unsure.update(rows)
            met = asked.met(rows, asking)
            if met:
                by_rule.update(dict.fromkeys(self._twins.get(number, (number,)), met))
        hits: dict[int, list[tuple[int, Reason]]] = {}
        for number, met in sorted(by_rule.items()):
            for row, reason in met:
                if row in hits:
                    hits[row].append((number, reason))
                else:
                    hits[row] = [(number, reason)]
        return hits, unsure

    def _prepare(self, batch: Batch) -> Recall:
        """Decodes the fields of the records that scans and conditions ask for."""
        if self._recall is None:
            pending = self._exprs.pending.values()
            asked = set(self.filter.fields).union(
                *(rule.fields for rule in pending), *map(field_names, self._exprs.values())
            )
            asked.discard(RAW)
            names: set[str] = set()
            for name in asked:
                names.update(batch.entry.derivations[name].fields if name.startswith("~") else (name,))
            self._recall = Recall(sorted(names), self._events)
            self._names = tuple([name for name in sorted(names) if not _UNUSUAL.search(name)])
        batch.prepare(self._names)
        return self._recall

    def _asked(self, number: int) -> Asked:
        asked = self._askeds.get(number)
        if asked is None:
            expr = self._exprs[number]
            self._longs.add(expr)
            first = compile_column_tests(expr) if number in self.filter.often else None
            condition = compile_condition(expr, self.timeouts)
            asked = self._askeds[number] = Asked(expr, condition, first, self._memory)
        return asked

    def learn(self, batches: Sequence[Batch]) -> Plan:
        """The same rules planned anew by how often their atoms hold in `batches`."""
        sample = Sample(batches, self._guesses)
        sample.count(self._needs.values())
        chances = sample.chances()
        # A rule whose best group is rare by count stays as it is; the others look for a better one among all they have.
        common = [number for number, needs in self._needs.items() if chances.best(needs, RARE) is None]
        considered: set[Group] = set()

        def consider(group: Group) -> float:
            considered.add(group)
            return chances.group(group)

        for number in common:
            needs_of(self._exprs[number], consider)
        sample.count([Needs(tuple(considered), frozenset())])
        chances = sample.chances()
        needs = {number: needs_of(self._exprs[number], chances.group) for number in common}
        return Plan(
            self.rules,
            chances,
            self._needs | needs,
            gated=self._gated,
            twins=self._twins,
            memory=self._memory,
            recall=self._events,
        )
