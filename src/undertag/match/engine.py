"""All loaded rules, planned entry by entry as entries turn up.

Contract: `Engine.match(batch)` gives every (row, rule number) that matches; the same whatever came before. A rule's
number is its index in `rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

from undertag.match.binding import Binding
from undertag.match.indexed.chances import Chances, Guesses
from undertag.match.indexed.gate import Gate
from undertag.match.indexed.memory import ANSWERS, EVENT_BYTES, Memory
from undertag.match.indexed.pending import Pending
from undertag.match.indexed.plan import Found, Plan
from undertag.match.outline import Outline, ids_of, keywords_of, outline_of
from undertag.model.batch import Batch
from undertag.model.entry import Entry
from undertag.model.expr import Expr
from undertag.model.rule import LogSource, Rule

LEARN_ROWS: Final = 100
"""Fewer events of an entry say less than guesses."""
MAX_PLANS: Final = 4096


class Engine:
    """Matches batches against a rule set.

    Attributes:
        rules: the rules, in the order of their numbers.
        bound: numbers of the rules that could be true in an entry seen so far: the ones evaluated in this run.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = list(rules)
        self.bound: set[int] = set()
        self._plans: dict[tuple[str | None, ...], Plan] = {}
        self._memory = Memory(ANSWERS)
        self._recall = Memory(EVENT_BYTES)
        self._outlines: dict[int, Outline] = {}
        self._guesses = Guesses()
        self.gate = _gate(rule for rule in self.rules if rule.logsource.product == "windows")
        self._by_source: dict[LogSource, dict[str | None, list[int]]] = {}
        for number, rule in enumerate(self.rules):
            by_id = self._by_source.setdefault(rule.logsource, {})
            ids = ids_of(rule)
            for event_id in (None,) if ids is None else ids:
                by_id.setdefault(event_id, []).append(number)

    def match(self, batch: Batch) -> dict[int, Found]:
        """What matches, by row of the batch."""
        return self.plan(batch.entry).match(batch)

    def learn(self, batches: Iterable[Batch]) -> None:
        """Plans anew, by what these events hold, the entries of which there are enough; changes speed alone."""
        by_plan: dict[tuple[str | None, ...], list[Batch]] = {}
        for batch in batches:
            by_plan.setdefault(_name(batch.entry), []).append(batch)
        for name, some in by_plan.items():
            if sum(map(len, some)) >= LEARN_ROWS:
                self._plans[name] = self.plan(some[0].entry).learn(some)

    def timeouts(self) -> Counter[str]:
        """Regular expressions that took too long, with the number of values on which they were broken off."""
        total: Counter[str] = Counter()
        for plan in self._plans.values():
            total.update(plan.timeouts.counts)
        return total

    def plan(self, entry: Entry) -> Plan:
        """The plan of an entry, made when it is first asked for."""
        name = _name(entry)
        plan = self._plans.get(name)
        if plan is None:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            plan = self._plans[name] = self._plan(entry)
        return plan

    def _plan(self, entry: Entry) -> Plan:
        bound: list[tuple[int, Expr | Pending]] = []
        twins: dict[int, list[int]] = {}
        event_id = entry.constants.get("EventID", "")
        for logsource, by_id in self._by_source.items():
            numbers = sorted([*by_id.get(None, ()), *by_id.get(event_id, ())])
            service = entry.serving(logsource) if numbers else None
            if service is None:
                continue
            binding = Binding(entry, service, self._guesses)
            bound += binding.bind(numbers, self.rules, self._outline)
            twins |= binding.twins
        bound.sort(key=itemgetter(0))
        self.bound.update([number for number, _ in bound], *twins.values())
        return Plan(
            bound,
            Chances(self._guesses),
            gated=self.gate.covered,
            twins=twins,
            memory=self._memory,
            recall=self._recall,
        )

    def _outline(self, number: int) -> Outline:
        found = self._outlines.get(number)
        if found is None:
            found = self._outlines[number] = outline_of(self.rules[number], self._guesses)
        return found


def _gate(rules: Iterable[Rule]) -> Gate:
    """A gate for the literals of keyword rules, those first that are for all entries, then those for a category of them."""
    found: dict[str, int] = {}
    for rule in rules:
        source = rule.logsource
        narrow = 1 if source.category is not None else 2 if source.service is not None else 0
        for text in keywords_of(rule):
            found[text] = min(narrow, found.get(text, narrow))
    literals = sorted(found, key=lambda text: (found[text], text))
    wide = sum(narrow == 0 for narrow in found.values())
    return Gate(literals[:wide], literals[wide:])


def _name(entry: Entry) -> tuple[str | None, ...]:
    """What tells plans apart: constants are folded into them."""
    return (entry.key, entry.shape, entry.constants.get("Channel"), entry.constants.get("Provider_Name"))
