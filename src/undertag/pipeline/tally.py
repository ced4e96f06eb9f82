"""What a run counted. Tallies of workers are added up; adding is order-free, so their number never shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from undertag.model.problem import Problem
from undertag.read import is_unread

MAX_SYSTEMS: Final = 1_000_000
MAX_PROBLEMS_KEPT: Final = 100_000


@dataclass(slots=True)
class Tally:
    """Counts of one worker or of a whole run. `groups`: how many events each set of rules (by number) matched."""

    events: int = 0
    tagged: int = 0
    entries: Counter[str] = field(default_factory=Counter)
    uncatalogued: int = 0
    systems: set[str] = field(default_factory=set)
    groups: Counter[tuple[int, ...]] = field(default_factory=Counter)
    named: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=Counter)
    """How many events signature names gave these (tags, techniques), those of rules left out."""
    bound: set[int] = field(default_factory=set)
    timeouts: Counter[str] = field(default_factory=Counter)
    """Regular expressions that took too long, and how often."""
    problems: list[Problem] = field(default_factory=list)
    """As many as there is room for."""
    problem_codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(code, severity) of all, kept or not."""
    unread: int = 0
    """Sources that were not read, or not to their end."""

    @property
    def problem_count(self) -> int:
        """How many problems there were."""
        return self.problem_codes.total()

    def add(self, other: Tally) -> None:
        """Adds another tally."""
        self.events += other.events
        self.tagged += other.tagged
        self.entries.update(other.entries)
        self.uncatalogued += other.uncatalogued
        if len(self.systems) < MAX_SYSTEMS:
            self.systems |= other.systems
        self.groups.update(other.groups)
        self.named.update(other.named)
        self.bound |= other.bound
        self.timeouts.update(other.timeouts)
        self.problem_codes.update(other.problem_codes)
        self.unread += other.unread
        self._keep(other.problems)

    def tell(self, problems: Sequence[Problem]) -> None:
        """Counts problems and keeps as many as there is room for."""
        self.problem_codes.update([(problem.code, problem.severity) for problem in problems])
        self.unread += sum(map(is_unread, problems))
        self._keep(problems)

    def _keep(self, problems: Sequence[Problem]) -> None:
        self.problems.extend(problems[: max(0, MAX_PROBLEMS_KEPT - len(self.problems))])
