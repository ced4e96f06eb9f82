"""Marks the Windows entries that guides recommend to collect.

Contract: guides name a channel and an ID, but no provider. In channels that many providers share an entry is
marked only where the provider is certain; else the recommendation is written to the disagreements.
"""

from __future__ import annotations

from typing import Final

from tools.derive_tables import Input, Row
from tools.derive_windows_join import WindowsEntries
from tools.derive_windows_names import CHANNELS, WRITERS

_SHARED: Final = frozenset({"Application", "System", "Setup", "Security"})
_GUIDES: Final = {"NSA subscriptions": "NSA", "Palantir WEF": "Palantir", "ANSSI Standard_WEC_query": "ANSSI"}


def mark_recommended(entries: WindowsEntries, recommended: Input) -> None:
    """Marks what guides collect. They name no provider: in shared channels only a certain one counts."""
    own = {(row["source"], row["event_id"]) for row in recommended.rows if row["channel"] not in _SHARED}
    for row in recommended.rows:
        channel, event_id = CHANNELS.get(row["channel"], row["channel"]), int(row["event_id"])
        providers, named = _writers(entries, channel, event_id)
        elsewhere = not named and channel == "System" and (row["source"], row["event_id"]) in own
        if channel in _SHARED and (len(providers) != 1 or elsewhere):
            _note_unmarked(entries, row, providers, elsewhere)
            continue
        provider = providers[0] if len(providers) == 1 else ""
        entries.take(channel, provider, event_id, "guide").guides.add(_GUIDES[row["source"]])


def _writers(entries: WindowsEntries, channel: str, event_id: int) -> tuple[list[str], bool]:
    """Who may write this event here, and whether that is said by hand or by a tool rather than possible."""
    if (channel, event_id) in WRITERS:
        return [WRITERS[channel, event_id]], True
    here = [found for found in entries.found.values() if found.channel.lower() == channel.lower()]
    exact = [found for found in here if found.event_id == event_id]
    named = [found for found in exact if found.titles]
    best = named if len(named) == 1 else exact
    if best:
        return sorted({found.providers[0] for found in best if found.providers}), best is named
    writers = {name for found in here for name in found.providers}
    return sorted(name for name in writers if (name.lower(), event_id) in entries.events), False


def _note_unmarked(entries: WindowsEntries, row: Row, providers: list[str], elsewhere: bool) -> None:
    entries.table.leave_out("recommended IDs whose provider is not certain")
    why = "The guide names no provider, and not exactly one is possible."
    if elsewhere:
        why = "The same guide lists this ID in a channel of its own, where it is marked."
    entries.table.disagreements.append(
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
