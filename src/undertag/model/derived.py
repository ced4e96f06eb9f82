"""Fields that an entry doesn't have under any name, made from those that it has.

Contract: pure; nothing is made where that which it is made from is absent, and what can't be read stays as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from undertag.model.entry import Derivation

_VOLUME = re.compile(
    r"(\\device\\harddiskvolume[0-9]{1,3})\\(?:windows|program files|program files \(x86\)|programdata|users|perflogs)\\",
    re.IGNORECASE,
)
_HIVES = (
    ("\\registry\\machine\\", "HKLM\\"),
    ("\\registry\\user\\", "HKU\\"),
)
_CONTROL_SET = re.compile(r"HKLM\\SYSTEM\\ControlSet[0-9]{3}(?![^\\])", re.IGNORECASE)
_TYPES: Final = {
    "%%1875": "BINARY",
    "%%1876": "DWORD",
    "%%1883": "QWORD",
    "REG_BINARY": "BINARY",
    "REG_DWORD": "DWORD",
    "REG_QWORD": "QWORD",
}
"""Types whose data Sysmon doesn't write as text, by their names and by the numbers of their names in Windows' messages.

Source: Microsoft Sentinel, "Registry event normalization schema reference", table of value types.
"""
_ACCOUNTS: Final = {
    "S-1-5-18": "NT AUTHORITY\\SYSTEM",
    "S-1-5-19": "NT AUTHORITY\\LOCAL SERVICE",
    "S-1-5-20": "NT AUTHORITY\\NETWORK SERVICE",
}
"""Accounts that every Windows has, as Sysmon names them; the Security log names the first by the machine's own account.

Source: Microsoft, "Well-known SID structures" ([MS-DTYP] 2.4.2.4).
"""
_NOBODY: Final = (None, "", "-")
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}")


def derive(how: Derivation, parts: Sequence[Any]) -> str | None:
    """The value of a derived field from those of `how.fields`, None where what it is made from is absent."""
    if how.kind == "account":
        return _account(parts)
    first = parts[0]
    if first is None:
        return None
    if how.kind == "map":
        text = str(first)
        return how.values.get(text, text)
    if how.kind == "drive":
        return _drive_path(str(first))
    second = parts[1] if len(parts) > 1 else None
    return (_registry_data if how.kind == "registry_data" else _hive_path)(str(first), second)


def _account(parts: Sequence[Any]) -> str | None:
    """The first account that is one, of SIDs, domains and names in turn: `-` and the SID S-1-0-0 stand for none."""
    for at in range(0, len(parts), 3):
        name = parts[at + 2]
        known = _ACCOUNTS.get(parts[at]) if isinstance(parts[at], str) else None
        if known is not None:
            return known
        if name not in _NOBODY:
            domain = parts[at + 1]
            return str(name) if domain in _NOBODY else f"{domain}\\{name}"
    return None


def _drive_path(path: str) -> str:
    """`\\device\\harddiskvolume2\\windows\\…` as `C:\\windows\\…`: kernel events number volumes, rules name drives.

    Which volume has which letter isn't in the event; folders that Windows makes on its own drive tell that one.
    """
    found = _VOLUME.match(path)
    return f"C:{path[found.end(1) :]}" if found is not None else path


def _hive_path(key: str, value_name: Any) -> str:
    """`\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\…` as `HKLM\\System\\CurrentControlSet\\…`, as Sysmon writes it."""
    for kernel, hive in _HIVES:
        if key[: len(kernel)].lower() == kernel:
            key = hive + key[len(kernel) :]
            break
    found = _CONTROL_SET.match(key)
    if found is not None:
        key = f"HKLM\\System\\CurrentControlSet{key[found.end() :]}"
    return f"{key}\\{value_name}" if value_name else key


def _registry_data(data: str, written: Any) -> str:
    """`1` of the type `%%1876` as `DWORD (0x00000001)`; data of a type that Sysmon writes as it is stays as it is."""
    kind = _TYPES.get(str(written).upper())
    if kind is None:
        return data
    if kind == "BINARY":
        return "Binary Data"
    if _NUMBER.fullmatch(data) is None:
        return data
    number = int(data, 16 if data[:2] in ("0x", "0X") else 10)
    if number >> (32 if kind == "DWORD" else 64):  # more than the type holds
        return data
    if kind == "DWORD":
        return f"DWORD (0x{number:08x})"
    return f"QWORD (0x{number >> 32:08x}-0x{number & 0xFFFFFFFF:08x})"
