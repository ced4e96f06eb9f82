"""Which Sigma log sources a key serves, in which order and under which names; what is served at all; how it is compiled."""

from __future__ import annotations

from typing import Any

import pytest

from undertag.catalogue.sources.lookup import load_catalogue
from undertag.catalogue.sources.routes import Routes, Serving
from undertag.catalogue.sources.routing import routes_block
from undertag.catalogue.sources.selectors import Selection
from undertag.model.entry import Derivation, Entry, Service
from undertag.model.rule import LogSource

NOTHING: dict[str, Any] = {"json": [], "text": []}


def serving(logsource: str, *entries: str, reached: bool = True, **more: Any) -> dict[str, Any]:
    """A serving as `routes_block` stores it."""
    return {"logsource": logsource, "entries": [*entries], "reached": reached, **more}


def routes(*servings: dict[str, Any], **more: Any) -> Routes:
    table = {"servings": [*servings], "spaced": {}, "recognition": NOTHING, "antivirus": {}, **more}
    return Routes(table, "0123456789abcdef")


def shown(service: Service) -> str:
    source = service.logsource
    return "/".join(part or "*" for part in (source.product, source.category, source.service))


def served(found: Routes, key: str) -> list[str]:
    return [shown(service) for service in found.services(key)]


def source(text: str) -> LogSource:
    product, category, service = (None if part == "*" else part for part in text.split("/"))
    return LogSource(product=product, category=category, service=service)


PATTERNS: list[tuple[str, str, str, bool]] = [
    ("one key", "a/b/c", "a/b/c", True),
    ("one key, another", "a/b/c", "a/b/cd", False),
    ("a part", "a/b/*", "a/b/c", True),
    ("a part, not two", "a/b/*", "a/b/c/d", False),
    ("within a part", "a/b/x*z", "a/b/xyz", True),
    ("within a part, case counts", "a/b/x*z", "a/b/xyZ", False),
    ("all below", "a/b/**", "a/b/c/d", True),
    ("all below, not beside", "a/b/**", "a/bc/d", False),
    ("below, then more", "a/**/x", "a/b/c/x", True),
    ("below, then other", "a/**/x", "a/b/c/y", False),
    ("either", "a/b/{c,d}", "a/b/d", True),
    ("neither", "a/b/{c,d}", "a/b/e", False),
    ("either, then any", "a/{b,c}/*", "a/c/x", True),
    ("from the first part on", "*/b/c", "a/b/c", True),
    ("everything", "**", "x/y/z", True),
    ("characters of expressions", "a/b/c.d", "a/b/cxd", False),
    ("characters of expressions in a pattern", "a/b/c.*", "a/b/cx", False),
]


@pytest.mark.parametrize(("name", "pattern", "key", "has"), PATTERNS, ids=[row[0] for row in PATTERNS])
def test_patterns(name: str, pattern: str, key: str, has: bool) -> None:
    assert Serving(serving("p/*/s", pattern)).has(key) is has
    assert served(routes(serving("p/*/s", pattern)), key) == (["p/*/s"] if has else [])


def test_services_come_first_then_categories_in_the_order_written() -> None:
    found = routes(
        serving("p/*/*", "p/**"),
        serving("p/cat/*", "p/log/1"),
        serving("q/other/own", "p/log/1"),
        serving("q/other/*", "p/log/1"),
        serving("p/*/log", "p/log/*"),
    )
    assert served(found, "p/log/1") == ["p/*/log", "p/cat/log", "q/other/own", "q/other/*"]
    assert served(found, "p/log/2") == ["p/*/log"]
    assert served(found, "p/more/2") == ["p/*/*"]


def test_a_rule_for_the_product_gets_no_categorys_condition() -> None:
    found = routes(
        serving("p/cat/*", "p/log/1", where={"A": ["1"]}, rename={"X": "x"}), serving("p/*/*", "p/**")
    )
    service = Entry(key="p/log/1", services=found.services("p/log/1")).serving(source("p/*/*"))
    assert service is not None
    assert (service.where, service.rename) == ({}, {})


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        ("p/*/*", "p/*/one"),
        ("p/*/one", "p/*/one"),
        ("p/*/two", "p/*/two"),
        ("p/cat/*", "p/cat/one"),
        ("p/cat/two", "p/cat/two"),
        ("*/cat/*", "p/cat/one"),
        ("p/cat/three", None),
        ("p/dog/*", None),
        ("q/*/*", None),
    ],
)
def test_a_category_is_served_under_each_service_of_its_key(wanted: str, taken: str | None) -> None:
    found = routes(
        serving("p/cat/*", "p/log/*"),
        serving("p/*/one", "p/log/*"),
        serving("p/*/two", "p/**"),
        serving("p/*/three", "p/x/*"),
    )
    service = Entry(key="p/log/1", services=found.services("p/log/1")).serving(source(wanted))
    assert (shown(service) if service else None) == taken


