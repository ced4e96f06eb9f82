"""All loaded rules, planned entry by entry as entries turn up.

Contract: `Engine.match(batch)` gives every (row, rule number) that matches; the same whatever came before. A rule's
number is its index in `rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from undertag.match.bind import bind, event_ids, names_any
from undertag.match.indexed.asked import Memory
from undertag.match.indexed.atoms import RAW, needs_of
from undertag.match.indexed.gate import Gate
from undertag.match.indexed.plan import Found, Plan
from undertag.model.batch import Batch
from undertag.model.entry import Entry
from undertag.model.expr import FALSE
from undertag.model.rule import LogSource, Rule

LEARN_ROWS: Final = 100
"""Fewer events of an entry say less than guesses."""
MAX_PLANS: Final = 4096
_KEYWORD: Final = frozenset({None})
"""The field that keywords have."""


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
        self._memory = Memory()
        self._event_ids = [event_ids(rule.condition) for rule in self.rules]
        self.gate = Gate(_keywords(rule for rule in self.rules if rule.logsource.product == "windows"))
        self._by_source: dict[LogSource, list[int]] = {}
        for number, rule in enumerate(self.rules):
            self._by_source.setdefault(rule.logsource, []).append(number)

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
        bound = []
        event_id = entry.constants.get("EventID", "")
        for logsource, numbers in self._by_source.items():
            if entry.serving(logsource) is None:
                continue
            for number in numbers:
                ids = self._event_ids[number]
                if ids is not None and event_id not in ids:
                    continue
                condition = bind(self.rules[number], entry)
                if condition != FALSE:
                    bound.append((number, condition))
        bound.sort(key=lambda pair: pair[0])
        self.bound.update(number for number, _ in bound)
        return Plan(bound, gated=self.gate.covered, memory=self._memory)


def _keywords(rules: Iterable[Rule]) -> list[str]:
    """The literals of keyword rules, those first that are for all entries, then those for a category of them."""
    found: dict[str, int] = {}
    for rule in rules:
        if not names_any(rule.condition, _KEYWORD):
            continue
        source = rule.logsource
        narrow = 1 if source.category is not None else 2 if source.service is not None else 0
        for group in needs_of(rule.condition, len).groups:
            for atom in group:
                if atom.field == RAW:
                    found[atom.text] = min(narrow, found.get(atom.text, narrow))
    return sorted(found, key=lambda text: (found[text], text))


def _name(entry: Entry) -> tuple[str | None, ...]:
    """What tells plans apart: constants are folded into them."""
    return (entry.key, entry.shape, entry.constants.get("Channel"), entry.constants.get("Provider_Name"))
