"""Derived fields are written as Sysmon writes them."""

from __future__ import annotations

from typing import Any

import pytest

from undertag.catalogue.windows import windows_router
from undertag.model.derived import derive
from undertag.model.rule import LogSource


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
    entry = windows_router().entry("Security", "Microsoft-Windows-Security-Auditing", 4657)
    service = entry.serving(LogSource(product="windows", category=category))
    assert service is not None
    how = service.derive["Details"]
    assert how.fields == ("NewValue", "NewValueType")
    assert derive(how, [data, kind]) == expected
