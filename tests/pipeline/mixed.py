"""A small corpus of every shape, with twins and damage in it, and rules of every kind. All made here, seeded."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SYSMON = "Microsoft-Windows-Sysmon/Operational"
SYSMON_PROVIDER = "Microsoft-Windows-Sysmon"
SECURITY_PROVIDER = "Microsoft-Windows-Security-Auditing"
IMAGES = [r"C:\Windows\System32\cmd.exe", r"C:\Windows\explorer.exe", r"C:\Tools\zzz.exe", "C:\\ü\\ı.exe"]
LINES = ["cmd /c whoami", "zzz -x", "aaaaaaaaab", "", "powershell -enc SQBFAFgA", "wmic /node:10.1.2.3 call"]

RULES = {
    "contains": ("process_creation", "sel: {CommandLine|contains: whoami}", "sel"),
    "endswith": ("process_creation", "sel: {Image|endswith: '\\zzz.exe'}", "sel"),
    "negated": (
        "process_creation",
        "sel: {Image|contains: Windows}\n  not_it: {User: null}",
        "sel and not not_it",
    ),
    "user": ("process_creation", "sel: {User: 'CORP\\alice'}", "sel"),
    "integrity": ("process_creation", "sel: {IntegrityLevel: High}", "sel"),
    "linear": ("process_creation", "sel: {CommandLine|re: '(a+)+b$'}", "sel"),
    "lookahead": ("process_creation", "sel: {CommandLine|re: 'zzz(?= -x)'}", "sel"),
    "number": ("process_creation", "sel: {ProcessId|gte: 900}", "sel"),
    "null": ("process_creation", "sel: {ParentImage: null}", "sel"),
}


def rule_id(name: str) -> str:
    """The id of one of the rules."""
    number = [*RULES, "keyword", "any"].index(name)
    return f"{number:08x}-0000-4000-8000-000000000000"


def rule_text(name: str) -> str:
    """One rule as YAML."""
    if name in RULES:
        category, selections, condition = RULES[name]
        source = f"{{product: windows, category: {category}}}"
    elif name == "keyword":
        source, selections, condition = "{product: windows}", "words: [zzz]", "words"
    else:
        source, selections, condition = "{product: windows}", "sel: {EventID: 4688}", "sel"
    return (
        f"title: rule {name}\nid: {rule_id(name)}\nstatus: test\nlogsource: {source}\n"
        f"detection:\n  {selections}\n  condition: {condition}\nlevel: low\ntags: [attack.t1059.001]\n"
    )


def write_rules(folder: Path, order: list[str] | None = None) -> Path:
    """All rules, a file each; `order` says how their files sort."""
    folder.mkdir()
    for place, name in enumerate(order or [*RULES, "keyword", "any"]):
        (folder / f"{place:02}.yml").write_text(rule_text(name), encoding="utf-8")
    return folder


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where it lies and what is in it."""

    folder: Path
    events: int
    damaged: int


def write_corpus(folder: Path, *, events: int = 400, seed: int = 7) -> Corpus:
    """Files of every shape with `events` events each."""
    dice = random.Random(seed)
    folder.mkdir()
    made = [_event(dice, number) for number in range(events)]
    evtx = [json.dumps(evtx_json(event), ensure_ascii=False).encode() for event in made]
    evtx += [evtx[0]] * 3 + evtx[5:9] + [b'{"Event": {"System": }', b"\xff\xfe nothing", b"[1]", b"7"]
    dice.shuffle(evtx)
    (folder / "a.jsonl").write_bytes(b"\n".join(evtx) + b"  \r\n\n")
    flats = [json.dumps(flat(event)).encode() + b" " * dice.randrange(3) for event in made]
    (folder / "b.log").write_bytes(b"\r\n".join([*flats, b'{"cut": "', flats[1]]))
    beats = "\n".join(json.dumps(winlogbeat(event), indent=2) for event in made)
    (folder / "c.json").write_text(beats, encoding="utf-8")
    (folder / "d.csv").write_text(_csv([flat(event) for event in made]), encoding="utf-8")
    (folder / "e.xml").write_text("".join(map(xml, made)), encoding="utf-8")
    (folder / "f.gz").write_bytes(gzip.compress(b"\n".join(evtx[:events])))
    damage = {b'{"Event": {"System": }', b"\xff\xfe nothing", b"[1]", b"7"}
    in_gz = sum(line not in damage for line in evtx[:events])
    return Corpus(
        folder=folder,
        events=(events + 7) + (events + 1) + 3 * events + in_gz,
        damaged=4 + 1 + events - in_gz,
    )