def test_alike_servings_are_told_apart_by_their_condition_alone() -> None:
    found = routes(
        serving("p/*/s", "p/l/*", where={"A": ["1", "2"]}, rename={"X": "x"}),
        serving("p/*/s", "p/l/*", where={"A": ["3"]}),
        serving("p/*/s", "p/l/*", where={"A": ["3"]}, rename={"X": "y"}),
    )
    assert [(service.where, service.rename) for service in found.services("p/l/1")] == [
        ({"A": ("1", "2")}, {"X": "x"}),
        ({"A": ("3",)}, {}),
    ]


def test_derived_fields() -> None:
    how = {
        "User": {"account": ["Sid", "Domain", "Name"]},
        "Level": {"map": "Label", "values": {"1": "Low"}},
        "Object": {"registry": ["Key", "Value"]},
        "Details": {"registry_data": ["New", "Type"]},
    }
    (service,) = routes(serving("p/cat/*", "p/l/1", derive=how)).services("p/l/1")
    assert service.derive == {
        "User": Derivation(kind="account", fields=("Sid", "Domain", "Name")),
        "Level": Derivation(kind="map", fields=("Label",), values={"1": "Low"}),
        "Object": Derivation(kind="registry", fields=("Key", "Value")),
        "Details": Derivation(kind="registry_data", fields=("New", "Type")),
    }


def test_spaced_names_are_found_without_blanks_or_with_underscores_and_yield_to_renames() -> None:
    found = routes(
        serving("p/*/s", "p/**", rename={"ThreatName": "Other"}),
        spaced={"p/log": ["Threat Name", "Process Name"]},
    )
    assert [service.rename for service in found.services("p/log/1")] == [
        {
            "ThreatName": "Other",
            "Threat_Name": "Threat Name",
            "ProcessName": "Process Name",
            "Process_Name": "Process Name",
        }
    ]
    assert [service.rename for service in found.services("p/other/1")] == [{"ThreatName": "Other"}]


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        ("p/*/near", True),
        ("p/*/far", False),
        ("p/*/*", True),
        ("*/*/near", True),
        ("far/*/*", False),
        ("*/cat/*", True),
        ("p/cat/near", True),
        ("p/cat/far", False),
        ("p/cat/none", False),
        ("p/distant/*", False),
        ("p/distant/near", False),
        ("*/*/*", True),
        ("none/*/*", False),
    ],
)
def test_serves_is_true_of_log_sources_within_reach(wanted: str, answer: bool) -> None:
    found = routes(
        serving("p/*/near", "p/near/*"),
        serving("p/cat/*", "p/near/*"),
        serving("p/*/far", "p/far/*", reached=False),
        serving("p/distant/*", "p/far/*", reached=False),
        serving("far/*/*", "p/far/*", reached=False),
    )
    assert found.serves(source(wanted)) is answer
    assert found.serves(source(wanted)) is answer


def test_anti_virus_events_come_with_the_digest() -> None:
    found = routes(
        antivirus={"windows/w/1": ["antivirus/w/1", "microsoft", "Data.Threat Name", "high", "blocked"]}
    )
    event = found.antivirus["windows/w/1"]
    assert (event.key, event.convention, event.signature) == (
        "antivirus/w/1",
        "microsoft",
        ("Data", "Threat Name"),
    )
    assert (event.fidelity, event.outcome, event.digest) == ("high", "blocked", "0123456789abcdef")


KEYS = ["cloud/audit/a", "cloud/audit/b", "linux/auditd/EXECVE", "other/log/a", "windows/log/1"]


def stored(*servings: dict[str, Any], recognition: dict[str, Any] = NOTHING) -> list[dict[str, Any]]:
    block = routes_block([*servings], [], recognition, Selection(KEYS, {}), [])
    found: list[dict[str, Any]] = block["servings"]
    return found


@pytest.mark.parametrize(
    ("patterns", "ranges", "reached"),
    [
        (["windows/log/*"], [[4, 5]], True),
        (["linux/auditd/*"], [[2, 3]], True),
        (["linux/sysmon/*"], [], True),
        (["cloud/audit/**"], [[0, 2]], True),
        (["cloud/audit/new-*"], [], True),
        (["other/log/*"], [[3, 4]], False),
        (["cl*/audit/**"], [[0, 2]], True),
        (["other/log/*", "windows/log/*"], [[3, 5]], True),
    ],
)
def test_reach_is_what_code_or_recognition_leads_to(
    patterns: list[str], ranges: list[list[int]], reached: bool
) -> None:
    rules = {"json": [{"keys": ["cloud/audit/{x}"]}], "text": []}
    (one,) = stored({"logsource": "p/*/s", "entries": patterns, "ranges": ranges}, recognition=rules)
    assert one == {"logsource": "p/*/s", "entries": patterns, "reached": reached}


