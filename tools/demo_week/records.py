"""Event records in the shape that the `evtx` library gives them as JSON.

Contract: records are kept in any order and written by time; record numbers count up per system and channel.
Provider GUIDs, versions, tasks and keywords are those that Windows 10 and Sysmon 15 write.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

XMLNS = "http://schemas.microsoft.com/win/2004/08/events/event"


class Provider(NamedTuple):
    """Who writes: `attributes` as in the record, `keywords` unless the event has its own."""

    attributes: dict[str, str]
    channel: str
    keywords: str


class Shape(NamedTuple):
    """What of an event's header is always the same."""

    provider: str
    event_id: int
    version: int
    level: int
    task: int
    opcode: int = 0
    keywords: str = ""


_SCM_GUID = "{555908d1-a6d7-4695-8e1e-26931d2012f4}"
PROVIDERS = {
    "sysmon": Provider(
        {"Name": "Microsoft-Windows-Sysmon", "Guid": "5770385F-C22A-43E0-BF4C-06F5698FFBD9"},
        "Microsoft-Windows-Sysmon/Operational",
        "0x8000000000000000",
    ),
    "security": Provider(
        {"Name": "Microsoft-Windows-Security-Auditing", "Guid": "54849625-5478-4994-A5BA-3E3B0328C30D"},
        "Security",
        "0x8020000000000000",
    ),
    "eventlog": Provider(
        {"Name": "Microsoft-Windows-Eventlog", "Guid": "{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}"},
        "Security",
        "0x4020000000000000",
    ),
    "services": Provider(
        {
            "Name": "Service Control Manager",
            "Guid": _SCM_GUID,
            "EventSourceName": "Service Control Manager",
        },
        "System",
        "0x8080000000000000",
    ),
    "powershell": Provider(
        {"Name": "Microsoft-Windows-PowerShell", "Guid": "A0C1853B-5C40-4B15-8766-3CF1C58F985A"},
        "Microsoft-Windows-PowerShell/Operational",
        "0x0",
    ),
    "tasks": Provider(
        {"Name": "Microsoft-Windows-TaskScheduler", "Guid": "DE7B24EA-73C8-4A09-985D-5BDADCFA9017"},
        "Microsoft-Windows-TaskScheduler/Operational",
        "0x8000000000000000",
    ),
    "defender": Provider(
        {"Name": "Microsoft-Windows-Windows Defender", "Guid": "11CD958A-C507-4EF3-B3F2-5FD9DFBD2C78"},
        "Microsoft-Windows-Windows Defender/Operational",
        "0x8000000000000000",
    ),
}
SHAPES = {
    shape[:2]: shape
    for shape in (
        Shape("sysmon", 1, 5, 4, 1),
        Shape("sysmon", 3, 5, 4, 3),
        Shape("sysmon", 7, 3, 4, 7),
        Shape("sysmon", 10, 3, 4, 10),
        Shape("sysmon", 11, 2, 4, 11),
        Shape("sysmon", 13, 2, 4, 13),
        Shape("sysmon", 17, 1, 4, 17),
        Shape("sysmon", 22, 5, 4, 22),
        Shape("security", 4624, 2, 0, 12544),
        Shape("security", 4634, 0, 0, 12545),
        Shape("security", 4672, 0, 0, 12548),
        Shape("security", 4688, 2, 0, 13312),
        Shape("security", 4698, 1, 0, 12804),
        Shape("security", 5140, 1, 0, 12808),
        Shape("security", 5145, 0, 0, 12811),
        Shape("eventlog", 1102, 1, 4, 104),
        Shape("services", 7036, 0, 4, 0),
        Shape("services", 7045, 0, 4, 0),
        Shape("powershell", 4103, 1, 4, 106, 20),
        Shape("powershell", 4104, 1, 5, 2, 15),
        Shape("tasks", 106, 0, 4, 106),
        Shape("tasks", 200, 1, 4, 200, 1, "0x8000000000000001"),
        Shape("tasks", 201, 2, 4, 201, 2, "0x8000000000000001"),
        Shape("defender", 2000, 0, 4, 0),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One event before it has its record number; `attack` is the truth about it."""

    time: datetime
    computer: str
    shape: Shape
    data: Mapping[str, Any]
    pid: int
    tid: int
    user: str | None
    user_data: bool
    attack: bool


class Log:
    """Takes events, in any order, and gives them back as lines."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self._records: list[Record] = []
        self._attack = False

    @contextmanager
    def attack(self) -> Iterator[None]:
        """What is added meanwhile belongs to the attack."""
        self._attack = True
        try:
            yield
        finally:
            self._attack = False

    def add(
        self,
        time: datetime,
        computer: str,
        provider: str,
        event_id: int,
        data: Mapping[str, Any],
        *,
        pid: int,
        user: str | None = None,
        user_data: bool = False,
    ) -> None:
        """Adds one event; `pid` is the process that writes the log, not the one that the event speaks of."""
        self._records.append(
            Record(
                time=time,
                computer=computer,
                shape=SHAPES[provider, event_id],
                data=data,
                pid=pid,
                tid=self.rng.randrange(16, 2400) * 4,
                user=user,
                user_data=user_data,
                attack=self._attack,
            )
        )

    def lines(self) -> tuple[list[bytes], dict[str, dict[str, list[int]]]]:
        """The lines by time, and the record numbers of the attack by system and channel."""
        numbers: Counter[tuple[str, str]] = Counter()
        lines: list[bytes] = []
        truth: dict[str, dict[str, list[int]]] = {}
        for record in sorted(self._records, key=lambda one: one.time):
            channel = PROVIDERS[record.shape.provider].channel
            place = (record.computer, channel)
            if place not in numbers:  # no log begins with this week
                numbers[place] = self.rng.randrange(20_000, 400_000)
            numbers[place] += 1
            lines.append(_line(record, numbers[place]))
            if record.attack:
                truth.setdefault(record.computer, {}).setdefault(channel, []).append(numbers[place])
        return lines, truth


def _line(record: Record, number: int) -> bytes:
    shape, provider = record.shape, PROVIDERS[record.shape.provider]
    qualified = {"#attributes": {"Qualifiers": 16384}, "#text": shape.event_id}
    system = {
        "Provider": {"#attributes": provider.attributes},
        "EventID": qualified if shape.provider == "services" else shape.event_id,
        "Version": shape.version,
        "Level": shape.level,
        "Task": shape.task,
        "Opcode": shape.opcode,
        "Keywords": shape.keywords or provider.keywords,
        "TimeCreated": {"#attributes": {"SystemTime": record.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")}},
        "EventRecordID": number,
        "Correlation": None,
        "Execution": {"#attributes": {"ProcessID": record.pid, "ThreadID": record.tid}},
        "Channel": provider.channel,
        "Computer": record.computer,
        "Security": {"#attributes": {"UserID": record.user}} if record.user else None,
    }
    event = {"#attributes": {"xmlns": XMLNS}, "System": system}
    event["UserData" if record.user_data else "EventData"] = dict(record.data)
    return json.dumps({"Event": event}, separators=(",", ":"), ensure_ascii=False).encode()
