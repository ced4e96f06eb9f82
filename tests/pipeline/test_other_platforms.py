"""Recordings of clouds, services and Unix: whose each record is, what SigmaHQ's rules find there, and what the evidence names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.corpora import corpus, sigma_rules
from tests.pipeline.running import lines, tagged

import undertag
from undertag.apps.cli.sources_survey import survey
from undertag.catalogue.sources.lookup import load_catalogue

pytestmark = pytest.mark.corpora


@pytest.mark.parametrize(
    ("name", "events", "share"),
    [
        ("cloud-samples", 1_000, 0.9),
        ("aws-cloudtrail", 2_900, 1.0),
        ("log-lines", 200, 0.9),
        ("auditd", 50, 1.0),
    ],
)
def test_whose_records_are(name: str, events: int, share: float) -> None:
    found = survey([str(corpus(name))], load_catalogue())
    told = found.to_json()
    assert told["events"] >= events
    assert told["catalogued"] >= told["events"] * share
    assert [key for key in told["entries"] if key.startswith("unknown/")] == []
    assert {problem.code for problem in found.problems} <= {"UT113"}, "only times that are none"


def test_cloud_trail_tells_account_and_time() -> None:
    told = survey([str(corpus("aws-cloudtrail"))], load_catalogue()).to_json()
    for key, seen in told["entries"].items():
        assert key.startswith("aws/cloudtrail/"), key
        assert seen["systems"] >= 1, key
        assert seen["first"].startswith("2023-07-10T"), key


def test_auditd_knows_one_entry_a_type() -> None:
    written: defaultdict[str, int] = defaultdict(int)
    for path in sorted(corpus("auditd").iterdir()):
        for line in path.read_text(encoding="utf-8").splitlines():
            written[line.partition("type=")[2].partition(" ")[0]] += 1
    told = survey([str(corpus("auditd"))], load_catalogue()).to_json()
    assert {key: seen["events"] for key, seen in told["entries"].items()} == {
        f"linux/auditd/{kind}": number for kind, number in written.items()
    }


@pytest.fixture(scope="module")
def hits() -> dict[str, list[tuple[undertag.TaggedEvent, dict[str, Any]]]]:
    """What SigmaHQ's rules for clouds and services find in the samples, by title."""
    folders = ("rules/cloud", "rules/identity", "rules/application")
    rules = undertag.load_rules([Path(path) for path in sigma_rules(*folders)]).rules
    tagging = undertag.Tagging(rules, pack=False)
    found = defaultdict(list)
    for event in tagging.tag(records(corpus("cloud-samples"))):
        for rule in event.details["rules"]:
            found[rule["title"]].append((event, rule))
    return found


def records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            yield orjson.loads(line)


HITS: list[tuple[str, str, str, str]] = [
    ("AWS Root Credentials", "aws/cloudtrail/", "userIdentity.type", "Root"),
    (
        "AWS STS AssumeRole Misuse",
        "aws/cloudtrail/",
        "userIdentity.sessionContext.sessionIssuer.type",
        "Role",
    ),
    (
        "AWS Successful Console Login Without MFA",
        "aws/cloudtrail/signin/ConsoleLogin",
        "responseElements.ConsoleLogin",
        "Success",
    ),
    (
        "AWS Config Disabling Channel/Recorder",
        "aws/cloudtrail/config/DeleteDeliveryChannel",
        "eventName",
        "DeleteDeliveryChannel",
    ),
    (
        "Azure Key Vault Modified or Deleted",
        "azure/activity/microsoft.keyvault/vaults.delete",
        "operationName",
        "Microsoft.KeyVault/vaults/delete",
    ),
    (
        "Azure Domain Federation Settings Modified",
        "entra/audit/",
        "properties.activityDisplayName",
        "Set federation settings on domain",
    ),
    ("Account Lockout", "entra/signin/SignInLogs", "properties.status.errorCode", "50053"),
    (
        "Google Cloud Firewall Modified or Deleted",
        "gcp/audit/compute.googleapis.com/",
        "protoPayload.methodName",
        "v1.compute.firewalls.patch",
    ),
    ("New Github Organization Member Added", "github/audit/org.invite_member", "action", "org.invite_member"),
    (
        "Okta Admin Role Assigned to an User or Group",
        "okta/system/user.account.privilege.grant",
        "eventType",
        "user.account.privilege.grant",
    ),
    ("OneLogin User Assumed Another User", "saas/onelogin/3", "event_type_id", "3"),
]


@pytest.mark.parametrize(("title", "start", "field", "value"), HITS, ids=[row[0] for row in HITS])
def test_rules_hit(
    title: str,
    start: str,
    field: str,
    value: str,
    hits: dict[str, list[tuple[undertag.TaggedEvent, dict[str, Any]]]],
) -> None:
    assert hits[title]
    for event, _ in hits[title]:
        assert event.entry.startswith(start)
    named = {(fact["field"], fact["value"]) for _, rule in hits[title] for fact in rule["evidence"]}
    assert (field, value) in named


def test_evidence_names_the_records_own_path(
    hits: dict[str, list[tuple[undertag.TaggedEvent, dict[str, Any]]]],
) -> None:
    facts = 0
    for found in hits.values():
        for event, rule in found:
            for fact in rule["evidence"]:
                if fact["field"] is not None and fact["operator"] != "named":
                    facts += 1
                    texts = [str(value) for value in values(event.event, fact["field"].split("."))]
                    assert fact["value"] in texts, (rule["title"], fact)
    assert facts > 200


def values(doc: Any, path: list[str]) -> Iterator[Any]:
    """All values at a path, through arrays, spelt as the record spells them."""
    if isinstance(doc, list):
        for one in doc:
            yield from values(one, path)
    elif not path:
        yield doc
    elif isinstance(doc, dict):
        for length in range(1, len(path) + 1):
            name = ".".join(path[:length])
            if name in doc:
                yield from values(doc[name], path[length:])


def test_the_command_says_the_same_of_cloud_trail(tmp_path: Path) -> None:
    rules = Path(sigma_rules("rules/cloud/aws")[0])
    inputs = sorted(corpus("aws-cloudtrail").iterdir())[:6]
    summary = tagged(inputs, rules, tmp_path / "out.jsonl")
    written = lines(tmp_path / "out.jsonl")
    assert summary.events == len(written) > 100
    docs = [doc for path in inputs for doc in orjson.loads(path.read_bytes())["Records"]]
    found = undertag.Tagging(undertag.load_rules([rules]).rules, pack=False).tag(docs)
    said = sorted((event.entry, *sorted(rule["title"] for rule in event.details["rules"])) for event in found)
    assert said == sorted(
        (one["undertag"]["entry"], *sorted(rule["title"] for rule in one["undertag"]["rules"]))
        for one in written
    )
    assert any(len(one) > 1 for one in said)


def test_rules_hit_lines(tmp_path: Path) -> None:
    rule = tmp_path / "r.yml"
    rule.write_text(
        "title: who\nid: 00000000-0000-4000-8000-0000000000ab\nstatus: test\nlevel: low\n"
        "logsource: {product: linux, service: auditd}\ndetection: {a: {type: EXECVE, a0|endswith: '*'}, condition: a}\n"
    )
    tagged([corpus("auditd")], rule, tmp_path / "out.jsonl")
    found = [line["undertag"] for line in lines(tmp_path / "out.jsonl") if line["undertag"]["rules"]]
    assert {one["entry"] for one in found} == {"linux/auditd/EXECVE"}
    assert len(found) == 2
    assert {fact["field"] for one in found for fact in one["rules"][0]["evidence"]} >= {"type"}