def test_what_entries_say_themselves_is_kept_where_no_pattern_has_them() -> None:
    found = stored(
        {
            "logsource": "p/*/s",
            "entries": ["cloud/audit/a"],
            "ranges": [[0, 1]],
            "rename": {"A": "b"},
            "lost": ["C"],
        },
        {"logsource": "p/*/s", "ranges": [[0, 2]]},
        {"logsource": "p/*/t", "ranges": [[0, 2]]},
        {"logsource": "p/*/t", "ranges": [[0, 2]]},
    )
    assert [(one["logsource"], one["entries"]) for one in found] == [
        ("p/*/s", ["cloud/audit/a"]),
        ("p/*/s", ["cloud/audit/b"]),
        ("p/*/t", ["cloud/audit/a", "cloud/audit/b"]),
    ]
    assert found[0] == {
        "logsource": "p/*/s",
        "entries": ["cloud/audit/a"],
        "rename": {"A": "b"},
        "reached": False,
    }


SHIPPED: list[tuple[str, bool, str, str | None]] = [
    ("aws/cloudtrail/iam/CreateUser", True, "aws/*/cloudtrail", "aws/*/cloudtrail"),
    ("aws/cloudtrail/iam/CreateUniverse", False, "aws/*/cloudtrail", "aws/*/cloudtrail"),
    ("aws/cloudtrail/iam/CreateUser", True, "aws/*/*", "aws/*/cloudtrail"),
    ("aws/cloudtrail/iam/CreateUser", True, "aws/*/guardduty", None),
    ("github/audit/org.add_member", True, "github/*/audit", "github/*/audit"),
    ("github/audit/org.new_thing", False, "github/*/audit", "github/*/audit"),
    ("azure/activity/microsoft.new/thing", False, "azure/*/activitylogs", "azure/*/activitylogs"),
    (
        "kubernetes/audit/core/pods/create",
        True,
        "kubernetes/application/audit",
        "kubernetes/application/audit",
    ),
    ("kubernetes/audit/core/pods/create", True, "kubernetes/*/audit", "kubernetes/*/audit"),
    ("linux/auditd/EXECVE", True, "linux/*/auditd", "linux/*/auditd"),
    ("linux/auditd/EXECVE", True, "linux/process_creation/*", "linux/process_creation/auditd"),
    ("linux/auditd/NEW_TYPE", False, "linux/*/auditd", "linux/*/auditd"),
    ("linux/auditd/NEW_TYPE", False, "linux/process_creation/*", None),
    ("linux/syslog/sshd", True, "linux/*/sshd", "linux/*/sshd"),
    ("linux/syslog/sshd", True, "linux/*/sudo", None),
    ("linux/syslog/of-no-book", False, "linux/*/syslog", "linux/*/syslog"),
    ("linux/syslog/of-no-book", False, "linux/*/*", "linux/*/syslog"),
    ("linux/web/apache-access", True, "*/webserver/*", "*/webserver/apache"),
    ("windows/security/4657", True, "windows/registry_set/*", "windows/registry_set/security"),
    ("windows/security/4657", True, "windows/*/*", "windows/*/security"),
    ("unknown/jsonl/record", False, "*/*/*", None),
]


@pytest.mark.parametrize(("key", "catalogued", "wanted", "taken"), SHIPPED)
def test_the_shipped_catalogue(key: str, catalogued: bool, wanted: str, taken: str | None) -> None:
    catalogue = load_catalogue()
    assert (key in catalogue) is catalogued
    service = Entry(key=key, services=catalogue.routes.services(key)).serving(source(wanted))
    assert (shown(service) if service else None) == taken


def test_the_shipped_catalogue_renames_and_restricts() -> None:
    found = load_catalogue().routes
    azure = Entry(key="k", services=found.services("azure/activity/microsoft.new/thing")).serving(
        source("azure/*/activitylogs")
    )
    assert azure is not None
    assert azure.rename["OperationNameValue"] == "operationName"
    added = Entry(key="k", services=found.services("windows/security/4657")).serving(
        source("windows/registry_add/*")
    )
    assert added is not None
    assert "%%1904" in added.where["OperationType"]
    assert added.derive["TargetObject"].kind == "registry"
    defender = found.services("windows/windows-defender/1116")[0]
    assert (defender.rename["ThreatName"], defender.rename["Feature_Name"]) == ("Threat Name", "Feature Name")
