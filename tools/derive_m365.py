"""Derives the entries of Microsoft 365's unified audit log.

    python tools/derive_m365.py --facts FOLDER --out src/undertag/catalogue/data/derived

One entry a (workload, operation), and one a record type. SharePoint and OneDrive share their operations: the key
says `sharepoint` for both. The record type's number is said where the schema gives it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.derive_tables import (
    KNOWLEDGE,
    Table,
    arguments,
    read_facts,
    words,
    write_table,
)

from undertag.catalogue.sources.keys import key_part

_STATES: Final = {"yes": "on", "no": "off"}
_NUMBERED: Final = re.compile(r"(?P<name>\w+) \(\[?(?P<number>\d+)\]?.*")
_WORKLOADS: Final = {"SharePoint/OneDrive": "sharepoint"}
COLUMNS: Final = {
    "workload": "workload; a record type's entry has none",
    "record_type": "record type",
    "default": "state",
    "licence": "what it takes to have it",
    "basis": "read: stands in the source; derived: a cmdlet that modifies, which auditing is assumed to record; knowledge",
    "source": "source of the row",
    "number": "RecordType's value, for entries of record types",
    "operation": "operation's name where the key spells it otherwise",
}


def record_type(text: str) -> tuple[str, str]:
    """Name and number of a record type as the schema lists it.

    >>> record_type("ExchangeAdmin (1)"), record_type("AIAppInteraction ([284](/purview/audit-copilot))")
    (('ExchangeAdmin', '1'), ('AIAppInteraction', '284'))
    """
    found = _NUMBERED.fullmatch(text.strip())
    return (found["name"], found["number"]) if found else (text.strip(), "")


def source_of(basis: str, source: str) -> str:
    """The id of a row's source."""
    if basis == "knowledge" or not source:
        return "knowledge"
    for start, name in _SOURCES.items():
        if start in source:
            return name
    return "audit-pages"


_SOURCES: Final = {
    "office-365-management-api": "schema",
    "fabric-docs": "fabric-operations",
    "cmdlet list": "cmdlets",
}


def build(facts: Path) -> Table:
    """The table from a folder of facts."""
    operations = read_facts(
        facts,
        "m365-audit-operations.tsv",
        ("workload", "record_type", "operation", "title", "default_on", "license", "basis", "source"),
    )
    types = read_facts(facts, "m365-audit-record-types.tsv", ("value", "member"))
    table = Table(
        name="m365",
        script="tools/derive_m365.py",
        defaults=DEFAULTS,
        sources=SOURCES,
        columns=COLUMNS,
        factored=("workload", "record_type", "default", "licence", "basis", "source"),
        inputs=[operations, types],
        taken_from="MicrosoftDocs: office-365-management-api, fabric-docs, audit pages of 2019 and 2022, cmdlet lists",
    )
    numbers: dict[str, set[str]] = {}
    for row in types.rows:
        numbers.setdefault(row["member"], set()).add(row["value"])
    spelt: dict[str, str] = {}
    for row in operations.rows:
        if row["operation"] == "*":
            name, number = record_type(row["record_type"])
            numbers.setdefault(name, set()).update({number} if number else set())
            continue
        part = key_part(row["operation"])
        workload = key_part(_WORKLOADS.get(row["workload"], row["workload"]).lower())
        key = f"m365/{'any' if workload == '*' else workload}/{part}"
        key = spelt.setdefault(key.lower(), key)
        table.add(
            key,
            row["title"][:1].upper() + row["title"][1:] or words(row["operation"]),
            workload=row["workload"],
            record_type=row["record_type"],
            default=_STATES.get(row["default_on"], "unknown"),
            licence=row["license"],
            basis=row["basis"],
            source=source_of(row["basis"], row["source"]),
            operation="" if row["operation"] == key.rpartition("/")[2] else row["operation"],
        )
    add_record_types(table, numbers)
    return table


def add_record_types(table: Table, numbers: Mapping[str, set[str]]) -> None:
    """One entry a record type; a type with two numbers, or a number with two names, is a disagreement."""
    by_number: dict[str, set[str]] = {}
    for name, values in sorted(numbers.items()):
        for value in values:
            by_number.setdefault(value, set()).add(name)
        if not key_part(name).replace("*", ""):
            continue
        table.add(
            f"m365/record-type/{key_part(name)}",
            f"Any operation of {name}",
            record_type=name,
            default="unknown",
            licence="unknown",
            basis="read",
            source="schema",
            number="; ".join(sorted(values, key=int)),
        )
    doubled = {f"record type {name}": values for name, values in numbers.items() if len(values) > 1}
    doubled |= {f"record type number {value}": names for value, names in by_number.items() if len(names) > 1}
    for subject, both in doubled.items():
        table.disagreements.append(
            {
                "subject": subject,
                "says": {"m365-audit-record-types, m365-audit-operations": sorted(both)},
                "follows": "both are kept",
                "why": "The schema page names both; no third source was read.",
            }
        )


DEFAULTS: Final[Mapping[str, Any]] = {
    "platform": "m365",
    "product": "Microsoft 365 unified audit log",
    "default": [
        {
            "state": "on",
            "where": "tenants whose auditing was not switched off; kept 180 days with a standard licence",
            "basis": "claimed",
            "source": "knowledge",
        }
    ],
    "volume": "unknown",
    "cost": {"hit": "none", "why": "Recorded by the provider."},
    "difficulty": "ships-on",
    "fields": [
        "CreationTime",
        "Id",
        "Operation",
        "OrganizationId",
        "RecordType",
        "ResultStatus",
        "UserKey",
        "UserType",
        "Version",
        "Workload",
        "UserId",
        "ClientIP",
        "ObjectId",
    ],
    "sigma": [{"product": "m365", "service": "audit"}],
    "sources": ["schema"],
}
SOURCES: Final[Mapping[str, Any]] = {
    "schema": {"kind": "documentation", "title": "Office 365 Management Activity API schema"},
    "fabric-operations": {"kind": "documentation", "title": "Microsoft Fabric: operation list"},
    "cmdlets": {
        "kind": "table",
        "title": "Exchange, Teams and Security & Compliance PowerShell: lists of cmdlets",
    },
    "audit-pages": {
        "kind": "documentation",
        "title": "Search the audit log in the compliance portal (2019, 2022)",
    },
    "knowledge": KNOWLEDGE,
}

if __name__ == "__main__":
    options = arguments(__doc__)
    write_table(build(options.facts), options.out)
