"""Entries of clouds, services and hosts: small inputs, one rule a case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tools.derive_aws import basis_and_source as aws_basis
from tools.derive_aws import build as build_aws
from tools.derive_aws import request_names
from tools.derive_azure import azure_title, build_azure, build_entra, entra_place
from tools.derive_gcp import basis_and_source as gcp_basis
from tools.derive_gcp import build as build_gcp
from tools.derive_gcp import title as gcp_title
from tools.derive_hosts import (
    build_calls,
    build_endpoint_security,
    build_osquery,
    build_records,
    group_of,
)
from tools.derive_kubernetes import build as build_kubernetes
from tools.derive_m365 import build as build_m365
from tools.derive_m365 import record_type
from tools.derive_saas import (
    build_github,
    build_google,
    build_okta,
    build_saas,
    default_and_condition,
    list_name,
)
from tools.derive_tables import Row, Table, merged

HEADERS = {
    "aws-cloudtrail-events": "eventSource eventName readOnly event_category default_on required_parameters basis source",
    "gcp-audit-methods": "serviceName methodName log default_on basis source",
    "azure-activity-operations": "resource_provider operation kind basis source",
    "entra-audit-activities": "log service category activityDisplayName default_on license basis source",
    "m365-audit-operations": "workload record_type operation title default_on license basis source",
    "m365-audit-record-types": "value member",
    "okta-event-types": "event_type title group basis source",
    "github-audit-events": "category action level basis source",
    "google-workspace-events": "application event_name parameters basis source",
    "saas-events": "product event title category default_on basis source",
    "kubernetes-audit": "api_group resource subresource verb basis source",
    "linux-audit-record-types": "record_type number symbol",
    "linux-syscalls-x86_64": "syscall number",
    "macos-endpoint-security-events": "event_type",
    "osquery-event-tables": "table platform columns",
}


def made(tmp_path: Path, build: Callable[[Path], Table], **tables: list[str]) -> tuple[dict[str, Row], Table]:
    """The entries from tables given as lines with `|` between cells; `_` in names stands for `-`."""
    for name, header in HEADERS.items():
        lines = [header.replace(" ", "\t")]
        lines += [line.replace("|", "\t") for line in tables.get(name.replace("-", "_"), [])]
        (tmp_path / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = build(tmp_path)
    return {row["key"]: row for row in merged(table.rows)[0]}, table


CASES = [
    pytest.param(build_aws, {"aws_cloudtrail_events": [
        "iam.amazonaws.com|CreateUser|false|management|yes|UserName|derived|botocore-1.44.5:iam;eventSource-known"]},
        "aws/cloudtrail/iam/CreateUser",
        {"title": "Create user", "read_only": "no", "default": "on", "required": "userName", "basis": "derived"},
        id="aws management"),
    pytest.param(build_aws, {"aws_cloudtrail_events": [
        "IoTThing.amazonaws.com|GetObject|true|data|no||derived|botocore-1.44.5:x;eventSource-unverified"]},
        "aws/cloudtrail/iotthing/GetObject",
        {"read_only": "yes", "default": "off", "basis": "derived-unverified"}, id="aws unverified, lower case"),
    pytest.param(build_aws, {"aws_cloudtrail_events": [
        "cloudtrail.amazonaws.com|StartLogging|true|management|yes||derived|botocore-1:x;eventSource-known"]},
        "aws/cloudtrail/cloudtrail/StartLogging", {"read_only": "no"}, id="aws recording overrules the name"),
    pytest.param(build_gcp, {"gcp_audit_methods": [
        "iam.googleapis.com|google.iam.admin.v1.IAM.GetRole|data_access|no|derived|googleapis@1:x"]},
        "gcp/audit/iam.googleapis.com/google.iam.admin.v1.IAM.GetRole",
        {"log": "data_access", "default": "off", "source": "protos"}, id="gcp"),
    pytest.param(build_gcp, {"gcp_audit_methods": ["*|*|policy|yes|knowledge|"]},
        "gcp/audit/*/*", {"title": "Any method", "source": "knowledge"}, id="gcp any"),
    pytest.param(build_azure, {"azure_activity_operations": [
        "Microsoft.Web|Microsoft.Web/sites/backups/list/action|action|derived|azure-sdk:azure_mgmt_web"]},
        "azure/activity/microsoft.web/sites.backups.list.action",
        {"kind": "action", "source": "sdk-models", "operation": ""}, id="azure"),
    pytest.param(build_entra, {"entra_audit_activities": [
        "auditlogs|Core Directory|UserManagement|Add user|yes|any|read|entra-docs",
        "auditlogs|Self-service|UserManagement|Add user|yes|any|read|entra-docs"]},
        "entra/audit/Add-user",
        {"service": "Core Directory; Self-service", "category": "UserManagement", "sigma_service": "auditlogs"},
        id="entra, two services"),
    pytest.param(build_m365, {"m365_audit_operations": [
        "SharePoint/OneDrive|SharePoint|FileAccessed|accessed file|yes|any|read|audit page"]},
        "m365/sharepoint/FileAccessed", {"title": "Accessed file", "operation": ""}, id="m365 shared workload"),
    pytest.param(build_m365, {"m365_audit_operations": [
        "AzureActiveDirectory|AzureActiveDirectory|Add user.|add user|yes|any|read|x",
        "AzureActiveDirectory|AzureActiveDirectory|add User.|add user|yes|any|read|x"]},
        "m365/azureactivedirectory/Add-user.", {"operation": "Add user.; add User."}, id="m365 two spellings"),
    pytest.param(build_m365, {"m365_audit_operations": ["*|ExchangeItem (2)|*|any|unknown|unknown|read|x"]},
        "m365/record-type/ExchangeItem", {"number": "2", "default": "unknown"}, id="m365 record type"),
    pytest.param(build_okta, {"okta_event_types": ["user.session.start|user session start|Users|read|x"]},
        "okta/system/user.session.start", {"title": "User session start", "group": "Users"}, id="okta"),
    pytest.param(build_github, {"github_audit_events": ["repo|repo.destroy|org|read|x"]},
        "github/audit/repo.destroy", {"title": "Repo destroy", "level": "org"}, id="github"),
    pytest.param(build_google, {"google_workspace_events": ["login|login_failure|login_type,affected|read|elastic"]},
        "google-workspace/login/login_failure", {"fields": "login_type,affected", "source": "modules"}, id="google"),
    pytest.param(build_saas, {"saas_events": ["docker hub|Repo / Deleted|repo deleted||yes (Team)|read|docker/docs"]},
        "saas/docker-hub/Repo-Deleted",
        {"default": "on", "condition": "Team", "event": "Repo / Deleted"}, id="saas"),
    pytest.param(build_kubernetes, {"kubernetes_audit": ["core|pods|exec|create|derived|python-kubernetes-37.0.1 v1"]},
        "kubernetes/audit/core/pods.exec/create", {"title": "Create pods exec", "versions": "v1"}, id="kubernetes"),
    pytest.param(build_records, {"linux_audit_record_types": ["USER_AUTH|1100|AUDIT_USER_AUTH"]},
        "linux/auditd/USER_AUTH", {"group": "trusted programs in user space"}, id="auditd"),
    pytest.param(build_calls, {"linux_syscalls_x86_64": ["execve|59"]},
        "linux/syscall/execve", {"number": "59"}, id="syscall"),
    pytest.param(build_endpoint_security, {"macos_endpoint_security_events": ["NOTIFY_EXEC"]},
        "macos/endpoint-security/ES_EVENT_TYPE_NOTIFY_EXEC", {"action": "NOTIFY"}, id="endpoint security"),
    pytest.param(build_osquery, {"osquery_event_tables": ["file_events|posix|path,action"]},
        "macos/osquery/file_events", {"platform": "macos", "fields": "path,action"}, id="osquery"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "tables", "key", "cells"), CASES)
def test_entry(
    tmp_path: Path,
    build: Callable[[Path], Table],
    tables: dict[str, list[str]],
    key: str,
    cells: dict[str, str],
) -> None:
    rows, _ = made(tmp_path, build, **tables)
    assert key in rows
    assert {name: rows[key].get(name) for name in cells} == cells


@pytest.mark.parametrize(
    ("build", "tables", "why"),
    [
        pytest.param(build_azure, {"azure_activity_operations": [
            "Microsoft.Storage|Microsoft.Storage/x/read|action|read|roles;data action (not in Activity log)"]},
            "data actions, which the activity log never has", id="azure data action"),
        pytest.param(build_kubernetes, {"kubernetes_audit": [
            "core|users||impersonate|knowledge|special RBAC verb; not a request verb"]},
            "verbs that only authorisation knows", id="kubernetes verb"),
    ],
)  # fmt: skip
def test_left_out(
    tmp_path: Path, build: Callable[[Path], Table], tables: dict[str, list[str]], why: str
) -> None:
    rows, table = made(tmp_path, build, **tables)
    assert (rows, table.left_out) == ({}, {why: 1})


def test_osquery_has_an_entry_for_each_platform(tmp_path: Path) -> None:
    rows, _ = made(tmp_path, build_osquery, osquery_event_tables=["osquery_events|utility|name"])
    assert list(rows) == [f"{platform}/osquery/osquery_events" for platform in ("linux", "macos", "windows")]


def test_a_record_type_with_two_numbers_is_noted(tmp_path: Path) -> None:
    rows, table = made(tmp_path, build_m365, m365_audit_record_types=["7|Same", "8|Same", "8|Other"])
    assert rows["m365/record-type/Same"]["number"] == "7; 8"
    assert [item["subject"] for item in table.disagreements] == ["record type Same", "record type number 8"]


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        (aws_basis, ("knowledge", "console service API"), ("knowledge", "knowledge")),
        (aws_basis, ("read", "corpora+invictus;AwsApiCall"), ("read", "recordings")),
        (request_names, ("",), ""),
        (request_names, ("Bucket,keyName",), "bucket,keyName"),
        (gcp_basis, ("derived", "discovery compute.v1"), ("derived", "discovery")),
        (gcp_basis, ("read", "panther-analysis test events"), ("read", "lists")),
        (gcp_title, ("compute.googleapis.com", "v1.compute.instances.insert"), "Instances insert (compute)"),
        (azure_title, ("Microsoft.AAD", "register/action"), "Register: action (Microsoft.AAD)"),
        (entra_place, ("riskdetections", "Identity Protection", "UserRiskEvents", "leakedCredentials"),
         ("risk", "leakedCredentials", "riskdetection")),
        (entra_place, ("signinlogs", "Microsoft Graph", "MicrosoftGraphActivityLogs", "x"),
         ("graph", "MicrosoftGraphActivityLogs", "")),
        (record_type, ("VivaPulse*",), ("VivaPulse*", "")),
        (default_and_condition, ("no (Event Monitoring; Login free)",), ("off", "Event Monitoring; Login free")),
        (default_and_condition, ("unknown",), ("unknown", "")),
        (list_name, ("DataDog/documentation events (evt.name:asset.type)",),
         "DataDog/documentation events (evt.name:asset.type)"),
        (group_of, ("2110",), "anomalies that programs see"),
        (group_of, ("",), ""),
    ],
)  # fmt: skip
def test_rule(function: Callable[..., object], arguments: tuple[str, ...], expected: object) -> None:
    assert function(*arguments) == expected
