"""Derives the entries of Okta, GitHub, Google Workspace and other services' audit logs.

    python tools/derive_saas.py --facts FOLDER --out src/undertag/catalogue/data/derived

One entry an event type. What a list says of the default holds for the product, not for the event: plans decide.
"""

from __future__ import annotations

import re
import sys
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

_STATED: Final = re.compile(r"(?P<state>yes|no|unknown)(?: \((?P<condition>.*)\))?")
_STATES: Final = {"yes": "on", "no": "off", "unknown": "unknown"}
_BASIS: Final = "read or knowledge"
_RECORDED: Final = {"hit": "none", "why": "Recorded by the provider."}


def default_and_condition(text: str) -> tuple[str, str]:
    """State and condition of a cell.

    >>> default_and_condition("yes (Enterprise Grid)"), default_and_condition("streaming only")
    (('on', 'Enterprise Grid'), ('off', 'streaming only'))
    """
    found = _STATED.fullmatch(text)
    if found is None:
        return "off", text
    return _STATES[found["state"]], found["condition"] or ""


def sentence(text: str) -> str:
    """A title as read, with a capital."""
    return text[:1].upper() + text[1:]


def build_okta(facts: Path) -> Table:
    """The table of Okta's event types."""
    types = read_facts(facts, "okta-event-types.tsv", ("event_type", "title", "group", "basis"))
    table = Table(
        name="okta",
        script="tools/derive_saas.py",
        defaults=_defaults(
            "okta", "Okta System Log", "on", "every organisation; kept 90 days", "okta", "event-types"
        ),
        sources={
            "event-types": {"kind": "documentation", "title": "Okta: event types (2026.08.1)"},
            "knowledge": KNOWLEDGE,
        },
        columns={"group": "Okta's group of the event type", "basis": _BASIS},
        factored=("group", "basis"),
        inputs=[types],
        taken_from="okta-developer-docs (2026.08.1)",
    )
    for row in types.rows:
        table.add(
            f"okta/system/{key_part(row['event_type'])}",
            sentence(row["title"]) or words(row["event_type"]),
            group=row["group"],
            basis=row["basis"],
        )
    return table


def build_github(facts: Path) -> Table:
    """The table of GitHub's audit actions."""
    actions = read_facts(facts, "github-audit-events.tsv", ("category", "action", "level", "basis"))
    table = Table(
        name="github",
        script="tools/derive_saas.py",
        defaults=_defaults(
            "github", "GitHub audit log", "on", "organisations and enterprises", "audit", "audit-events"
        ),
        sources={
            "audit-events": {"kind": "documentation", "title": "GitHub documentation: audit log events"},
            "knowledge": KNOWLEDGE,
        },
        columns={
            "category": "category of the action",
            "level": "log in which it was first listed: org, enterprise, user or enterprise (GHES)",
            "basis": _BASIS,
        },
        factored=("category", "level", "basis"),
        inputs=[actions],
        taken_from="github/docs@3c9bed0",
    )
    for row in actions.rows:
        table.add(
            f"github/audit/{key_part(row['action'])}",
            words(row["action"]),
            category=row["category"],
            level=row["level"],
            basis=row["basis"],
        )
    return table


def build_google(facts: Path) -> Table:
    """The table of Google Workspace's events."""
    events = read_facts(
        facts, "google-workspace-events.tsv", ("application", "event_name", "parameters", "basis", "source")
    )
    defaults = _defaults(
        "google-workspace", "Google Workspace", "on", "editions differ by application", "", "modules"
    )
    table = Table(
        name="google-workspace",
        script="tools/derive_saas.py",
        defaults=defaults,
        sources={
            "modules": {"kind": "table", "title": "Elastic Beats: google_workspace module"},
            "samples": {"kind": "corpus", "title": "panther-analysis: sample events of rule tests"},
            "knowledge": KNOWLEDGE,
        },
        columns={
            "application": "application of the Reports API",
            "basis": _BASIS,
            "source": "source of the row",
            "fields": "event parameters",
        },
        factored=("application", "basis", "source"),
        inputs=[events],
        taken_from="elastic/beats; panther-analysis; knowledge",
    )
    for row in events.rows:
        source = "samples" if "panther" in row["source"] else "modules" if row["source"] else "knowledge"
        table.add(
            f"google-workspace/{key_part(row['application'])}/{key_part(row['event_name'])}",
            words(row["event_name"].lower()),
            application=row["application"],
            basis=row["basis"],
            source=source,
            fields=row["parameters"],
        )
    return table


def build_saas(facts: Path) -> Table:
    """The table of all other services."""
    events = read_facts(
        facts, "saas-events.tsv", ("product", "event", "title", "category", "default_on", "basis", "source")
    )
    table = Table(
        name="saas",
        script="tools/derive_saas.py",
        defaults={
            **_defaults("saas", "Software as a service", "unknown", "see the condition", "", "lists"),
            "default": "unknown",
        },
        sources={
            "lists": {
                "kind": "table",
                "title": "Vendors' SDKs and documentation (product by product in `list`)",
            },
            "samples": {
                "kind": "corpus",
                "title": "panther-analysis and SEKOIA: sample events of rule tests",
            },
            "knowledge": KNOWLEDGE,
        },
        columns={
            "product": "product",
            "category": "vendor's category",
            "default": "state, for the product as a whole",
            "condition": "plan or setting that it takes",
            "basis": _BASIS,
            "source": "source of the row",
            "list": "the list that was read",
            "event": "event's name where the key spells it otherwise",
        },
        factored=("product", "category", "default", "condition", "basis", "source", "list"),
        inputs=[events],
        taken_from="elastic/integrations; panther-labs/panther-analysis; vendors' SDKs and pages",
    )
    for row in events.rows:
        state, condition = default_and_condition(row["default_on"])
        part = key_part(row["event"])
        sampled = "tests" in row["source"]
        table.add(
            f"saas/{key_part(row['product'].lower())}/{part}",
            sentence(row["title"]) or words(row["event"]),
            product=row["product"],
            category=row["category"],
            default=state,
            condition=condition,
            basis=row["basis"],
            source="samples" if sampled else "lists" if row["source"] else "knowledge",
            list=list_name(row["source"]),
            event="" if part == row["event"] else row["event"],
        )
    return table


def list_name(source: str) -> str:
    """The list that a row was read from, without the place in it.

    >>> list_name("bitwarden/server EventType.cs:User_LoggedIn"), list_name("panther-analysis tests")
    ('bitwarden/server EventType.cs', 'panther-analysis tests')
    """
    return source if "(" in source else source.partition(":")[0]


def _defaults(
    platform: str, product: str, state: str, where: str, service: str, source: str
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "platform": platform,
        "product": product,
        "default": [{"state": state, "where": where, "basis": "claimed", "source": "knowledge"}],
        "volume": "unknown",
        "cost": _RECORDED,
        "difficulty": "ships-on" if state == "on" else "unknown",
        "sources": [source],
    }
    if service:
        found["sigma"] = [{"product": platform, "service": service}]
    return found


if __name__ == "__main__":
    options = arguments(__doc__)
    for make in (build_okta, build_github, build_google, build_saas):
        write_table(make(options.facts), options.out)
