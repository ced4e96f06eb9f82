"""Ways to spoil a good rule, each with the finding that must come of it."""

from __future__ import annotations

GOOD = r"""title: Smart Card API DLL
id: 43333e90-4948-42a2-8a53-b37e9728443d
status: experimental
description: A process loads WinSCard.dll.
author: somebody
date: 2026-11-24
tags:
  - obs.dll.smart-card-api
logsource:
  product: windows
  category: image_load
detection:
  selection:
    ImageLoaded|endswith: '\WinSCard.dll'
  filter_host:
    Image|endswith: '\LogonUI.exe'
  condition: selection and not filter_host
level: informational
undertag:
  benign:
    - browsers
  relates:
    - technique: T1003.001
      strength: compatible
      why: Some credential tools load it
  ask: Which process loaded it?
  action: Look at its other modules.
  needs:
    - windows/sysmon/7
  examples:
    - Channel: Microsoft-Windows-Sysmon/Operational
      EventID: 7
      Image: C:\a.exe
      ImageLoaded: C:\Windows\System32\WinSCard.dll
  counterexamples:
    - Channel: Microsoft-Windows-Sysmon/Operational
      EventID: 7
      Image: C:\Windows\System32\LogonUI.exe
      ImageLoaded: C:\Windows\System32\WinSCard.dll
    - Channel: Microsoft-Windows-Sysmon/Operational
      EventID: 7
      Image: C:\a.exe
      ImageLoaded: C:\Windows\System32\SCardSvr.dll
"""

_SECOND_WAY = r"""  selection:
    - ImageLoaded|endswith: '\WinSCard.dll'
    - Image|endswith: '\a.exe'
"""
_SELECTION = r"""  selection:
    ImageLoaded|endswith: '\WinSCard.dll'
"""

SPOILT: dict[str, tuple[str, str, str]] = {
    "no author": ("author: somebody\n", "", "UT261"),
    "observation with a level": ("level: informational", "level: high", "UT261"),
    "title with a prefix": ("title: Smart", "title: 'undertag: Smart'\nname: x # ", "UT261"),
    "tag of no kind": ("obs.dll.smart-card-api", "dll.smart-card-api", "UT262"),
    "tag without an area": ("obs.dll.smart-card-api", "obs.smart-card-api", "UT262"),
    "tag too long": ("obs.dll.smart-card-api", "obs.dll.smart-card-api-of-windows", "UT262"),
    "technique claimed": ("  - obs.dll.smart-card-api", "  - obs.dll.x\n  - attack.t1003.001", "UT262"),
    "two observations": ("  - obs.dll.smart-card-api", "  - obs.dll.a\n  - obs.dll.b", "UT262"),
    "unknown key": ("  ask: Which", "  question: Why?\n  ask: Which", "UT263"),
    "no action": ("  action: Look at its other modules.\n", "", "UT263"),
    "nobody benign": ("    - browsers", "    []", "UT263"),
    "ask is no question": ("Which process loaded it?", "Look at the process.", "UT263"),
    "made-up strength": ("strength: compatible", "strength: likely", "UT263"),
    "strength without measurement": ("strength: compatible", "strength: indicative", "UT264"),
    "technique of no release": ("technique: T1003.001", "technique: T9999", "UT264"),
    "technique that moved": ("technique: T1003.001", "technique: T1562.001", "UT264"),
    "need without provider": ("windows/sysmon/7", "windows/system/7045", "UT265"),
    "need of no entry": ("windows/sysmon/7", "windows/sysmon/7007", "UT265"),
    "need that is prose": ("windows/sysmon/7", "Sysmon 7", "UT265"),
    "example does not match": (r"ImageLoaded: C:\Windows\System32\WinSCard.dll", "ImageLoaded: x", "UT266"),
    "example holds by two ways": (_SELECTION, _SECOND_WAY, "UT267"),
    "counterexample matches": ("SCardSvr.dll", "WinSCard.dll", "UT268"),
    "counterexample from elsewhere": (
        "EventID: 7\n      Image: C:\\Windows",
        "EventID: 1\n      Image: C:\\Windows",
        "UT268",
    ),
    "filter never needed": (r"Image: C:\Windows\System32\LogonUI.exe", r"Image: C:\b.exe", "UT269"),
    "field never needed": (
        _SELECTION,
        _SELECTION + "  other:\n    Signed: 'true'\n",
        "",
    ),
    "field that no example shows": (
        "condition: selection and not filter_host",
        "condition: (selection or 1 of other*) and not filter_host\n  other:\n    Signed: 'false'",
        "UT269",
    ),
    "id that is none": ("43333e90-4948-42a2-8a53-b37e9728443d", "smart-card", "UT207"),
}
"""Name of the fault → (text in the good rule, what it becomes, the code of one finding; "" for none)."""
