"""Derives the entries of Linux audit records and system calls, macOS Endpoint Security and osquery's event tables.

    python tools/derive_hosts.py --facts FOLDER --out src/undertag/catalogue/data/derived

One entry a record type, a system call (of an audit rule), an event type, and an event table of a platform.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.derive_tables import KNOWLEDGE, Table, arguments, read_facts, words, write_table

from undertag.catalogue.sources.keys import key_part

SCRIPT: Final = "tools/derive_hosts.py"
GROUPS: Final = {
    10: "control of the audit system",
    11: "trusted programs in user space",
    12: "audit daemon",
    13: "events of the kernel",
    14: "SELinux",
    15: "AppArmor",
    16: "kernel cryptography",
    17: "anomalies that the kernel sees",
    18: "integrity measurement",
    20: "kernel, other",
    21: "anomalies that programs see",
    22: "responses to anomalies",
    23: "labels in user space",
    24: "cryptography in user space",
    25: "virtual machines",
}
"""Hundreds of a record type's number → what the kernel's and the library's headers keep them for."""
OSQUERY_PLATFORMS: Final[Mapping[str, tuple[str, ...]]] = {
    "linux": ("linux",),
    "darwin": ("macos",),
    "windows": ("windows",),
    "posix": ("linux", "macos"),
    "utility": ("linux", "macos", "windows"),
    "yara_events.table": ("linux", "macos"),
}
"""osquery's folder of a table → platforms."""


def group_of(number: str) -> str:
    """What a record type's number says of it; nothing where the table has no number.

    >>> group_of("1100"), group_of("")
    ('trusted programs in user space', '')
    """
    return GROUPS.get(int(number) // 100, "") if number else ""


def build_records(facts: Path) -> Table:
    """The table of auditd's record types."""
    types = read_facts(facts, "linux-audit-record-types.tsv", ("record_type", "number", "symbol"))
    table = Table(
        name="linux-auditd",
        script=SCRIPT,
        defaults=_linux("Record of the Linux audit daemon", "record-types"),
        sources=_AUDIT_SOURCES,
        columns={"group": "range of numbers that it belongs to", "number": "number of the record type"},
        factored=("group",),
        inputs=[types],
        taken_from="linux-audit/audit-userspace",
    )
    for row in types.rows:
        table.add(
            f"linux/auditd/{key_part(row['record_type'])}",
            f"Audit record {row['record_type']}",
            group=group_of(row["number"]),
            number=row["number"],
        )
    return table


def build_calls(facts: Path) -> Table:
    """The table of system calls that an audit rule can name."""
    calls = read_facts(facts, "linux-syscalls-x86_64.tsv", ("syscall", "number"))
    table = Table(
        name="linux-syscall",
        script=SCRIPT,
        defaults={
            **_linux("System call seen through an audit rule", "syscalls"),
            "default": [
                {
                    "state": "off",
                    "where": "until an audit rule names it",
                    "basis": "claimed",
                    "source": "knowledge",
                }
            ],
        },
        sources=_AUDIT_SOURCES,
        columns={"number": "number of the call on x86_64"},
        inputs=[calls],
        taken_from="linux-audit/audit-userspace",
    )
    for row in calls.rows:
        table.add(
            f"linux/syscall/{key_part(row['syscall'])}", f"System call {row['syscall']}", number=row["number"]
        )
    return table


def build_endpoint_security(facts: Path) -> Table:
    """The table of macOS' Endpoint Security event types."""
    types = read_facts(facts, "macos-endpoint-security-events.tsv", ("event_type",))
    table = Table(
        name="macos-endpoint-security",
        script=SCRIPT,
        defaults={
            "platform": "macos",
            "product": "macOS Endpoint Security",
            "default": [
                {
                    "state": "absent",
                    "where": "until a client with the entitlement subscribes",
                    "basis": "claimed",
                    "source": "knowledge",
                }
            ],
            "volume": "unknown",
            "cost": "unknown",
            "difficulty": "agent",
            "sources": ["bindings"],
        },
        sources={
            "bindings": {
                "kind": "table",
                "title": "endpoint-sec-sys (crate): bindings of the Endpoint Security headers",
            },
            "knowledge": KNOWLEDGE,
        },
        columns={"action": "AUTH: the client decides, and the system waits; NOTIFY: it is told afterwards"},
        factored=("action",),
        inputs=[types],
        taken_from="crate endpoint-sec-sys",
    )
    for row in types.rows:
        action, _, name = row["event_type"].partition("_")
        table.add(
            f"macos/endpoint-security/ES_EVENT_TYPE_{key_part(row['event_type'])}",
            f"{words(name.lower())} ({'before it happens' if action == 'AUTH' else 'after it happened'})",
            action=action,
        )
    return table


def build_osquery(facts: Path) -> Table:
    """The table of osquery's event tables, one entry a platform."""
    tables = read_facts(facts, "osquery-event-tables.tsv", ("table", "platform", "columns"))
    table = Table(
        name="osquery",
        script=SCRIPT,
        defaults={
            "platform": "linux",
            "product": "osquery",
            "default": [
                {
                    "state": "absent",
                    "where": "until osquery is installed with events enabled",
                    "basis": "claimed",
                    "source": "knowledge",
                }
            ],
            "volume": "unknown",
            "cost": "unknown",
            "difficulty": "agent",
            "sources": ["tables"],
        },
        sources={
            "tables": {"kind": "table", "title": "osquery: specifications of event tables"},
            "knowledge": KNOWLEDGE,
        },
        columns={"platform": "platform", "fields": "columns of the table"},
        factored=("platform",),
        inputs=[tables],
        taken_from="osquery",
    )
    for row in tables.rows:
        for platform in OSQUERY_PLATFORMS[row["platform"]]:
            name = row["table"]
            table.add(
                f"{platform}/osquery/{key_part(name)}",
                f"osquery {words(name).lower()}",
                platform=platform,
                fields=row["columns"],
            )
    return table


def _linux(product: str, source: str) -> dict[str, Any]:
    return {
        "platform": "linux",
        "product": product,
        "default": "unknown",
        "volume": "unknown",
        "cost": "unknown",
        "difficulty": "setting",
        "sigma": [{"product": "linux", "service": "auditd"}],
        "sources": [source],
    }


_AUDIT_SOURCES: Final[Mapping[str, Any]] = {
    "record-types": {"kind": "table", "title": "audit-userspace (linux-audit): message types"},
    "syscalls": {"kind": "table", "title": "audit-userspace (linux-audit): system calls of x86_64"},
    "knowledge": KNOWLEDGE,
}

if __name__ == "__main__":
    options = arguments(__doc__)
    for make in (build_records, build_calls, build_endpoint_security, build_osquery):
        write_table(make(options.facts), options.out)
