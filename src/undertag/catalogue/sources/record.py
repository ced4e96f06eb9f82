"""An entry as the catalogue answers it: every attribute with where it comes from.

Contract: nothing is guessed and nothing is merged without a trace. Each fact says its `origin`: `own` (written for this
entry), `inherited` (of the file of its channel, service or product), `table` (a row of a derived table), `computed` (follows from
other facts: the commands of its prerequisites). A curated entry that a derived table also has keeps its own facts; the
table's are added where it says nothing, and under `versions` and the like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Tier = Literal["curated", "derived"]
Origin = Literal["own", "inherited", "table", "computed"]

UNKNOWN: Final = "unknown"
ATTRIBUTES: Final = (
    "platform",
    "product",
    "provider",
    "channel",
    "event",
    "filter",
    "path",
    "delivery",
    "form",
    "category",
    "outcome",
    "fidelity",
    "fields",
    "reads",
    "versions",
    "default",
    "needs",
    "enable",
    "undo",
    "volume",
    "cost",
    "difficulty",
    "attack",
    "relations",
    "sigma",
    "notes",
)
"""The attributes that any entry may have, in the order in which they are shown; tables may add others."""
_ORDER: Final = {name: number for number, name in enumerate(ATTRIBUTES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One attribute's value (plain JSON values), where it comes from, and the ids of the sources that vouch for it."""

    value: Any
    origin: Origin
    sources: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it says something."""
        if isinstance(self.value, list):
            return any(not isinstance(v, dict) or v.get("state") != UNKNOWN for v in self.value)
        if isinstance(self.value, dict):
            return bool(self.value) and UNKNOWN not in (self.value.get("hit"), self.value.get("level"))
        return self.value not in (None, "", UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One entry of the catalogue.

    Attributes:
        file: the data file that it stands in; with `table`, the derived table that adds to it.
        facts: by attribute; what isn't there, the catalogue doesn't say.
        documents: the sources that its files name: id → {kind, title}.
    """

    key: str
    tier: Tier
    title: str
    file: str
    table: str
    facts: Mapping[str, Fact]
    documents: Mapping[str, Mapping[str, str]]

    def value(self, name: str, missing: Any = None) -> Any:
        """An attribute's value, or `missing` where the catalogue doesn't say."""
        fact = self.facts.get(name)
        return missing if fact is None else fact.value

    @property
    def platform(self) -> str:
        """The platform, which is also the key's first part."""
        return self.key.partition("/")[0]

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the event's fields; empty where unknown."""
        value = self.value("fields")
        return tuple(value) if isinstance(value, list) else ()

    @property
    def difficulty(self) -> str:
        """How hard it is to obtain."""
        return str(self.value("difficulty", UNKNOWN))

    def inherited(self) -> tuple[str, ...]:
        """The attributes that are not its own."""
        return tuple(name for name, fact in self.facts.items() if fact.origin == "inherited")

    def to_json(self) -> dict[str, Any]:
        """Plain values: the attributes, then `origins` and `fact_sources` by attribute, then the `documents` they cite."""
        facts = {name: self.facts[name] for name in sorted(self.facts, key=_place)}
        cited = {source for fact in facts.values() for source in fact.sources}
        found: dict[str, Any] = {"key": self.key, "tier": self.tier, "title": self.title}
        found.update((name, fact.value) for name, fact in facts.items())
        found["origins"] = {name: fact.origin for name, fact in facts.items()}
        found["fact_sources"] = {name: list(fact.sources) for name, fact in facts.items() if fact.sources}
        found["documents"] = {name: dict(text) for name, text in self.documents.items() if name in cited}
        found["file"] = self.file
        if self.table:
            found["table"] = self.table
        return found


def _place(name: str) -> int:
    return _ORDER.get(name, len(_ORDER))