def _event(dice: random.Random, number: int) -> dict[str, Any]:
    security = dice.random() < 0.4
    fields: dict[str, Any] = (
        {
            "NewProcessName": dice.choice(IMAGES),
            "CommandLine": dice.choice(LINES),
            "SubjectUserName": dice.choice(["alice", "bob"]),
            "SubjectDomainName": "CORP",
            "MandatoryLabel": dice.choice(["S-1-16-12288", "S-1-16-8192"]),
            "NewProcessId": hex(number),
        }
        if security
        else {
            "Image": dice.choice(IMAGES),
            "CommandLine": dice.choice(LINES),
            "User": dice.choice(["CORP\\alice", "CORP\\bob"]),
            "ProcessId": dice.randrange(2000),
            "IntegrityLevel": dice.choice(["High", "Medium"]),
        }
    )
    if not security and dice.random() < 0.5:
        fields["ParentImage"] = dice.choice(IMAGES)
    return {
        "channel": "Security" if security else SYSMON,
        "id": 4688 if security else 1,
        "provider": SECURITY_PROVIDER if security else SYSMON_PROVIDER,
        "computer": f"host{number % 3}",
        "record": number,
        "time": f"2026-03-0{1 + number % 3}T10:{number % 60:02}:00.{number:06}Z",
        "fields": fields,
    }


def evtx_json(event: dict[str, Any]) -> dict[str, Any]:
    """EVTX-as-JSON, as the library `evtx` renders it."""
    return {
        "Event": {
            "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
            "System": {
                "Provider": {"#attributes": {"Name": event["provider"]}},
                "EventID": event["id"],
                "TimeCreated": {"#attributes": {"SystemTime": event["time"]}},
                "EventRecordID": event["record"],
                "Channel": event["channel"],
                "Computer": event["computer"],
            },
            "EventData": event["fields"],
        }
    }


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """Flat, as nxlog writes."""
    return {
        "EventID": event["id"],
        "Channel": event["channel"],
        "SourceName": event["provider"],
        "Hostname": event["computer"],
        "TimeCreated": event["time"],
        "RecordNumber": event["record"],
        **event["fields"],
    }


def winlogbeat(event: dict[str, Any]) -> dict[str, Any]:
    """Winlogbeat."""
    return {
        "@timestamp": event["time"],
        "winlog": {
            "channel": event["channel"],
            "event_id": str(event["id"]),
            "provider_name": event["provider"],
            "computer_name": event["computer"],
            "record_id": event["record"],
            "event_data": event["fields"],
        },
    }


def xml(event: dict[str, Any]) -> str:
    """Windows event XML."""
    data = "".join(f'<Data Name="{name}">{_escaped(value)}</Data>' for name, value in event["fields"].items())
    return (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        f'<Provider Name="{event["provider"]}"/><EventID>{event["id"]}</EventID>'
        f'<TimeCreated SystemTime="{event["time"]}"/><EventRecordID>{event["record"]}</EventRecordID>'
        f"<Channel>{event['channel']}</Channel><Computer>{event['computer']}</Computer></System>"
        f"<EventData>{data}</EventData></Event>\n"
    )


def _escaped(value: Any) -> str:
    return str(value).replace("&", "&amp;").replace("<", "&lt;")


def _csv(rows: list[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
