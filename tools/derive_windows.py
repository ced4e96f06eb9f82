"""Derives the Windows event log entries.

    python tools/derive_windows.py --facts FOLDER --out src/undertag/catalogue/data/derived

An entry exists only where a channel is known for the (provider, event ID): the manifests hold many events that
go to tracing sessions only. Rules, in this order: manifests joined with the channel table; the audit table for
Security; entries that other tools name; then guides mark what they recommend.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.derive_tables import KNOWLEDGE, Input, Row, Table, arguments, read_facts, write_table
from tools.derive_windows_names import (
    CHANNELS,
    DROPPED,
    MISPLACED,
    WRITERS,
    audit_place,
    channel_path,
)

from undertag.catalogue.windows import windows_router

AUDITING: Final = "Microsoft-Windows-Security-Auditing"
ALWAYS_ON: Final = frozenset({"application", "system", "setup"})
_SHARED: Final = frozenset({"Application", "System", "Setup", "Security"})
_OFF: Final = re.compile(r"[/-](?:analytic|analytical|debug)$", re.IGNORECASE)
_LONGEST_TITLE: Final = 60
_GUIDES: Final = {"NSA subscriptions": "NSA", "Palantir WEF": "Palantir", "ANSSI Standard_WEC_query": "ANSSI"}
COLUMNS: Final = {
    "channel": "full path of the channel",
    "provider": "provider's name; several where they share the entry; empty where only the channel is known",
    "channel_basis": "path: as the table of channels has it; label: made from provider and label, not verified; "
    "derived: made from provider and label by a rule that holds on known channels; knowledge; "
    "map: named by a tool's map; guide: named by a guide",
    "audit": "Security only: audit category / subcategory, several where any of them writes the event",
    "default": "state",
    "basis": "derived: a manifest of Windows has the event and another table its channel; read: no manifest has it",
    "fields_basis": "manifest: all fields of the newest version; audit-table; mapped: only those that a tool maps",
    "event_id": "event ID",
    "first_build": "first Windows build read (1511 means 1511 or before) whose manifests have it",
    "last_build": "last such build",
    "recommended_by": "guides that collect it",
    "fields": "names of the event data",
}


@dataclass(slots=True, kw_only=True)
class Found:
    """What is known of one entry while tables are joined."""

    channel: str
    event_id: int
    providers: list[str] = field(default_factory=list)
    cells: Row = field(default_factory=dict)
    titles: list[tuple[int, str]] = field(default_factory=list)
    guides: set[str] = field(default_factory=set)


def event_ids(text: str) -> Iterator[int]:
    """The IDs of a list with ranges.

    >>> list(event_ids("1-3,7, 9"))
    [1, 2, 3, 7, 9]
    """
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        yield from range(int(low), int(high or low) + 1)


class WindowsEntries:
    """Joins the five tables by entry key."""

    def __init__(self, table: Table, manifests: Input) -> None:
        self.table = table
        self.found: dict[str, Found] = {}
        self._events = {(row["provider"].lower(), int(row["event_id"])): row for row in manifests.rows}
        self._route = windows_router()

    def at(self, channel: str, provider: str, event_id: int) -> Found:
        """The entry of this place, made if it is new."""
        key = self._route.entry(channel, provider, event_id).key
        found = self.found.setdefault(key, Found(channel=channel, event_id=event_id))
        if provider and provider.lower() not in (name.lower() for name in found.providers):
            found.providers.append(provider)
        return found

    def join_channels(self, channels: Input) -> None:
        """Entries of the events whose channel the channel table gives."""
        siblings: dict[str, list[str]] = {}
        for row in channels.rows:
            if row["channel_is_path"] == "yes":
                siblings.setdefault(row["provider"], []).append(row["channel"])
        for row in channels.rows:
            provider = row["provider"]
            path, how = channel_path(
                provider, row["channel"], row["channel_is_path"], siblings.get(provider, [])
            )
            if path != row["channel"]:
                self._note_channel(provider, row, path, how)
            for event_id in event_ids(row["event_ids"]):
                self._take(path, provider, event_id, how)
        for provider, event_id in self._events:
            if provider == AUDITING.lower():
                self._take("Security", AUDITING, event_id, "knowledge")

    def _note_channel(self, provider: str, row: Row, path: str, how: str) -> None:
        if how in ("knowledge", "label"):
            self.table.disagreements.append(
                {
                    "subject": f"channel of {provider}: {row['channel']}",
                    "says": {"windows-channels": row["channel"], how: path},
                    "follows": path,
                    "why": "The table holds names as shown to users; the path is what events and settings carry."
                    if how == "knowledge"
                    else "Made from provider and label, unverified.",
                }
            )

    def _take(self, path: str, provider: str, event_id: int, how: str) -> Found:
        found = self.at(path, provider, event_id)
        found.cells.setdefault("channel_basis", how)
        event = self._events.get((provider.lower(), event_id))
        if event is None:
            found.cells.setdefault("basis", "read")
            return found
        found.cells["basis"] = "derived"
        for name in ("first_build", "last_build"):
            found.cells.setdefault(name, event[name])
        if event["fields"] and "fields" not in found.cells:
            found.cells.update(fields=event["fields"], fields_basis="manifest")
        return found

    def join_auditing(self, auditing: Input) -> None:
        """Audit categories, and fields where the manifests have none."""
        newest: dict[int, Row] = {}
        for row in auditing.rows:
            event_id = int(row["event_id"])
            if event_id not in newest or int(row["version"]) >= int(newest[event_id]["version"]):
                newest[event_id] = {
                    **row,
                    "place": newest.get(event_id, {}).get("place") or row["category_and_subcategory"],
                }
        for event_id, row in sorted(newest.items()):
            found = self.at("Security", AUDITING, event_id)
            found.cells.setdefault("channel_basis", "knowledge")
            found.cells.setdefault("basis", "read")
            if row["place"]:
                found.cells["audit"] = audit_place(row["place"])
            have, other = found.cells.get("fields", ""), row["fields"]
            if not have and other:
                found.cells.update(fields=other, fields_basis="audit-table")
            elif other and set(have.split(",")) != set(other.split(",")):
                self.table.disagreements.append(
                    {
                        "subject": f"fields of Security {event_id}",
                        "says": {
                            "windows-manifest-events only": sorted(
                                set(have.split(",")) - set(other.split(","))
                            ),
                            "windows-security-auditing only": sorted(
                                set(other.split(",")) - set(have.split(","))
                            ),
                        },
                        "follows": "windows-manifest-events",
                        "why": f"The manifest is of build {found.cells.get('last_build', '?')}, the other table of older ones.",
                    }
                )

    def join_known(self, known: Input) -> None:
        """Titles, and entries that only a tool's map or a guide names."""
        for row in known.rows:
            ids = list(event_ids(row["event_id"]))
            for event_id in ids:
                place = (row["channel"], row["provider"], event_id)
                if place in DROPPED:
                    self._note_known(place, "no entry", DROPPED[place])
                    self.table.leave_out("known entries that are wrong")
                    continue
                channel, provider = row["channel"], row["provider"]
                if (channel, provider) in MISPLACED:
                    channel, provider, why = MISPLACED[channel, provider]
                    self._note_known(place, f"{channel}, {provider}", why)
                channel = CHANNELS.get(channel, channel)
                found = self._take(channel, provider, event_id, "map")
                if row["fields_mapped"] and "fields" not in found.cells:
                    found.cells.update(fields=row["fields_mapped"], fields_basis="mapped")
                rank = (row["source"] != "EvtxECmd maps") + 2 * (len(ids) > 1)
                found.titles.append((rank, row["title"].rstrip(". ")))

    def _note_known(self, place: tuple[str, str, int], chosen: str, why: str) -> None:
        self.table.disagreements.append(
            {
                "subject": f"place of {place[1]} {place[2]}",
                "says": {"windows-known-entries": place[0]},
                "follows": chosen,
                "why": why,
            }
        )

    def join_recommended(self, recommended: Input) -> None:
        """Marks what guides collect. They name no provider: in shared channels only a certain one counts."""
        own = {(row["source"], row["event_id"]) for row in recommended.rows if row["channel"] not in _SHARED}
        for row in recommended.rows:
            channel, event_id = CHANNELS.get(row["channel"], row["channel"]), int(row["event_id"])
            providers, named = self._writers(channel, event_id)
            elsewhere = not named and channel == "System" and (row["source"], row["event_id"]) in own
            if channel in _SHARED and (len(providers) != 1 or elsewhere):
                self._note_unmarked(row, providers, elsewhere)
                continue
            provider = providers[0] if len(providers) == 1 else ""
            self._take(channel, provider, event_id, "guide").guides.add(_GUIDES[row["source"]])

    def _writers(self, channel: str, event_id: int) -> tuple[list[str], bool]:
        """Who may write this event here, and whether that is said by hand or by a tool rather than possible."""
        if (channel, event_id) in WRITERS:
            return [WRITERS[channel, event_id]], True
        here = [found for found in self.found.values() if found.channel.lower() == channel.lower()]
        exact = [found for found in here if found.event_id == event_id]
        named = [found for found in exact if found.titles]
        best = named if len(named) == 1 else exact
        if best:
            return sorted({found.providers[0] for found in best if found.providers}), best is named
        writers = {name for found in here for name in found.providers}
        return sorted(name for name in writers if (name.lower(), event_id) in self._events), False

    def _note_unmarked(self, row: Row, providers: list[str], elsewhere: bool) -> None:
        self.table.leave_out("recommended IDs whose provider is not certain")
        why = "The guide names no provider, and not exactly one is possible."
        if elsewhere:
            why = "The same guide lists this ID in a channel of its own, where it is marked."
        self.table.disagreements.append(
            {
                "subject": f"{row['channel']} {row['event_id']} as {_GUIDES[row['source']]} recommends it",
                "says": {
                    "windows-recommended": f"{row['channel']} {row['event_id']}, no provider",
                    "other tables": providers or "no such event in this channel",
                },
                "follows": "no entry is marked",
                "why": why,
            }
        )

    def rows(self) -> None:
        """Adds the entries to the table."""
        for key, found in self.found.items():
            provider = "; ".join(found.providers)
            titles = [text for _, text in sorted(found.titles) if len(text) <= _LONGEST_TITLE]
            neutral = f"{(found.providers or [found.channel])[0].removeprefix('Microsoft-Windows-')} {found.event_id}"
            cells = {
                "channel": found.channel,
                "provider": provider,
                "event_id": str(found.event_id),
                "default": default_state(found.channel, found.cells["basis"]),
                "recommended_by": ",".join(sorted(found.guides)),
            }
            self.table.add(key, titles[0] if titles else neutral, **{**found.cells, **cells})


