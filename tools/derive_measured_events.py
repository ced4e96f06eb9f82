"""Reads recorded Windows events: which (channel, provider, event ID) with which field names.

Contract: only names are read, never values. A damaged recording raises: the corpora are whole.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

EVTX: Final = "evtx-attack-samples"
DATASETS: Final = "security-datasets"
_NOT_EVENT_DATA: Final = frozenset(
    [
        "SourceName",
        "ProviderGuid",
        "Level",
        "Keywords",
        "Channel",
        "Hostname",
        "TimeCreated",
        "@timestamp",
        "@version",
        "EventTime",
        "EventReceivedTime",
        "Message",
        "host",
        "tags",
        "port",
        "ExecutionProcessID",
        "ProcessID",
        "ThreadID",
        "RecordNumber",
        "EventID",
        "SeverityValue",
        "Severity",
        "EventType",
        "Version",
        "Task",
        "Category",
        "Opcode",
        "OpcodeValue",
        "SourceModuleName",
        "SourceModuleType",
        "AccountName",
        "AccountType",
        "UserID",
        "Domain",
        "ActivityID",
        "RelatedActivityID",
        "EventTypeOrignal",
    ]
)
"""What the collector of security-datasets writes beside the event data."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What recordings show of one (channel, provider, event ID)."""

    events: int = 0
    fields: dict[str, None] = field(default_factory=dict)
    corpora: set[str] = field(default_factory=set)


Place = tuple[str, str, int]


def evtx_events(folder: Path) -> Iterator[tuple[Place, Iterable[str]]]:
    """Place and field names of every event of the EVTX files in a folder."""
    import evtx

    for path in sorted(folder.rglob("*.evtx")):
        for record in filter(None, evtx.PyEvtxParser(str(path)).records_json()):
            event = json.loads(record["data"])["Event"]
            system = event["System"]
            number = system["EventID"]
            place = (
                system.get("Channel") or "",
                system["Provider"]["#attributes"].get("Name", ""),
                int(number["#text"] if isinstance(number, dict) else number),
            )
            yield place, event_data_names(event)


def event_data_names(event: Mapping[str, Any]) -> list[str]:
    """Names of the event data, or of the elements under a provider's own element of user data.

    >>> event_data_names({"EventData": {"Image": "x", "#attributes": {}}}), event_data_names({"UserData": {"E": {"A": 1}}})
    (['Image'], ['A'])
    """
    found: list[str] = []
    data = event.get("EventData")
    if isinstance(data, dict):
        found.extend(data)
    user = event.get("UserData")
    if isinstance(user, dict):
        for element in user.values():
            found.extend(element if isinstance(element, dict) else ())
    return [name for name in found if not name.startswith("#")]


def dataset_events(folder: Path) -> Iterator[tuple[Place, Iterable[str]]]:
    """Place and field names of every event of the zipped Windows datasets in a folder."""
    for path in sorted(folder.glob("windows*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as lines:
                    for line in filter(None, map(bytes.strip, lines)):
                        event = json.loads(line)
                        place = (
                            event.get("Channel") or "",
                            event.get("SourceName") or "",
                            int(event["EventID"]),
                        )
                        yield place, [name for name in event if name not in _NOT_EVENT_DATA]


def tally(events: Iterable[tuple[Place, Iterable[str]]], corpus: str, into: dict[Place, Seen]) -> None:
    """Counts events by place."""
    for place, names in events:
        seen = into.setdefault(place, Seen())
        seen.events += 1
        seen.fields.update(dict.fromkeys(names))
        seen.corpora.add(corpus)
