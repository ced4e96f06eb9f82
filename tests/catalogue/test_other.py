"""Where records of other platforms belong: by the catalogue's rules, by auditd's types, and where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from undertag.catalogue import other, windows
from undertag.catalogue.other import OtherRouter, other_router
from undertag.catalogue.sources.lookup import Catalogue, load_catalogue
from undertag.catalogue.windows import WindowsRouter
from undertag.model.rule import LogSource

TRAIL = {
    "eventSource": "iam.amazonaws.com",
    "eventName": "CreateUser",
    "eventTime": "2026-01-01T00:00:00Z",
    "recipientAccountId": "1",
}
ACTIVITY = {"time": "2026-01-01T00:00:00Z", "resourceId": "/SUBSCRIPTIONS/X", "category": "Administrative"}
RECORDS: list[tuple[str, dict[str, Any], str, bool]] = [
    ("cloud trail", TRAIL, "aws/cloudtrail/iam/CreateUser", True),
    (
        "cloud trail, new action",
        {**TRAIL, "eventName": "CreateUniverse"},
        "aws/cloudtrail/iam/CreateUniverse",
        False,
    ),
    (
        "cloud trail, action with a date, catalogued without",
        {**TRAIL, "eventSource": "cloudfront.amazonaws.com", "eventName": "CreateDistribution2020_05_31"},
        "aws/cloudtrail/cloudfront/CreateDistribution",
        True,
    ),
    (
        "cloud trail, case is the catalogue's",
        {**TRAIL, "eventName": "createuser"},
        "aws/cloudtrail/iam/CreateUser",
        True,
    ),
    (
        "cloud trail, through EventBridge",
        {"detail-type": "AWS API Call via CloudTrail", "detail": TRAIL},
        "aws/cloudtrail/iam/CreateUser",
        True,
    ),
    (
        "github",
        {"action": "org.add_member", "actor": "x", "org": "y", "created_at": 1, "_document_id": "z"},
        "github/audit/org.add_member",
        True,
    ),
    (
        "azure",
        {**ACTIVITY, "operationName": "Microsoft.KeyVault/vaults/delete"},
        "azure/activity/microsoft.keyvault/vaults.delete",
        True,
    ),
    (
        "azure, in capitals",
        {**ACTIVITY, "operationName": "MICROSOFT.KEYVAULT/VAULTS/DELETE"},
        "azure/activity/microsoft.keyvault/vaults.delete",
        True,
    ),
    ("nothing known", {"a": 1}, "unknown/json/record", False),
    ("empty", {}, "unknown/json/record", False),
]


@pytest.mark.parametrize(("name", "doc", "key", "catalogued"), RECORDS, ids=[row[0] for row in RECORDS])
def test_records(name: str, doc: dict[str, Any], key: str, catalogued: bool) -> None:
    entry = other_router().entry(doc, "json")
    assert entry.key == key
    assert entry.catalogued is catalogued


@pytest.mark.parametrize("doc", [None, 7, "text", ["a"]])
def test_what_is_no_object_is_named_after_its_form(doc: Any) -> None:
    entry = other_router().entry(doc, "JSON Lines/x")
    assert (entry.key, entry.catalogued, entry.services) == ("unknown/json-lines-x/record", False, ())


def test_a_record_comes_with_its_time_and_system() -> None:
    placed = other_router().place(TRAIL, "json")
    assert (placed.time, placed.system, placed.fields) == ("2026-01-01T00:00:00Z", "1", {})
    placed = other_router().place({"a": 1}, "json")
    assert (placed.time, placed.system, placed.fields) == (None, "", {})


SSHD = {"program": "sshd", "host": "box", "pid": "1", "message": "Accepted password for x"}
LINES: list[tuple[str, dict[str, Any], str, str, bool]] = [
    ("auditd", {"type": "EXECVE", "audit_id": "1", "time": "1.1"}, "", "linux/auditd/EXECVE", True),
    ("auditd, case is the catalogue's", {"type": "execve", "audit_id": "1"}, "", "linux/auditd/EXECVE", True),
    ("auditd, unknown type", {"type": "NEW_TYPE", "audit_id": "1"}, "", "linux/auditd/NEW_TYPE", False),
    (
        "auditd, type without a name",
        {"type": "UNKNOWN[1334]", "audit_id": "1"},
        "",
        "linux/auditd/UNKNOWN-1334",
        False,
    ),
    (
        "auditd, type of hostile JSON",
        {"type": "a/../\n\x00b", "audit_id": "1"},
        "",
        "linux/auditd/a-..-b",
        False,
    ),
    (
        "auditd, type that is too long",
        {"type": "A" * 9_000, "audit_id": "1"},
        "",
        "linux/auditd/" + "A" * 64,
        False,
    ),
    ("auditd, type that is no text", {"type": 7, "audit_id": "1"}, "x", "unknown/text/record", False),
    ("type alone is not auditd's", {"type": "EXECVE", "message": "x"}, "x", "unknown/text/record", False),
    ("syslog", SSHD, "Oct  1 22:14:15 box sshd[1]: Accepted password for x", "linux/syslog/sshd", True),
    (
        "record in a line",
        {**SSHD, **TRAIL, "program": "forwarder"},
        "x",
        "aws/cloudtrail/iam/CreateUser",
        True,
    ),
    (
        "short record in a line",
        {
            "program": "docker",
            "message": "{…}",
            "log": "x",
            "stream": "stderr",
            "time": "2026-01-01T00:00:00Z",
        },
        "x",
        "kubernetes/docker/container-log",
        True,
    ),
    ("nothing known", {"message": "x"}, "x", "unknown/text/record", False),
]


@pytest.mark.parametrize(("name", "doc", "line", "key", "catalogued"), LINES, ids=[row[0] for row in LINES])
def test_lines(name: str, doc: dict[str, Any], line: str, key: str, catalogued: bool) -> None:
    entry = other_router().place(doc, "text", line).entry
    assert (entry.key, entry.catalogued) == (key, catalogued)


def test_auditd_names_the_system_by_its_node() -> None:
    doc = {"type": "EXECVE", "audit_id": "1"}
    assert other_router().place({**doc, "node": "box"}, "text").system == "box"
    assert other_router().place(doc, "text").system == ""


def test_fields_of_a_line_come_along() -> None:
    line = '10.0.0.1 - bob [01/Mar/2026:10:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 7 "-" "curl/8"'
    placed = other_router().place({"message": line}, "text", line)
    assert placed.entry.key == "linux/web/apache-access"
    assert placed.fields["cs-method"] == "GET"
    assert placed.fields["cs-uri-stem"] == "/a"
    assert placed.fields["sc-status"] == "200"
    assert placed.fields["c-ip"] == "10.0.0.1"


@pytest.mark.parametrize("key", ["aws/cloudtrail/iam/CreateUser", "linux/syslog/of-no-book", "x/y"])
def test_of_key(key: str) -> None:
    entry = other_router().of_key(key)
    assert (entry.key, entry.catalogued) == (key, key in load_catalogue())
    assert entry is other_router().of_key(key)


def test_an_unknown_record_serves_no_rule_that_names_a_log_source() -> None:
    entry = other_router().entry({"a": 1}, "json")
    assert entry.serving(LogSource(product="aws")) is None
    assert entry.serving(LogSource(category="webserver")) is None


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """The catalogue, with routers that remember three entries."""
    monkeypatch.setattr(other, "_MAX_ENTRIES", 3)
    monkeypatch.setattr(windows, "_MAX_ENTRIES", 3)
    return load_catalogue()


def test_entries_of_other_platforms_remembered_are_bounded(catalogue: Catalogue) -> None:
    router = OtherRouter(catalogue)
    for number in range(10):
        entry = router.entry({**TRAIL, "eventName": f"New{number}"}, "json")
        assert entry.key == f"aws/cloudtrail/iam/New{number}"
        assert entry is router.of_key(entry.key)
        assert len(router._entries) <= 3


def test_entries_of_windows_remembered_are_bounded(catalogue: Catalogue) -> None:
    router = WindowsRouter(catalogue)
    for number in range(10):
        entry = router.entry("Security", "p", number)
        assert entry.key == f"windows/security/{number}"
        assert entry is router.entry("Security", "p", number)
        assert len(router._entries) <= 3
