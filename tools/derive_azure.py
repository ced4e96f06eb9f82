"""Derives the entries of Azure's activity log and of Entra ID's logs.

    python tools/derive_azure.py --facts FOLDER --out src/undertag/catalogue/data/derived

Azure: one entry an operation; data actions are left out, since the activity log never has them. Its records
often spell operations in capitals: compare without case. Entra: one entry an activity, sign-in log or risk type;
an activity that several services log under one name is one entry that names them all.
"""

from __future__ import annotations

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
_SIGN_INS: Final = "Microsoft Entra sign-ins"
AZURE_COLUMNS: Final = {
    "provider": "resource provider as operations spell it",
    "kind": "write, delete or action",
    "basis": "read: stands in a role definition or rule; derived: from the management API's models; knowledge",
    "source": "source of the row",
    "operation": "operation's name where the key spells it otherwise",
}
ENTRA_COLUMNS: Final = {
    "log": "audit, signin, graph, provisioning, risk or pim",
    "service": "service that logs it",
    "category": "category of the activity, or diagnostic category of the log",
    "default": "state; logs are kept 7 to 30 days by licence, elsewhere only through a diagnostic setting",
    "licence": "what it takes to have it",
    "sigma_service": "Sigma service of product azure",
    "basis": "read or knowledge",
    "source": "source of the row",
    "activity": "name in the log where the key spells it otherwise",
}


def azure_title(provider: str, operation: str) -> str:
    """A plain title.

    >>> azure_title("Microsoft.Web", "sites/backups/list/action"), azure_title("Microsoft.Compute", "disks/write")
    ('Sites backups list: action (Microsoft.Web)', 'Disks: write (Microsoft.Compute)')
    """
    path, _, verb = operation.rpartition("/")
    return f"{words(path.replace('/', ' '))}: {verb.lower()} ({provider})"


def azure_source(source: str, basis: str) -> str:
    """The id of a row's source."""
    if basis == "knowledge":
        return "knowledge"
    if source.startswith("azure-sdk"):
        return "sdk-models"
    return "sigma-rules" if source.startswith("SigmaHQ") else "roles"


def build_azure(facts: Path) -> Table:
    """The activity log's table."""
    operations = read_facts(
        facts, "azure-activity-operations.tsv", ("resource_provider", "operation", "kind", "basis", "source")
    )
    table = Table(
        name="azure-activity",
        script="tools/derive_azure.py",
        defaults=AZURE,
        sources=AZURE_SOURCES,
        columns=AZURE_COLUMNS,
        factored=("provider", "kind", "basis", "source"),
        inputs=[operations],
        taken_from="iann0036/iam-dataset (built-in roles); Azure SDK models; SigmaHQ",
    )
    for row in operations.rows:
        if "data action" in row["source"]:
            table.leave_out("data actions, which the activity log never has")
            continue
        provider, operation = row["resource_provider"], row["operation"]
        rest = (
            operation[len(provider) + 1 :]
            if operation.lower().startswith(provider.lower() + "/")
            else operation
        )
        part = key_part(rest.replace("/", "."))
        table.add(
            f"azure/activity/{key_part(provider.lower())}/{part}",
            azure_title(provider, rest),
            provider=provider,
            kind=row["kind"],
            basis=row["basis"],
            source=azure_source(row["source"], row["basis"]),
            operation="" if part == rest.replace("/", ".") else operation,
        )
    return table


def entra_place(log: str, service: str, category: str, activity: str) -> tuple[str, str, str]:
    """The log, the key's last part and the Sigma service of a row.

    >>> entra_place("auditlogs", "Core Directory", "UserManagement", "Add user")
    ('audit', 'Add-user', 'auditlogs')
    >>> entra_place("signinlogs", "Microsoft Entra sign-ins", "SignInLogs", "Sign-in activity")
    ('signin', 'SignInLogs', 'signinlogs')
    """
    if log == "auditlogs":
        return "audit", key_part(activity), "auditlogs"
    if log == "riskdetections":
        if service == "Identity Protection":
            return "risk", key_part(activity), "riskdetection"
        return "pim", key_part(activity), "pim"
    if service == _SIGN_INS:
        return "signin", key_part(category), "signinlogs"
    return ("provisioning" if service == "Provisioning" else "graph"), key_part(category), ""


