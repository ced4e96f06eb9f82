"""Derives the Google Cloud audit log entries.

    python tools/derive_gcp.py --facts FOLDER --out src/undertag/catalogue/data/derived

One entry a (service, method). Which of the four logs holds it was told from the method's verb, so it is said
with basis `derived`; a method whose verb says nothing has log `unknown`.
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

_SOURCES: Final = {"googleapis@": "protos", "discovery": "discovery", "python-kubernetes": "kubernetes"}
_STATES: Final = {"yes": "on", "no": "off"}
COLUMNS: Final = {
    "log": "activity, data_access, system_event, policy or unknown",
    "default": "on: always written; off: data access logs that are off until an audit configuration asks for them",
    "basis": "derived; derived-unverified: the API group in the method name is a guess; read; knowledge",
    "source": "source of the row",
}


def title(service: str, method: str) -> str:
    """A plain title.

    >>> title("iam.googleapis.com", "google.iam.admin.v1.IAM.CreateServiceAccountKey")
    'Create service account key (iam)'
    >>> title("compute.googleapis.com", "v1.compute.instances.insert")
    'Instances insert (compute)'
    """
    if method == "*":
        return "Any method"
    parts = [part for part in method.split(".") if part]
    name = parts[-1] if parts[-1][:1].isupper() or len(parts) == 1 else " ".join(parts[-2:])
    return f"{words(name)} ({service.removesuffix('.googleapis.com')})"


def basis_and_source(basis: str, source: str) -> tuple[str, str]:
    """The basis and the source's id of a row.

    >>> basis_and_source("derived", "googleapis@f8291d2b89:google/iam.proto")
    ('derived', 'protos')
    >>> basis_and_source("derived", "python-kubernetes paths;group-mapping-unverified")
    ('derived-unverified', 'kubernetes')
    """
    if basis == "knowledge":
        return basis, "knowledge"
    name = next((name for start, name in _SOURCES.items() if source.startswith(start)), "lists")
    return f"{basis}-unverified" if source.endswith("unverified") else basis, name


def build(facts: Path) -> Table:
    """The table from a folder of facts."""
    methods = read_facts(
        facts, "gcp-audit-methods.tsv", ("serviceName", "methodName", "log", "default_on", "basis")
    )
    table = Table(
        name="gcp-audit",
        script="tools/derive_gcp.py",
        defaults=DEFAULTS,
        sources=SOURCES,
        columns=COLUMNS,
        factored=tuple(COLUMNS),
        inputs=[methods],
        taken_from="googleapis; google-api-python-client; kubernetes (Python package); panther-analysis",
    )
    for row in methods.rows:
        basis, source = basis_and_source(row["basis"], row["source"])
        table.add(
            f"gcp/audit/{key_part(row['serviceName'].lower())}/{key_part(row['methodName'])}",
            title(row["serviceName"], row["methodName"]),
            log=row["log"],
            default=_STATES.get(row["default_on"], "unknown"),
            basis=basis,
            source=source,
        )
    return table


DEFAULTS: Final[Mapping[str, Any]] = {
    "platform": "gcp",
    "product": "Google Cloud Audit Logs",
    "default": [
        {
            "state": "on",
            "where": "admin activity, system event and policy denied logs",
            "basis": "claimed",
            "source": "knowledge",
        },
        {
            "state": "off",
            "where": "data access logs, of all services but BigQuery",
            "basis": "claimed",
            "source": "knowledge",
        },
    ],
    "volume": "unknown",
    "cost": {"hit": "none", "why": "Recorded by the provider; data access logs cost money by volume."},
    "difficulty": "setting",
    "fields": [
        "protoPayload.serviceName",
        "protoPayload.methodName",
        "protoPayload.resourceName",
        "protoPayload.authenticationInfo.principalEmail",
        "protoPayload.authorizationInfo",
        "protoPayload.requestMetadata.callerIp",
        "protoPayload.requestMetadata.callerSuppliedUserAgent",
        "protoPayload.request",
        "protoPayload.response",
        "protoPayload.status",
        "resource.type",
        "logName",
        "timestamp",
    ],
    "sigma": [{"product": "gcp", "service": "gcp.audit"}],
    "sources": ["protos"],
}
SOURCES: Final[Mapping[str, Any]] = {
    "protos": {"kind": "table", "title": "googleapis: protocol definitions of Google Cloud services"},
    "discovery": {"kind": "table", "title": "google-api-python-client: discovery documents"},
    "kubernetes": {
        "kind": "table",
        "title": "kubernetes (Python package): resources and verbs, for GKE's k8s.io",
    },
    "lists": {"kind": "table", "title": "Public lists and recordings of audited methods"},
    "knowledge": KNOWLEDGE,
}

if __name__ == "__main__":
    options = arguments(__doc__)
    write_table(build(options.facts), options.out)
