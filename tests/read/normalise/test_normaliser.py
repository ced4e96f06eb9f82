"""One event in every shape that is in use is one event."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.model.batch import Batch
from undertag.model.problem import Problem
from undertag.model.source import Records, Unit
from undertag.read.normalise.normaliser import Normaliser

DATA = {"Image": "C:\\x.exe", "ProcessId": 7, "Empty": ""}
TIME = "2020-08-07T14:32:22.000001Z"
CHANNEL, PROVIDER, SYSTEM = "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon", "WS-1"


def evtx(**data: Any) -> dict[str, Any]:
    system = {
        "Provider": {"#attributes": {"Name": PROVIDER}},
        "EventID": 1,
        "TimeCreated": {"#attributes": {"SystemTime": TIME}},
        "Channel": CHANNEL,
        "Computer": SYSTEM,
    }
    return {"Event": {"System": system, "EventData": data or DATA}}


def with_system(**parts: Any) -> dict[str, Any]:
    event = evtx()
    event["Event"]["System"].update(parts)
    return event


SHAPES: dict[str, dict[str, Any]] = {
    "EVTX as JSON": evtx(),
    "an event ID with qualifiers": with_system(EventID={"#attributes": {"Qualifiers": 1}, "#text": 1}),
    "an event ID as text": with_system(EventID="1"),
    "attributes with @": with_system(Provider={"@Name": PROVIDER}, TimeCreated={"@SystemTime": TIME}),
    "named Data elements": evtx(Data=[{"#attributes": {"Name": name}, "#text": value} for name, value in DATA.items()]),
    "named Data elements with @": evtx(Data=[{"@Name": name, "#text": value} for name, value in DATA.items()]),
    "attributes apart": {
        "Event": {
            "System": {
                "Provider_attributes": {"Name": PROVIDER},
                "EventID_attributes": {"Qualifiers": 1},
                "EventID": 1,
                "TimeCreated_attributes": {"SystemTime": TIME},
                "Channel": CHANNEL,
                "Computer": SYSTEM,
                "Security": None,
                "Security_attributes": {"UserID": "S-1-5-18"},
            },
            "EventData_attributes": {"Name": "x"},
            "EventData": DATA,
        },
        "Event_attributes": {"xmlns": "x"},
    },
    "Winlogbeat": {
        "@timestamp": TIME,
        "winlog": {"channel": CHANNEL, "event_id": 1, "provider_name": PROVIDER, "computer_name": SYSTEM, "event_data": DATA},
    },
    "Winlogbeat, dotted": {
        "@timestamp": TIME,
        "winlog.channel": CHANNEL,
        "winlog.event_id": "1",
        "winlog.provider_name": PROVIDER,
        "winlog.computer_name": SYSTEM,
        **{f"winlog.event_data.{name}": value for name, value in DATA.items()},
    },
    "exported from an index": {
        "_source": {
            "@timestamp": TIME,
            "winlog": {"channel": CHANNEL, "event_id": 1, "provider_name": PROVIDER, "computer_name": SYSTEM, "event_data": DATA},
        }
    },
    "flat": {"Channel": CHANNEL, "EventID": 1, "SourceName": PROVIDER, "Hostname": SYSTEM, "UtcTime": TIME, **DATA},
    "flat, data apart": {
        "Channel": CHANNEL,
        "EventID": "1",
        "ProviderName": PROVIDER,
        "Computer": SYSTEM,
        "TimeCreated": TIME,
        "EventData": DATA,
    },
}  # fmt: skip


def normalise(*raws: bytes, format_name: str = "jsonl") -> tuple[list[Batch], list[Problem]]:
    unit = Unit(source="test", source_no=0, format=format_name)
    found = Normaliser(windows_router(), other_router()).normalise(unit, Records(raws=list(raws)))
    return found.batches, found.problems


@pytest.mark.parametrize("event", SHAPES.values(), ids=SHAPES.keys())
def test_shape(event: dict[str, Any]) -> None:
    (batch,), problems = normalise(json.dumps(event).encode())
    assert not problems
    assert batch.entry.key == "windows/sysmon/1"
    assert batch.systems == [SYSTEM]
    assert batch.times == [TIME]
    assert [batch.value(0, name) for name in DATA] == list(DATA.values())
    whole = batch.event(0)
    assert (str(whole["EventID"]), whole["Channel"], whole["Provider_Name"]) == ("1", CHANNEL, PROVIDER)


def test_typed_decoding_sees_what_whole_decoding_sees() -> None:
    names = ("Data", "Empty", "Image", "Missing", "ProcessId")
    for data in (
        DATA,
        {"Data": {"#text": ["a", "b"]}},
        {"Data": "one"},
        {"Image": None},
        None,
        {"Image": 1e308, "n": 1},
    ):
        event = evtx()
        event["Event"]["EventData"] = data
        (one,), _ = normalise(json.dumps(event).encode())
        (other,), _ = normalise(json.dumps(event).encode())
        one.prepare(names)
        assert [list(one.column(name)) for name in names] == [list(other.column(name)) for name in names]


@pytest.mark.parametrize(
    ("own", "expected"),
    [({}, "shown"), ({"Message": "own"}, "own")],
    ids=["none of its own", "one of its own"],
)
def test_the_message_that_windows_shows(own: dict[str, str], expected: str) -> None:
    head = {"channel": CHANNEL, "event_id": 1, "provider_name": PROVIDER}
    rendered = with_system()["Event"] | {"EventData": own, "RenderingInfo": {"Message": "shown"}}
    rendered["System"]["EventID"] = "1"  # a dialect that is decoded whole
    old = {"log_name": CHANNEL, "event_id": 1, "source_name": PROVIDER}
    for shape in (
        {"@timestamp": TIME, "message": "shown", "winlog": {**head, "event_data": own}},
        {"@timestamp": TIME, "message": "shown", **old, "event_data": own},
        {"Event": rendered},
    ):
        (batch,), _ = normalise(json.dumps(shape).encode())
        assert batch.column("Message") == [expected]


@pytest.mark.parametrize(
    ("channel", "more", "expected"),
    [
        ("Windows PowerShell", {}, "text"),
        ("Windows PowerShell", {"Data": "own"}, "own"),
        ("Application", {}, None),
    ],
    ids=["nameless data", "data of its own", "another channel"],
)
def test_flat_data_without_names(channel: str, more: dict[str, str], expected: str | None) -> None:
    event = {"Channel": channel, "EventID": 400, "SourceName": "PowerShell", "Message": "text", **more}
    (batch,), _ = normalise(json.dumps(event).encode())
    assert batch.column("Data") == [expected]


@pytest.mark.parametrize("written", ["Threat Name", "ThreatName", "Threat_Name"])
def test_names_that_collectors_write_without_blanks(written: str) -> None:
    channel, provider = "Microsoft-Windows-Windows Defender/Operational", "Microsoft-Windows-Windows Defender"
    head = {"channel": channel, "event_id": 1116, "provider_name": provider}
    for shape in (
        {"@timestamp": TIME, "winlog": {**head, "event_data": {written: "x"}}},
        {"Channel": channel, "EventID": 1116, "SourceName": provider, written: "x"},
    ):
        (batch,), _ = normalise(json.dumps(shape).encode())
        assert (batch.column("Threat Name"), batch.column(written)) == (["x"], ["x"])
        assert batch.column("Source Name") == [None]


def test_user_data_is_flattened() -> None:
    event = evtx()
    del event["Event"]["EventData"]
    event["Event"]["UserData"] = {"LogFileCleared": {"#attributes": {"xmlns": "x"}, "SubjectUserName": "u"}}
    (batch,), _ = normalise(json.dumps(event).encode())
    assert batch.column("SubjectUserName") == ["u"]


def test_attributes_apart_are_those_of_their_element() -> None:
    event = SHAPES["attributes apart"]["Event"]
    cleared = {"LogFileCleared_attributes": {"Name": "x"}, "LogFileCleared": {"SubjectUserName": "u"}}
    (batch,), _ = normalise(json.dumps({"Event": {"System": event["System"], "UserData": cleared}}).encode())
    whole = batch.event(0)
    assert (whole["EventID_Qualifiers"], whole["Security_UserID"]) == (1, "S-1-5-18")
    assert batch.fields == [{"SubjectUserName": "u"}]


TWELVE = {f"param{number}": f"t{number}" for number in range(12, 0, -1)}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"param1": "a", "param3": "c", "param2": "b"}, ["a", "b", "c"]),
        ({"param1": "a", "Binary": "00"}, "a"),
        (TWELVE, [f"t{number}" for number in range(1, 13)]),
        ({"JobId": "j", "param1": "a"}, None),
        ({"param0": "a", "param1": "b"}, None),
        ({}, None),
    ],
    ids=["three", "one, and bytes", "twelve", "among names", "no number of Winlogbeat's", "none"],
)
def test_data_without_names_that_winlogbeat_numbers(data: dict[str, str], expected: Any) -> None:
    head = {"channel": "Windows PowerShell", "event_id": 400, "provider_name": "PowerShell"}
    old = {"log_name": "Windows PowerShell", "event_id": 400, "source_name": "PowerShell"}
    dotted = {f"winlog.{key}": value for key, value in head.items()}
    shapes = (
        {"@timestamp": TIME, "winlog": {**head, "event_data": data}},
        {"@timestamp": TIME, **dotted, **{f"winlog.event_data.{name}": text for name, text in data.items()}},
        {"@timestamp": TIME, **old, "event_data": data},
    )
    for shape in shapes:
        (batch,), _ = normalise(json.dumps(shape).encode())
        assert batch.column("Data") == [expected]
        assert [batch.value(0, name) for name in data] == list(data.values())


@pytest.mark.parametrize("text", [json.dumps(evtx()), json.dumps(SHAPES["flat"]), '{"Image": "C:\\\\x.exe"}'])
def test_invalid_utf8_is_mended_in_the_fields_and_kept_in_the_record(text: str) -> None:
    raws = [text.replace("x.exe", f"x{bad}.exe").encode("latin-1") for bad in "\xff\xfe"]
    batches, problems = normalise(text.encode(), *raws)
    found = {row: (batch, at) for batch in batches for at, row in enumerate(batch.rows)}
    assert [found[row][0].layout.mended for row in range(3)] == [False, True, True]
    for row, raw in enumerate(raws, 1):
        batch, at = found[row]
        assert batch.raws[at] == raw
        assert batch.uids[at] == sha256(raw).digest()[:16]
        assert batch.value(at, "Image") == "C:\\x\ufffd.exe"
    assert [problem.code for problem in problems] == ["UT112"] * 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"Event"', "UT111"),
        (b"[1]", "UT111"),
        (b"7", "UT111"),
        (b'{"a": NaN}', "UT111"),
        (b'{"a": "\x01"}', "UT111"),
        (b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "UT111"),
        (b'{"a": "\xff"}', "UT112"),
        (json.dumps(evtx()).encode().replace(b"x.exe", b"x\xff.exe"), "UT112"),
        (json.dumps(with_system(Keywords="\u00fc")).encode().replace(b"\\u00fc", b"\xfc"), "UT112"),
        (json.dumps(with_system(TimeCreated={"#attributes": {"SystemTime": "2019-99-99"}})).encode(), "UT113"),
    ],
    ids=["cut short", "an array", "a number", "NaN", "control character", "too deep", "bad UTF-8", "bad UTF-8 in data",
         "bad UTF-8 in a part that is skipped", "no such date"],
)  # fmt: skip
def test_damage_costs_its_record_only(raw: bytes, code: str) -> None:
    good = json.dumps(evtx()).encode()
    batches, problems = normalise(good, raw, good)
    assert [problem.code for problem in problems] == [code]
    rows = sorted(row for batch in batches for row in batch.rows)
    assert rows == ([0, 2] if code == "UT111" else [0, 1, 2])


def test_other_platforms_pass_through() -> None:
    trail = {
        "eventVersion": "1.08",
        "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser",
        "eventTime": "2023-07-10T11:45:00Z",
        "recipientAccountId": "12",
    }
    (batch,), problems = normalise(json.dumps(trail).encode())
    assert not problems
    assert (batch.entry.key, batch.systems, batch.times) == (
        "aws/cloudtrail/iam/CreateUser",
        ["12"],
        ["2023-07-10T11:45:00Z"],
    )
    (unknown,), _ = normalise(b'{"x": 1}')
    assert not unknown.entry.catalogued


def test_units_taken_together_are_numbered_through() -> None:
    """Records of three units, one with none; a problem names the record of its own unit."""
    good, bad = json.dumps(evtx()).encode(), b"{broken"
    raws = [[good, bad], [], [bad, good, good]]
    units = [Unit(source=f"s{number}", source_no=number, format="x") for number in range(3)]
    found = Normaliser(windows_router(), other_router()).together(units, [Records(raws=one) for one in raws])
    (batch,) = found.batches
    assert (found.events, batch.rows) == (3, [0, 3, 4])
    places = [problem.place for problem in found.problems]
    assert [(place.source, place.record) for place in places if place] == [("s0", 1), ("s2", 0)]


def test_decoded_records_and_texts_taken_together() -> None:
    text, doc = json.dumps(evtx()).encode(), SHAPES["flat"]
    units = [Unit(source="s", source_no=0, format="x")] * 2
    records = [Records(raws=[b"<Event/>"], docs=[doc]), Records(raws=[text])]
    found = Normaliser(windows_router(), other_router()).together(units, records)
    assert sorted((batch.rows, batch.layout.json) for batch in found.batches) == [([0], False), ([1], True)]


def test_a_decoded_record_and_a_text_of_one_entry_are_kept_apart() -> None:
    doc = SHAPES["flat"]
    units = [Unit(source="s", source_no=0, format="x")] * 2
    records = [Records(raws=[b"<Event/>"], docs=[doc]), Records(raws=[json.dumps(doc).encode()])]
    found = Normaliser(windows_router(), other_router()).together(units, records)
    assert sorted((batch.rows, batch.layout.json) for batch in found.batches) == [([0], False), ([1], True)]


def test_no_unit_holds_anything() -> None:
    units = [Unit(source="s", source_no=0, format="evtx")]
    assert Normaliser(windows_router(), other_router()).together(units, [Records(raws=[])]).batches == []


HEADER = {
    "Version": 5,
    "Level": 4,
    "Task": 1,
    "Keywords": "0x8000000000000000",
    "EventRecordID": 77,
    "Execution": {"#attributes": {"ProcessID": 1964, "ThreadID": 3}},
    "Correlation": {"#attributes": {"ActivityID": "A1"}},
    "Security": {"#attributes": {"UserID": "S-1-5-18"}},
}


@pytest.mark.parametrize("way", ["typed", "decoded", "a number that none can hold"])
def test_every_field_of_the_header_is_a_column(way: str) -> None:
    """By its value as well as by its being there: what the whole event says, a column says."""
    event = with_system(**HEADER)
    raw = json.dumps(event).encode()
    if way == "decoded":
        raw = b" " + raw
    elif way != "typed":
        raw = raw.replace(b'"Opcode"', b'"x"').replace(b'"Version": 5', b'"Version": 1e999')
    (batch,), _ = normalise(raw)
    whole = batch.event(0)
    for name in (
        "Version",
        "Level",
        "Task",
        "Keywords",
        "EventRecordID",
        "Execution_ProcessID",
        "Security_UserID",
    ):
        assert whole[name] is not None
        assert batch.column(name)[0] == whole[name] == batch.value(0, name)
    assert batch.column("Execution_ThreadID")[0] == 3
    assert batch.column("Correlation_ActivityID")[0] == "A1"
    assert batch.column("Opcode")[0] is None
    assert batch.keys(("Image", "Level"))[0][:2] == (DATA["Image"], 4)


def test_a_field_of_the_data_goes_before_one_of_the_header() -> None:
    event = evtx(Level="high")
    event["Event"]["System"]["Level"] = 4
    (batch,), _ = normalise(json.dumps(event).encode())
    assert batch.column("Level")[0] == batch.event(0)["Level"] == "high"


def test_winlogbeat_gives_level_and_keywords_in_words() -> None:
    winlog = {
        "channel": CHANNEL,
        "event_id": 1,
        "provider_name": PROVIDER,
        "keywords": ["Audit Failure", "x"],
    }
    for log in ({"log": {"level": "warning"}}, {"log.level": "warning"}):
        (batch,), _ = normalise(json.dumps({"winlog": winlog, **log}).encode())
        assert batch.column("Level")[0] == batch.event(0)["Level"] == 3
        assert batch.column("Keywords")[0] == ["Audit Failure", "x", "0x8010000000000000"]