def build_entra(facts: Path) -> Table:
    """The table of Entra ID's logs."""
    activities = read_facts(
        facts,
        "entra-audit-activities.tsv",
        ("log", "service", "category", "activityDisplayName", "default_on", "license", "basis", "source"),
    )
    table = Table(
        name="entra",
        script="tools/derive_azure.py",
        defaults=ENTRA,
        sources=ENTRA_SOURCES,
        columns=ENTRA_COLUMNS,
        factored=tuple(name for name in ENTRA_COLUMNS if name != "activity"),
        inputs=[activities],
        taken_from="MicrosoftDocs/entra-docs (2024); SigmaHQ; knowledge",
    )
    spelt: dict[str, str] = {}
    for row in activities.rows:
        log, part, sigma = entra_place(
            row["log"], row["service"], row["category"], row["activityDisplayName"]
        )
        key = f"entra/{log}/{part}"
        key = spelt.setdefault(key.lower(), key)
        named = row["activityDisplayName"] if log in ("audit", "risk", "pim") else row["category"]
        table.add(
            key,
            named if log == "audit" else words(named),
            log=log,
            service=row["service"],
            category=row["category"],
            default=_STATES.get(row["default_on"], "unknown"),
            licence=row["license"],
            sigma_service=sigma,
            basis=row["basis"],
            source=entra_source(row["basis"], row["source"]),
            activity="" if named == part else named,
        )
    return table


def entra_source(basis: str, source: str) -> str:
    """The id of a row's source."""
    if basis == "knowledge":
        return "knowledge"
    return "sigma-rules" if source.startswith("SigmaHQ") else "audit-activities"


AZURE: Final[Mapping[str, Any]] = {
    "platform": "azure",
    "product": "Azure activity log",
    "default": [
        {
            "state": "on",
            "where": "every subscription; kept 90 days",
            "basis": "claimed",
            "source": "knowledge",
        }
    ],
    "volume": "unknown",
    "cost": {"hit": "none", "why": "Recorded by the provider."},
    "difficulty": "ships-on",
    "fields": [
        "time",
        "resourceId",
        "operationName",
        "category",
        "resultType",
        "resultSignature",
        "callerIpAddress",
        "correlationId",
        "identity",
        "level",
        "properties",
    ],
    "sigma": [{"product": "azure", "service": "activitylogs"}],
    "sources": ["roles"],
}
AZURE_SOURCES: Final[Mapping[str, Any]] = {
    "roles": {"kind": "table", "title": "iam-dataset (iann0036): Azure's built-in role definitions"},
    "sdk-models": {"kind": "table", "title": "Azure SDK for Python: models of the management APIs"},
    "sigma-rules": {"kind": "table", "title": "SigmaHQ: Azure rules"},
    "knowledge": KNOWLEDGE,
}
ENTRA: Final[Mapping[str, Any]] = {
    "platform": "entra",
    "product": "Microsoft Entra ID",
    "default": [
        {"state": "on", "where": "where the licence has it", "basis": "claimed", "source": "knowledge"}
    ],
    "volume": "unknown",
    "cost": {"hit": "none", "why": "Recorded by the provider."},
    "difficulty": "ships-on",
    "sources": ["audit-activities"],
}
ENTRA_SOURCES: Final[Mapping[str, Any]] = {
    "audit-activities": {
        "kind": "documentation",
        "title": "Microsoft Entra audit log categories and activities (2024)",
    },
    "sigma-rules": {"kind": "table", "title": "SigmaHQ: Entra ID rules"},
    "knowledge": KNOWLEDGE,
}

if __name__ == "__main__":
    options = arguments(__doc__)
    for make in (build_azure, build_entra):
        write_table(make(options.facts), options.out)
