"""Audit categories and subcategories, and how the audit table's cells name them.

Contract: a subcategory that is not known is an error, so that a new table can't bring in a misspelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
