"""Derived fields are written as Sysmon writes them."""

from __future__ import annotations

from typing import Any

import pytest

from undertag.catalogue.windows import windows_router
from undertag.model.derived import derive
from undertag.model.entry import Derivation
from undertag.model.rule import LogSource


def derivation(event_id: int, category: str, name: str) -> Derivation:
    entry = windows_router().entry("Security", "Microsoft-Windows-Security-Auditing", event_id)
    service = entry.serving(LogSource(product="windows", category=category))
    assert service is not None
    return service.derive[name]


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        ("1", "%%1876", "DWORD (0x00000001)"),
        ("0x1", "%%1876", "DWORD (0x00000001)"),
        ("4294967295", "REG_DWORD", "DWORD (0xffffffff)"),
        (1, "%%1876", "DWORD (0x00000001)"),
        ("010", "%%1876", "DWORD (0x0000000a)"),
        ("4294967298", "%%1883", "QWORD (0x00000001-0x00000002)"),
        ("0x0102", "%%1875", "Binary Data"),
        ("1", "%%1873", "1"),
        ("1", None, "1"),
        ("-", "%%1876", "-"),
        ("\u0661", "%%1876", "\u0661"),
        (None, "%%1876", None),
    ],
    ids=["a number", "in hex", "the type in words", "no text", "a zero before", "64 bits", "bytes", "a text", "no type",
         "no number", "digits of another script", "no data"],
)  # fmt: skip
@pytest.mark.parametrize("category", ["registry_event", "registry_add", "registry_set", "registry_delete"])
def test_details_of_4657(data: Any, kind: Any, expected: str | None, category: str) -> None:
    how = derivation(4657, category, "Details")
    assert how.fields == ("NewValue", "NewValueType")
    assert derive(how, [data, kind]) == expected


@pytest.mark.parametrize(
    ("key", "value_name", "expected"),
    [
        (r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\x", "ImagePath", r"HKLM\System\CurrentControlSet\Services\x\ImagePath"),
        (r"\Registry\Machine\System\controlset002", "", r"HKLM\System\CurrentControlSet"),
        (r"\REGISTRY\MACHINE\SYSTEM\CurrentControlSet\x", None, r"HKLM\SYSTEM\CurrentControlSet\x"),
        (r"\REGISTRY\MACHINE\SYSTEM\ControlSet0011\x", None, r"HKLM\SYSTEM\ControlSet0011\x"),
        (r"\REGISTRY\MACHINE\SOFTWARE\SYSTEM\ControlSet001\x", None, r"HKLM\SOFTWARE\SYSTEM\ControlSet001\x"),
        (r"\REGISTRY\USER\S-1-5-18\SYSTEM\ControlSet001\x", None, r"HKU\S-1-5-18\SYSTEM\ControlSet001\x"),
        (None, "x", None),
    ],
    ids=["a set", "a set itself, in another case", "the current set", "no set", "elsewhere", "a user's", "no key"],
)  # fmt: skip
def test_target_object_of_4657(key: str | None, value_name: Any, expected: str | None) -> None:
    assert derive(derivation(4657, "registry_set", "TargetObject"), [key, value_name]) == expected


NONE = ("S-1-0-0", "-", "-")
BOB = ("S-1-5-21-1-2-3-1001", "DOM", "bob")
MACHINE = ("S-1-5-18", "DOM", "W1$")


@pytest.mark.parametrize(
    ("target", "subject", "expected"),
    [
        (NONE, BOB, r"DOM\bob"),
        (("S-1-0-0", "", ""), BOB, r"DOM\bob"),
        ((None, None, None), BOB, r"DOM\bob"),
        (BOB, MACHINE, r"DOM\bob"),
        (NONE, MACHINE, r"NT AUTHORITY\SYSTEM"),
        (NONE, ("S-1-5-18", "-", "-"), r"NT AUTHORITY\SYSTEM"),
        (("S-1-5-19", "NT-AUTORIT\u00c4T", "Lokaler Dienst"), MACHINE, r"NT AUTHORITY\LOCAL SERVICE"),
        (("S-1-5-20", "DOM", "W1$"), MACHINE, r"NT AUTHORITY\NETWORK SERVICE"),
        ((None, "-", "bob"), MACHINE, "bob"),
        (NONE, NONE, None),
        (NONE, (None, None, None), None),
    ],
    ids=["no target", "an empty target", "no target's fields", "a target", "the machine", "a SID alone", "in German",
         "the network service", "no domain", "nobody", "nothing"],
)  # fmt: skip
def test_user_of_4688(target: tuple[Any, ...], subject: tuple[Any, ...], expected: str | None) -> None:
    assert derive(derivation(4688, "process_creation", "User"), [*target, *subject]) == expected


def test_user_of_4657_is_the_subject() -> None:
    assert derive(derivation(4657, "registry_set", "User"), MACHINE) == r"NT AUTHORITY\SYSTEM"


@pytest.mark.parametrize("folder", ["Windows", "PerfLogs"])
def test_folders_of_windows_own_drive(folder: str) -> None:
    how = derivation(5156, "network_connection", "Image")
    assert derive(how, [rf"\device\harddiskvolume2\{folder}\a.exe"]) == rf"C:\{folder}\a.exe"
