"""Fields and values as rules name them, in events that name them otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import undertag
from undertag import Tagging

RULE = """title: t
id: 00000000-0000-4000-8000-0000000000cc
logsource: {{{logsource}}}
detection:
  sel: {{{field}}}
  condition: sel
"""
EVENTS: dict[str, tuple[str, str, list[dict[str, Any]]]] = {
    "an application by the name of its API": (
        "product: gcp, service: google_workspace.admin",
        "eventService: admin.googleapis.com, eventName: REMOVE_APPLICATION",
        [
            {
                "kind": "admin#reports#activity",
                "id": {"time": "2024-05-01T00:00:00Z", "applicationName": "admin"},
                "events": [{"type": "APPLICATION_SETTINGS", "name": "REMOVE_APPLICATION"}],
            }
        ],
    ),
    "a firewall in the event log": (
        "product: rpc_firewall, category: application",
        "EventLog: RPCFW, EventID: 3",
        [{"EventLog": "RPCFW", "EventID": 3, "Channel": "RPCFW", "Provider_Name": "RPCFW", "Computer": "x"}],
    ),
}


@pytest.mark.parametrize("name", EVENTS)
def test_rules_find_the_field(name: str, tmp_path: Path) -> None:
    logsource, field, events = EVENTS[name]
    (tmp_path / "r.yml").write_text(RULE.format(logsource=logsource, field=field))
    tagging = Tagging(undertag.load_rules([str(tmp_path)]).rules, pack=False)
    found = list(tagging.tag(events))
    assert [len(event.details["rules"]) for event in found] == [1] * len(events)
