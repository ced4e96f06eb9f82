"""Which entries events are really of: counts, systems, first and last time, fields; drafts for what no catalogue knows.

Contract: every event counts once. An event is catalogued if its key is in the catalogue; else its key is a proposal,
and a draft in the form
of a curated file is made for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from undertag.model.problem import Problem

if TYPE_CHECKING:
    from undertag.catalogue.sources.lookup import Catalogue
    from undertag.model.batch import Batch

MAX_FIELDS: Final = 400
MAX_SYSTEMS: Final = 100_000
KEPT_PROBLEMS: Final = 1_000
SAMPLED: Final = 64
"""Events of a batch that are looked at for the names of their fields, once the entry is known."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen of one entry."""

    constants: Mapping[str, str]
    events: int = 0
    systems: set[str] = field(default_factory=set)
    first: str | None = None
    last: str | None = None
    fields: dict[str, int] = field(default_factory=dict)
    looked_at: int = 0

    def add(self, batch: Batch) -> None:
        """Counts a batch."""
        self.events += len(batch)
        if len(self.systems) < MAX_SYSTEMS:
            self.systems.update(system for system in batch.systems if system)
        times = [time for time in batch.times if time]
        if times:
            first, last = min(times), max(times)
            self.first = min(self.first or first, first)
            self.last = max(self.last or last, last)
        for fields in batch.fields[:SAMPLED]:
            self.looked_at += 1
            for name, value in fields.items():
                if value is not None and (name in self.fields or len(self.fields) < MAX_FIELDS):
                    self.fields[name] = self.fields.get(name, 0) + 1

    def rate(self) -> float | None:
        """Events a system and day, where they span at least a day."""
        if self.first is None or self.last is None or not self.systems:
            return None
        span = datetime.fromisoformat(self.last) - datetime.fromisoformat(self.first)
        days = span.total_seconds() / 86_400
        return round(self.events / len(self.systems) / days, 3) if days >= 1 else None


@dataclass(slots=True, kw_only=True)
class Survey:
    """What was seen of all entries."""

    known: set[str] = field(default_factory=set)
    seen: dict[str, Seen] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    unreadable: bool = False

    def tell(self, problems: Sequence[Problem]) -> None:
        """Keeps the first problems and counts all."""
        self.problem_count += len(problems)
        self.problems.extend(problems[: max(0, KEPT_PROBLEMS - len(self.problems))])

    def to_json(self) -> dict[str, Any]:
        """The keys of the command's contract."""
        ranked = sorted(self.seen.items(), key=lambda item: (-item[1].events, item[0]))
        catalogued = sum(seen.events for key, seen in ranked if key in self.known)
        events = sum(seen.events for _, seen in ranked)
        return {
            "events": events,
            "catalogued": catalogued,
            "uncatalogued": events - catalogued,
            "entries": {
                key: {
                    "events": seen.events,
                    "systems": len(seen.systems),
                    "first": seen.first,
                    "last": seen.last,
                    "fields": sorted(seen.fields),
                    "per_system_day": seen.rate(),
                    "catalogued": key in self.known,
                }
                for key, seen in ranked
            },
            "drafts": [draft(key, seen) for key, seen in ranked if key not in self.known],
            "problems": self.problem_count,
        }


def survey(inputs: Sequence[str], catalogue: Catalogue) -> Survey:
    """Reads all events of the inputs."""
    from undertag.catalogue.other import other_router
    from undertag.catalogue.windows import windows_router
    from undertag.read import records, units
    from undertag.read.normalise.normaliser import Normaliser

    normaliser = Normaliser(windows_router(), other_router())
    found = Survey()
    reading: list[Problem] = []
    for unit in units(inputs, problems=reading):
        result = normaliser.normalise(unit, records(unit))
        found.tell(result.problems)
        for batch in result.batches:
            key = batch.entry.key
            seen = found.seen.get(key)
            if seen is None:
                seen = found.seen[key] = Seen(constants=batch.entry.constants)
                if key in catalogue:
                    found.known.add(key)
            seen.add(batch)
    found.tell(reading)
    found.unreadable = bool(reading) and not found.seen
    return found


def draft(key: str, seen: Seen) -> dict[str, Any]:
    """A draft entry, with what the events themselves say and `unknown` for the rest."""
    prefix, _, name = key.rpartition("/")
    platform = key.partition("/")[0]
    defaults: dict[str, Any] = {"prefix": prefix, "platform": platform, "product": "unknown"}
    for field_name, attribute in (("Provider_Name", "provider"), ("Channel", "channel")):
        if field_name in seen.constants:
            defaults[attribute] = seen.constants[field_name]
    defaults.update(
        default="unknown", volume="unknown", cost="unknown", difficulty="unknown", sources=["seen"]
    )
    return {
        "key": key,
        "events": seen.events,
        "defaults": defaults,
        "sources": {"seen": {"kind": "corpus", "title": f"{seen.events} events read by `sources from`"}},
        "entries": {name: {"title": f"Event {name}", "fields": sorted(seen.fields)}},
    }
