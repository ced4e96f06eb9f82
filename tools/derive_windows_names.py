"""How names in the Windows tables become channel paths and audit subcategories.

Contract: nothing is guessed silently. A path made by a rule says which; what tables get wrong is listed here by
hand with its reason, and each use is written to the disagreements.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

_PLAIN_LABELS: Final = frozenset({"Operational", "Admin", "Debug", "Analytic", "Diagnostic"})

CHANNELS: Final[Mapping[str, str]] = {
    "Microsoft-Windows-DNS Client Events/Operational": "Microsoft-Windows-DNS-Client/Operational",
    "Microsoft-Windows-DHCP Client Events/Admin": "Microsoft-Windows-Dhcp-Client/Admin",
    "Microsoft-Windows-DHCP Client Events/Operational": "Microsoft-Windows-Dhcp-Client/Operational",
    "Microsoft-Windows-DHCPv6 Client Events/Admin": "Microsoft-Windows-Dhcpv6-Client/Admin",
    "Microsoft-Windows-Kernel-PnP/Device Configuration": "Microsoft-Windows-Kernel-PnP/Configuration",
    "Microsoft-Windows-VHDMP/Operational": "Microsoft-Windows-VHDMP-Operational",
    "Microsoft-Windows-Powershell/Operational": "Microsoft-Windows-PowerShell/Operational",
    "Microsoft-Windows-SmbClient/Connectivity": "Microsoft-Windows-SMBClient/Connectivity",
    "Microsoft-Windows-SmbClient/Security": "Microsoft-Windows-SMBClient/Security",
}
"""Names shown to users, and other spellings → the path that events carry."""

LABELS: Final[Mapping[tuple[str, str], str]] = {
    ("Microsoft-Windows-BitLocker-API", "Management"): "Microsoft-Windows-BitLocker/BitLocker Management",
    ("Microsoft-Windows-BitLocker-API", "Operational"): "Microsoft-Windows-BitLocker/BitLocker Operational",
    ("Microsoft-Windows-DHCPv6-Client", "Microsoft-Windows-DHCP Client Events/Operational"): (
        "Microsoft-Windows-Dhcpv6-Client/Operational"
    ),
    (
        "Microsoft-Windows-Kernel-PnP",
        "Boot Diagnostic Channel",
    ): "Microsoft-Windows-Kernel-PnP/Boot Diagnostic",
    ("Microsoft-Windows-Kernel-PnP", "Configuration Diagnostic Channel"): (
        "Microsoft-Windows-Kernel-PnP/Configuration Diagnostic"
    ),
    ("Microsoft-Windows-Kernel-PnP", "Device Configuration"): "Microsoft-Windows-Kernel-PnP/Configuration",
    ("Microsoft-Windows-Kernel-PnP", "Device Enumeration Diagnostic Channel"): (
        "Microsoft-Windows-Kernel-PnP/Device Enumeration Diagnostic"
    ),
    (
        "Microsoft-Windows-Kernel-PnP",
        "Driver Diagnostic Channel",
    ): "Microsoft-Windows-Kernel-PnP/Driver Diagnostic",
    (
        "Microsoft-Windows-Security-Mitigations",
        "Kernel Mode",
    ): "Microsoft-Windows-Security-Mitigations/KernelMode",
    (
        "Microsoft-Windows-Security-Mitigations",
        "User Mode",
    ): "Microsoft-Windows-Security-Mitigations/UserMode",
    ("Microsoft-Windows-TaskScheduler", "Maintenance"): "Microsoft-Windows-TaskScheduler/Maintenance",
    ("Microsoft-Windows-Windows Firewall With Advanced Security", "Network Isolation Operational"): (
        "Network Isolation Operational"
    ),
}
"""(provider, label) whose path no rule gives."""

MISPLACED: Final[Mapping[tuple[str, str], tuple[str, str, str]]] = {
    ("User32", "User32"): (
        "System",
        "User32",
        "User32 is a provider that writes to System; there is no such channel.",
    ),
    ("RemoteAccess", "Microsoft-Windows-MPRMSG"): (
        "System",
        "RemoteAccess",
        "RemoteAccess is a provider that writes to System; its messages lie in mprmsg.dll.",
    ),
    ("Microsoft-Windows-CertificationAuthority", "Microsoft-Windows-CertificationAuthority"): (
        "Application",
        "Microsoft-Windows-CertificationAuthority",
        "The provider writes to Application; it has no channel of its own name.",
    ),
}
"""(channel, provider) of known entries → (channel, provider, why)."""

DROPPED: Final[Mapping[tuple[str, str, int], str]] = {
    (
        "System",
        "Microsoft-Windows-FilterManager",
        7045,
    ): "7045 is of Service Control Manager; no manifest has it here.",
    (
        "Powershell",
        "Microsoft-Windows-Powershell",
        169,
    ): "169 is an event of WinRM; no PowerShell manifest has it.",
    (
        "Powershell",
        "Microsoft-Windows-Powershell",
        800,
    ): "800 is written by PowerShell to Windows PowerShell, listed there.",
}
"""(channel, provider, event ID) of known entries that other tables refute."""

WRITERS: Final[Mapping[tuple[str, int], str]] = {
    ("Security", 1102): "Microsoft-Windows-Eventlog",
    ("System", 1): "Microsoft-Windows-Kernel-General",
    ("System", 12): "Microsoft-Windows-Kernel-General",
    ("System", 13): "Microsoft-Windows-Kernel-General",
    ("System", 41): "Microsoft-Windows-Kernel-Power",
}
"""(channel, event ID) that guides recommend and several providers could write → the one meant."""

SUBCATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "System": (
        "Security State Change",
        "Security System Extension",
        "System Integrity",
        "IPsec Driver",
        "Other System Events",
    ),
    "Logon/Logoff": (
        "Logon",
        "Logoff",
        "Account Lockout",
        "IPsec Main Mode",
        "IPsec Quick Mode",
        "IPsec Extended Mode",
        "Special Logon",
        "Other Logon/Logoff Events",
        "Network Policy Server",
        "User / Device Claims",
        "Group Membership",
        "Access Rights",
    ),
    "Object Access": (
        "File System",
        "Registry",
        "Kernel Object",
        "SAM",
        "Certification Services",
        "Application Generated",
        "Handle Manipulation",
        "File Share",
        "Filtering Platform Packet Drop",
        "Filtering Platform Connection",
        "Other Object Access Events",
        "Detailed File Share",
        "Removable Storage",
        "Central Policy Staging",
    ),
    "Privilege Use": ("Sensitive Privilege Use", "Non Sensitive Privilege Use", "Other Privilege Use Events"),
    "Detailed Tracking": (
        "Process Creation",
        "Process Termination",
        "DPAPI Activity",
        "RPC Events",
        "Plug and Play Events",
        "Token Right Adjusted Events",
    ),
    "Policy Change": (
        "Audit Policy Change",
        "Authentication Policy Change",
        "Authorization Policy Change",
        "MPSSVC Rule-Level Policy Change",
        "Filtering Platform Policy Change",
        "Other Policy Change Events",
    ),
    "Account Management": (
        "User Account Management",
        "Computer Account Management",
        "Security Group Management",
        "Distribution Group Management",
        "Application Group Management",
        "Other Account Management Events",
    ),
    "DS Access": (
        "Directory Service Access",
        "Directory Service Changes",
        "Directory Service Replication",
        "Detailed Directory Service Replication",
    ),
    "Account Logon": (
        "Credential Validation",
        "Kerberos Service Ticket Operations",
        "Other Account Logon Events",
        "Kerberos Authentication Service",
    ),
}
"""Audit category → its subcategories, as `auditpol /list` has them."""

_RENAMED: Final[Mapping[str, str]] = {
    "PNP Activity": "Plug and Play Events",
    "User/Device Claims": "User / Device Claims",
    "Central Access Policy Staging": "Central Policy Staging",
}
_CATEGORY_OF: Final = {name: category for category, names in SUBCATEGORIES.items() for name in names}


def channel_path(provider: str, channel: str, is_path: str, siblings: Iterable[str]) -> tuple[str, str]:
    """The full path of a channel as the channel table names it, and how it was found.

    `siblings` are the provider's channels that are paths. The second value is `path`, `derived`, `knowledge` or
    `label` (made, not verified).

    >>> channel_path("Microsoft-Windows-Wcmsvc", "Operational", "label", [])
    ('Microsoft-Windows-Wcmsvc/Operational', 'derived')
    >>> channel_path("LsaSrv", "Operational", "label", ["System", "Microsoft-Windows-LSA/Performance"])
    ('Microsoft-Windows-LSA/Operational', 'derived')
    """
    if (provider, channel) in LABELS:
        return LABELS[provider, channel], "knowledge"
    if channel in CHANNELS:
        return CHANNELS[channel], "knowledge"
    if is_path == "yes":
        return channel, "path"
    bases = {name.partition("/")[0] for name in siblings if "/" in name}
    if len(bases) == 1:
        return f"{bases.pop()}/{channel}", "derived"
    if channel in _PLAIN_LABELS and provider.startswith("Microsoft-Windows-"):
        return f"{provider}/{channel}", "derived"
    return f"{provider}/{channel}", "label"


def audit_place(text: str) -> str:
    """`category / subcategory` of each subcategory that a cell of the audit table names.

    The table lists categories and subcategories side by side; the category is taken from the subcategory.

    >>> audit_place("Detailed Tracking; Audit PNP Activity")
    'Detailed Tracking / Plug and Play Events'
    """
    places = []
    for part in text.split(";"):
        name = part.strip()
        if name in SUBCATEGORIES:
            continue
        if name not in _CATEGORY_OF:
            name = name.removeprefix("Audit ")
        name = _RENAMED.get(name, name)
        if name not in _CATEGORY_OF:
            raise ValueError(f"no audit subcategory is named {name!r}")
        places.append(f"{_CATEGORY_OF[name]} / {name}")
    return "; ".join(sorted(set(places)))
