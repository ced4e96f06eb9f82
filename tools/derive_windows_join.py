"""Joins the Windows tables by entry key: what each adds, and what it may not overrule.

Contract: the order of joining is the order of trust for a cell: the first table that fills it is followed, and a
later one that differs is written to the disagreements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tools.derive_tables import Input, Row, Table
from tools.derive_windows_audit import audit_place
from tools.derive_windows_names import (
    CHANNELS,
    DROPPED,
    MISPLACED,
    RECORDED_FIELDS,
    channel_path,
)

from undertag.catalogue.windows import windows_router

AUDITING: Final = "Microsoft-Windows-Security-Auditing"
ALWAYS_ON: Final = frozenset({"application", "system", "setup"})
_OFF: Final = re.compile(r"[/-](?:analytic|analytical|debug)$", re.IGNORECASE)
_HUMPS: Final = re.compile(r"[a-z0-9][A-Z]")
_LONGEST_TITLE: Final = 60


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
        self.events = {(row["provider"].lower(), int(row["event_id"])): row for row in manifests.rows}
        self._spelt: dict[str, dict[str, str]] = {}
        for provider, names in RECORDED_FIELDS.items():
            self._spell(provider, names)
        self._route = windows_router()

    def _spell(self, provider: str, names: Iterable[str]) -> None:
        """Remembers names that have spaces: the manifests' table drops them."""
        for name in names:
            if not name.isalnum():
                self._spelt.setdefault(provider.lower(), {})[unspaced(name)] = name

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
                self.take(path, provider, event_id, how)
        for provider, event_id in self.events:
            if provider == AUDITING.lower():
                self.take("Security", AUDITING, event_id, "knowledge")

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

    def take(self, path: str, provider: str, event_id: int, how: str) -> Found:
        """An entry with what the manifests say of it; `how` its channel was found."""
        found = self.at(path, provider, event_id)
        found.cells.setdefault("channel_basis", how)
        event = self.events.get((provider.lower(), event_id))
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
            self._spell(row["provider"], filter(None, row["fields_mapped"].split(",")))
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
                found = self.take(channel, provider, event_id, "map")
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

    def rows(self) -> None:
        """Adds the entries to the table."""
        for key, found in self.found.items():
            provider = "; ".join(found.providers)
            self._respell(found)
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

    def _respell(self, found: Found) -> None:
        """Field names as events have them; those of which only the form without spaces is known are marked."""
        spelt = next(
            (self._spelt[name.lower()] for name in found.providers if name.lower() in self._spelt), None
        )
        if spelt is None or found.cells.get("fields_basis") != "manifest":
            return
        names = found.cells["fields"].split(",")
        found.cells["fields"] = ",".join(spelt.get(unspaced(name), name) for name in names)
        if any(unspaced(name) not in spelt and _HUMPS.search(name) for name in names):
            found.cells["fields_basis"] = "manifest-unspaced"


def unspaced(name: str) -> str:
    """A field name in the form in which two spellings are compared.

    >>> unspaced("Client SID:"), unspaced("ClientSID")
    ('clientsid', 'clientsid')
    """
    return "".join(character for character in name.lower() if character.isalnum())


def default_state(channel: str, basis: str) -> str:
    """`on` for Windows' own events in logs that can't be switched off, `off` for debug channels, else unknown.

    An event that no manifest of Windows has may be of a product that is not there by default.

    >>> default_state("System", "derived"), default_state("Application", "read"), default_state("X/Analytic", "read")
    ('on', 'unknown', 'off')
    """
    if channel.lower() in ALWAYS_ON:
        return "on" if basis == "derived" else "unknown"
    return "off" if _OFF.search(channel) else "unknown"
