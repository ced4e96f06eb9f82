"""Which entry a Windows event is of, and which Sigma log sources it serves."""

from __future__ import annotations

import pytest

from undertag.catalogue.windows import slug, windows_router
from undertag.model.rule import LogSource

SYSMON = "Microsoft-Windows-Sysmon/Operational"


@pytest.mark.parametrize(
    ("channel", "provider", "event_id", "key"),
    [
        ("Security", "Microsoft-Windows-Security-Auditing", 4688, "windows/security/4688"),
        (SYSMON, "Microsoft-Windows-Sysmon", 1, "windows/sysmon/1"),
        ("Microsoft-Windows-PowerShell/Operational", "x", 4104, "windows/powershell/4104"),
        ("Windows PowerShell", "PowerShell", 400, "windows/windows-powershell/400"),
        ("System", "Service Control Manager", 7045, "windows/system/service-control-manager/7045"),
        ("Microsoft-Windows-PrintService/Admin", "x", 808, "windows/printservice-admin/808"),
        ("", "Microsoft-Windows-RPC", 6, "windows/rpc/6"),
        ("Linux-Sysmon/Operational", "Linux-Sysmon", 1, "linux/sysmon/1"),
        ("\u00fcn\u00ef/\x00", "", 1, "windows/n/1"),
    ],
)
def test_key(channel: str, provider: str, event_id: int, key: str) -> None:
    assert windows_router().entry(channel, provider, event_id).key == key


@pytest.mark.parametrize(
    ("channel", "event_id", "product", "category", "service", "served"),
    [
        (SYSMON, 1, "windows", "process_creation", None, True),
        (SYSMON, 1, "windows", None, "sysmon", True),
        (SYSMON, 1, None, "process_creation", None, True),
        (SYSMON, 1, "windows", None, None, True),
        (SYSMON, 1, "windows", "image_load", None, False),
        (SYSMON, 1, "linux", "process_creation", None, False),
        ("Security", 4688, "windows", "process_creation", None, True),
        ("Security", 4688, "windows", "process_creation", "sysmon", False),
        ("security", 4657, "windows", "registry_set", None, True),
        ("Security", 5156, "windows", "network_connection", None, True),
        ("Microsoft-Windows-Windows Defender/Operational", 1116, None, "antivirus", None, True),
        ("Foo/Bar", 1, "windows", None, None, True),
        ("Foo/Bar", 1, "windows", None, "security", False),
    ],
)
def test_serves(
    channel: str, event_id: int, product: str | None, category: str | None, service: str | None, served: bool
) -> None:
    entry = windows_router().entry(channel, "x", event_id)
    wanted = LogSource(product=product, category=category, service=service)
    assert (entry.serving(wanted) is not None) is served


def test_renames_hold_for_the_category_alone() -> None:
    entry = windows_router().entry("Security", "x", 4688)
    as_category = entry.serving(LogSource(product="windows", category="process_creation"))
    as_channel = entry.serving(LogSource(product="windows", service="security"))
    assert as_category is not None
    assert as_channel is not None
    assert as_category.rename["Image"] == "NewProcessName"
    assert not as_channel.rename


def test_what_the_catalogue_lacks_is_uncatalogued() -> None:
    router = windows_router()
    assert router.entry("Security", "x", 4688).catalogued
    assert not router.entry("Security", "x", 99999).catalogued
    assert not router.entry("Foo/Bar", "x", 1).catalogued


def test_entries_are_the_same_object_every_time() -> None:
    router = windows_router()
    assert router.entry(SYSMON, "x", 1) is router.entry(SYSMON, "x", 1)
    assert router.entry(SYSMON, "x", 1) is not router.entry(SYSMON, "x", 1, "other shape")


@pytest.mark.parametrize(
    ("name", "expected"), [("A/Operational", "a"), ("Microsoft-Windows-A B/C", "a-b-c"), ("///", "unknown")]
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected
