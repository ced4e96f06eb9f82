"""Derives the entries of Kubernetes' audit log.

    python tools/derive_kubernetes.py --facts FOLDER --out src/undertag/catalogue/data/derived

One entry an (API group, resource, verb); a subresource stands after a dot. Verbs that only authorisation knows
(`bind`, `impersonate`, …) are left
out: no request carries them, so no event does. Versions of a group are one entry.
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

COLUMNS: Final = {
    "group": "API group, core for the unnamed one",
    "versions": "API versions of which clients have it",
    "basis": "derived: from the client's methods; knowledge",
}
_PACKAGE: Final = "python-kubernetes-37.0.1 "


def build(facts: Path) -> Table:
    """The table from a folder of facts."""
    requests = read_facts(
        facts, "kubernetes-audit.tsv", ("api_group", "resource", "subresource", "verb", "basis", "source")
    )
    table = Table(
        name="kubernetes",
        script="tools/derive_kubernetes.py",
        defaults=DEFAULTS,
        sources=SOURCES,
        columns=COLUMNS,
        factored=tuple(COLUMNS),
        inputs=[requests],
        taken_from="kubernetes 37.0.1 (Python package)",
    )
    for row in requests.rows:
        if row["source"].startswith("special RBAC verb"):
            table.leave_out("verbs that only authorisation knows")
            continue
        resource = row["resource"] + (
            f".{row['subresource'].replace('/', '.')}" if row["subresource"] else ""
        )
        group = row["api_group"] or "core"
        table.add(
            f"kubernetes/audit/{key_part(group)}/{key_part(resource)}/{key_part(row['verb'])}",
            f"{words(row['verb'])} {resource.replace('.', ' ')}" + ("" if group == "core" else f" ({group})"),
            group=group,
            versions=row["source"].removeprefix(_PACKAGE).replace(",", ", "),
            basis=row["basis"],
        )
    return table


DEFAULTS: Final[Mapping[str, Any]] = {
    "platform": "kubernetes",
    "product": "Kubernetes API server",
    "default": [
        {
            "state": "off",
            "where": "API servers started without an audit policy; managed clusters differ by provider",
            "basis": "claimed",
            "source": "knowledge",
        }
    ],
    "volume": "unknown",
    "cost": "unknown",
    "difficulty": "setting",
    "fields": [
        "auditID",
        "stage",
        "level",
        "requestURI",
        "verb",
        "user.username",
        "user.groups",
        "sourceIPs",
        "userAgent",
        "objectRef.resource",
        "objectRef.subresource",
        "objectRef.namespace",
        "objectRef.name",
        "objectRef.apiGroup",
        "responseStatus.code",
        "requestReceivedTimestamp",
        "stageTimestamp",
        "annotations",
    ],
    "sigma": [{"product": "kubernetes", "service": "audit"}],
    "sources": ["client"],
}
SOURCES: Final[Mapping[str, Any]] = {
    "client": {"kind": "table", "title": "kubernetes 37.0.1 (Python package): API classes"},
    "knowledge": KNOWLEDGE,
}

if __name__ == "__main__":
    options = arguments(__doc__)
    write_table(build(options.facts), options.out)
