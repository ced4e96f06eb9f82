"""What the catalogue holds, in numbers: the figures of `sources check`.

Contract: counts are integers, shares from 0 to 1. An attribute is known where an entry says something other than `unknown` of it,
be it inherited; the kind of source is that of the first document that vouches for it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from undertag.catalogue.sources.building import Compiled
from undertag.catalogue.sources.record import SourceEntry
from undertag.catalogue.sources.sigma import fits, parse

MEASURED: Final = (
    "fields",
    "versions",
    "default",
    "needs",
    "volume",
    "cost",
    "difficulty",
    "attack",
    "sigma",
    "relations",
    "notes",
)
BOOK: Final = ("form", "fields", "default", "fidelity", "outcome", "delivery")
"""What every type of anti-virus event should say."""


def figures(compiled: Compiled) -> dict[str, Any]:
    """The figures as plain values."""
    entries = compiled.entries
    curated = [entry for entry in entries if entry.tier == "curated"]
    served = {
        number
        for serving in compiled.sigma["servings"]
        for first, end in serving["ranges"]
        for number in range(first, end)
    }
    with_sigma = {entry.key for number, entry in enumerate(entries) if number in served}
    return {
        "entries": len(entries),
        "curated": len(curated),
        "derived": len(entries) - len(curated),
        "by_platform": _by_platform(entries),
        "curated_by_platform": _by_platform(curated),
        "channels": _channels(entries),
        "curated_channels": _channels(curated),
        "prerequisites": sum(1 for _ in compiled.parts.prerequisites.entries()),
        "relations": sum(len(entry.value("relations") or ()) for entry in entries),
        "umbrellas": {
            "resolved": sum(bool(one["ranges"]) for one in compiled.umbrellas.values()),
            "total": len(compiled.umbrellas),
            "data_sources": _resolved(compiled, "data-source"),
            "platforms": _resolved(compiled, "platform"),
        },
        "aliases": _aliases(compiled),
        "sigma": {
            "resolved": sum(_serves(compiled, text) for text in compiled.sigma["sigmahq"]),
            "total": len(compiled.sigma["sigmahq"]),
        },
        "antivirus": _antivirus(compiled, entries),
        "known": _known(entries, with_sigma),
    }


def _by_platform(entries: list[SourceEntry]) -> dict[str, int]:
    return dict(Counter(entry.platform for entry in entries).most_common())


def _channels(entries: list[SourceEntry]) -> dict[str, int]:
    """How many channels each platform has; where entries name none, the product's part of the key counts."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        found.setdefault(entry.platform, set()).add(
            str(entry.value("channel") or "/".join(entry.key.split("/")[:2]))
        )
    return {platform: len(channels) for platform, channels in sorted(found.items())}


def _resolved(compiled: Compiled, kind: str) -> dict[str, int]:
    some = [one for one in compiled.umbrellas.values() if one["kind"] == kind]
    return {"resolved": sum(bool(one["ranges"]) for one in some), "total": len(some)}


def _aliases(compiled: Compiled) -> dict[str, int]:
    listed = [alias for alias in compiled.aliases if alias[2]]
    states = Counter(alias[3] for alias in listed)
    return {
        "resolved": sum(count for state, count in states.items() if state != "prose"),
        "prose": states["prose"],
        "corrected": sum(bool(alias[5]) for alias in listed),
        "total": len(listed),
        "by_events": states["events"],
        "by_component": states["component"],
        "by_log": states["log"],
        "cited_only": len(compiled.aliases) - len(listed),
    }


def _antivirus(compiled: Compiled, entries: list[SourceEntry]) -> dict[str, Any]:
    """The anti-virus book: products, types of event, and of these what is known, by kind of source."""
    events = [entry for entry in entries if entry.platform == "antivirus"]
    books = [file.book for file in compiled.parts.curated.files if file.book]
    counts = {name: _Count() for name in BOOK}
    seen: dict[int, str] = {}
    for entry in events:
        for name, count in counts.items():
            count.add(entry, name, seen)
    return {
        "products": len({entry.key.split("/")[1] for entry in events}),
        "events": len(events),
        "with_signature": sum(bool((entry.value("reads") or {}).get("signature")) for entry in events),
        "books": len(books),
        "statements": sum(len(value) for book in books for value in book.values() if isinstance(value, list)),
        "unconfirmed": sum(len(book.get("unconfirmed", ())) for book in books),
        "known": {name: count.shares(len(events)) for name, count in counts.items()},
    }


def _serves(compiled: Compiled, text: str) -> bool:
    wanted = parse(text)
    return any(s["ranges"] and fits(wanted, parse(s["logsource"])) for s in compiled.sigma["servings"])


class _Count:
    """What is known of one attribute."""

    __slots__ = ("kinds", "known", "own")

    def __init__(self) -> None:
        self.known = self.own = 0
        self.kinds: Counter[str] = Counter()

    def add(self, entry: SourceEntry, name: str, seen: dict[int, str]) -> bool:
        """Counts an attribute of an entry; False where nothing is known of it.

        `seen`: the kind of source by the fact's identity, "" for one that says nothing: thousands of entries share one.
        """
        fact = entry.facts.get(name)
        if fact is None:
            return False
        kind = seen.get(id(fact))
        if kind is None:
            named = (entry.documents[one]["kind"] for one in fact.sources if one in entry.documents)
            kind = seen[id(fact)] = next(named, "none") if fact.known else ""
        if not kind:
            return False
        self.known += 1
        self.own += fact.origin in ("own", "table")
        self.kinds[kind] += 1
        return True

    def __add__(self, other: _Count) -> _Count:
        whole = _Count()
        whole.known, whole.own = self.known + other.known, self.own + other.own
        whole.kinds = self.kinds + other.kinds
        return whole

    def shares(self, total: int) -> dict[str, Any]:
        """As shares of all entries: known at all, known of its own, and by kind of source."""
        whole = total or 1
        return {
            "share": round(self.known / whole, 4),
            "own": round(self.own / whole, 4),
            "sources": {kind: round(count / whole, 4) for kind, count in self.kinds.most_common()},
        }


def _known(entries: list[SourceEntry], with_sigma: set[str]) -> dict[str, Any]:
    """For each attribute the share of entries that know it, for the curated and for all."""
    counts = {tier: {name: _Count() for name in MEASURED} for tier in ("curated", "derived")}
    totals = Counter(entry.tier for entry in entries)
    seen: dict[int, str] = {}
    for entry in entries:
        of_tier = counts[entry.tier]
        for name in MEASURED:
            if not of_tier[name].add(entry, name, seen) and name == "sigma" and entry.key in with_sigma:
                of_tier[name].known += 1
    return {
        "curated": {name: counts["curated"][name].shares(totals["curated"]) for name in MEASURED},
        "all": {
            name: (counts["curated"][name] + counts["derived"][name]).shares(len(entries))
            for name in MEASURED
        },
    }
