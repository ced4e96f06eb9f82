"""How names in the Windows tables become channel paths and field names.

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

RECORDED_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Microsoft-Windows-Windows Defender": (
        "Action ID",
        "Action Name",
        "Additional Actions ID",
        "Additional Actions String",
        "Category ID",
        "Category Name",
        "Detection ID",
        "Detection Time",
        "Detection User",
        "Engine Version",
        "Error Code",
        "Error Description",
        "Execution ID",
        "Execution Name",
        "Origin ID",
        "Origin Name",
        "Post Clean Status",
        "Pre Execution Status",
        "Process Name",
        "Product Name",
        "Product Version",
        "Remediation User",
        "Severity ID",
        "Severity Name",
        "Signature Version",
        "Source ID",
        "Source Name",
        "Status Code",
        "Status Description",
        "Threat ID",
        "Threat Name",
        "Type ID",
        "Type Name",
    ),
    "Microsoft-Windows-Directory-Services-SAM": ("Client SID:", "Client Network Address:"),
}
"""Provider → field names with spaces as recordings have them (EVTX-ATTACK-SAMPLES, Security-Datasets)."""

WRITERS: Final[Mapping[tuple[str, int], str]] = {
    ("Security", 1102): "Microsoft-Windows-Eventlog",
    ("System", 1): "Microsoft-Windows-Kernel-General",
    ("System", 12): "Microsoft-Windows-Kernel-General",
    ("System", 13): "Microsoft-Windows-Kernel-General",
    ("System", 41): "Microsoft-Windows-Kernel-Power",
}
"""(channel, event ID) that guides recommend and several providers could write → the one meant."""


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
