"""Derives the Windows event log entries.

    python tools/derive_windows.py --facts FOLDER --out src/undertag/catalogue/data/derived

An entry exists only where a channel is known for the (provider, event ID): the manifests hold many events that
go to tracing sessions only. Rules, in this order: manifests joined with the channel table; the audit table for
Security; entries that other tools name; then guides mark what they recommend.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.derive_tables import KNOWLEDGE, Table, arguments, read_facts, write_table
from tools.derive_windows_guides import mark_recommended
from tools.derive_windows_join import WindowsEntries

COLUMNS: Final = {
    "channel": "full path of the channel",
    "provider": "provider's name; several where they share the entry; empty where only the channel is known",
    "channel_basis": "path: as the table of channels has it; label: made from provider and label, not verified; "
    "derived: made from provider and label by a rule that holds on known channels; knowledge; "
    "map: named by a tool's map; guide: named by a guide",
    "audit": "Security only: audit category / subcategory, several where any of them writes the event",
    "default": "state",
    "basis": "derived: a manifest of Windows has the event and another table its channel; read: no manifest has it",
    "fields_basis": "manifest: all fields of the newest version; manifest-unspaced: the same, but this provider's names "
    "have spaces, and of some only the form without is known; audit-table; mapped: only those that a tool maps",
    "event_id": "event ID",
    "first_build": "first Windows build read (1511 means 1511 or before) whose manifests have it",
    "last_build": "last such build",
    "recommended_by": "guides that collect it",
    "fields": "names of the event data",
}


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
    mark_recommended(entries, recommended)
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