def default_state(channel: str, basis: str) -> str:
    """`on` for Windows' own events in logs that can't be switched off, `off` for debug channels, else unknown.

    An event that no manifest of Windows has may be of a product that is not there by default.

    >>> default_state("System", "derived"), default_state("Application", "read"), default_state("X/Analytic", "read")
    ('on', 'unknown', 'off')
    """
    if channel.lower() in ALWAYS_ON:
        return "on" if basis == "derived" else "unknown"
    return "off" if _OFF.search(channel) else "unknown"


def build(facts: Path) -> Table:
    """The table from a folder of facts."""
    manifests = read_facts(
        facts, "windows-manifest-events.tsv", ("provider", "event_id", "first_build", "last_build", "fields")
    )
    channels = read_facts(
        facts, "windows-channels.tsv", ("provider", "channel", "channel_is_path", "event_ids")
    )
    auditing = read_facts(
        facts, "windows-security-auditing.tsv", ("event_id", "version", "category_and_subcategory", "fields")
    )
    known = read_facts(
        facts,
        "windows-known-entries.tsv",
        ("channel", "provider", "event_id", "title", "fields_mapped", "source"),
    )
    recommended = read_facts(facts, "windows-recommended.tsv", ("channel", "event_id", "source"))
    table = Table(
        name="windows",
        script="tools/derive_windows.py",
        defaults=DEFAULTS,
        sources=SOURCES,
        columns=COLUMNS,
        factored=("channel", "provider", "channel_basis", "audit", "default", "basis", "fields_basis"),
        inputs=[manifests, channels, auditing, known, recommended],
        taken_from="jdu2600/Windows10EtwEvents; nasbench/EVTX-ETW-Resources; OTRF/OSSEM-DD; EricZimmerman/evtx maps; "
        "NSA Event-Forwarding-Guidance; Palantir WEF; ANSSI guide",
    )
    entries = WindowsEntries(table, manifests)
    entries.join_channels(channels)
    entries.join_auditing(auditing)
    entries.join_known(known)
    entries.join_recommended(recommended)
    entries.rows()
    channel_events = sum(1 for found in entries.found.values() if found.cells["basis"] == "derived")
    table.leave_out("manifest events without a known channel", len(manifests.rows) - channel_events)
    return table


DEFAULTS: Final[Mapping[str, Any]] = {
    "platform": "windows",
    "product": "Windows",
    "default": [
        {
            "state": "on",
            "where": "Windows' own events in Application, System and Setup, which can't be switched off",
            "basis": "claimed",
            "source": "knowledge",
        },
        {
            "state": "off",
            "where": "analytic and debug channels",
            "basis": "claimed",
            "source": "knowledge",
        },
        {"state": "unknown", "where": "all others", "basis": "claimed", "source": "knowledge"},
    ],
    "volume": "unknown",
    "cost": "unknown",
    "difficulty": "unknown",
    "sources": ["manifests", "channels"],
}
SOURCES: Final[Mapping[str, Any]] = {
    "manifests": {
        "kind": "table",
        "title": "Windows10EtwEvents (jdu2600): provider manifests of 17 Windows builds",
    },
    "channels": {
        "kind": "table",
        "title": "EVTX-ETW-Resources (nasbench): providers, channels and event IDs",
    },
    "audit-table": {
        "kind": "table",
        "title": "OSSEM-DD (OTRF): Security events, audit categories and fields",
    },
    "maps": {"kind": "table", "title": "EvtxECmd maps and NSA Event-Forwarding-Guidance"},
    "guides": {"kind": "table", "title": "Event IDs collected by Palantir WEF, ANSSI and NSA guides"},
    "knowledge": KNOWLEDGE,
}

if __name__ == "__main__":
    options = arguments(__doc__)
    write_table(build(options.facts), options.out)
