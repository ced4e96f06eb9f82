"""undertag from Python says what the command line says, and costs nothing until it is used."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections import UserDict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson
import pyarrow as pa
import pytest
from tests.pipeline.mixed import evtx_json, flat, rule_id, winlogbeat, write_rules
from tests.pipeline.running import lines, tagged

import undertag
from undertag.pipeline.api import _written
from undertag.pipeline.arrow_rows import row_json, rows_of

EVENTS = [
    {
        "channel": "Microsoft-Windows-Sysmon/Operational",
        "id": 1,
        "provider": "Microsoft-Windows-Sysmon",
        "computer": f"host{number % 2}",
        "record": number,
        "time": "2026-03-01T10:00:00.000000Z",
        "fields": {"CommandLine": "whoami" if number % 3 else "other", "User": "x", "ProcessId": number},
    }
    for number in range(3_000)
]
SHAPES = {"evtx": evtx_json, "flat": flat, "winlogbeat": winlogbeat}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules") / "rules")


@pytest.fixture(scope="module")
def tagging(rules: Path) -> undertag.Tagging:
    return undertag.Tagging(undertag.load_rules([rules]).rules, pack=False)


@pytest.mark.parametrize("shape", SHAPES)
def test_dicts_are_tagged_as_by_the_command(shape: str, rules: Path, tmp_path: Path) -> None:
    tagging = undertag.Tagging(undertag.load_rules([rules]).rules, pack=False)
    events = [SHAPES[shape](event) for event in EVENTS]
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(map(orjson.dumps, events)))
    tagged([tmp_path / "in.jsonl"], rules, tmp_path / "out.jsonl")
    found = list(tagging.tag(iter(events)))
    assert [event.details for event in found] == [
        event["undertag"] for event in lines(tmp_path / "out.jsonl")
    ]
    assert [event.event for event in found] == events
    assert tagging.problems == []
    first = found[1]
    assert (first.time, first.system, first.entry) == (
        "2026-03-01T10:00:00.000000Z",
        "host1",
        "windows/sysmon/1",
    )
    assert "attack.t1059.001" in first.tags
    assert rule_id("contains") in [rule["id"] for rule in first.details["rules"]]


def test_events_come_as_they_are_tagged(tagging: undertag.Tagging) -> None:
    taken = 0

    def endless() -> Any:
        nonlocal taken
        while True:
            taken += 1
            yield flat(EVENTS[0])

    stream = tagging.tag(endless())
    assert next(stream).entry == "windows/sysmon/1"
    assert taken < 10_000


def test_equal_events_are_told_apart(tagging: undertag.Tagging) -> None:
    uids = [event.uid for event in tagging.tag([flat(EVENTS[0])] * 5_000)]
    assert len(set(uids)) == 5_000
    assert [event.uid for event in tagging.tag([flat(EVENTS[0])])] == uids[:1]


@pytest.mark.parametrize("kind", [pa.Table, pa.RecordBatch])
def test_arrow_keeps_its_rows(kind: Any, tagging: undertag.Tagging) -> None:
    rows = [flat(event) for event in EVENTS]
    rows[1]["CommandLine"] = None
    table = tagging.tag_arrow(kind.from_pylist(rows))
    assert isinstance(table, pa.Table)
    assert table.column_names == [*rows[0], "event_uid", "entry", "tags", "undertag"]
    assert table.select(list(rows[0])).to_pylist() == rows
    one, two, three = table.slice(0, 3).to_pylist()
    assert (one["entry"], two["entry"]) == ("windows/sysmon/1",) * 2
    fired = [{rule["title"] for rule in json.loads(row["undertag"])["rules"]} for row in (one, two, three)]
    assert ["rule contains" in titles for titles in fired] == [False, False, True]
    assert three["tags"] == [tag["tag"] for tag in json.loads(three["undertag"])["tags"]]
    assert len(set(table["event_uid"].to_pylist())) == len(rows)


def test_rows_that_are_no_event_keep_their_place(tagging: undertag.Tagging) -> None:
    table = tagging.tag_arrow(pa.table({"a": ["x", None, "y"]}))
    assert table["entry"].to_pylist()[0] == table["entry"].to_pylist()[2]
    assert len(table) == 3


def test_what_json_has_no_word_for_is_refused(tagging: undertag.Tagging) -> None:
    with pytest.raises(TypeError):
        list(tagging.tag([{"a": object()}]))


@pytest.mark.parametrize(
    "event",
    [MappingProxyType(flat(EVENTS[1])), UserDict(flat(EVENTS[1])), {**flat(EVENTS[1]), "N": 2**70}],
    ids=["read-only view", "user's mapping", "number beyond 64 bits"],
)
def test_any_mapping_is_an_event(event: Mapping[str, Any], tagging: undertag.Tagging) -> None:
    [plain] = tagging.tag([flat(EVENTS[1])])
    [found] = tagging.tag([event])
    assert (found.event, found.tags) == (event, plain.tags)


def test_half_a_surrogate_pair_is_told_and_left_out(rules: Path) -> None:
    tagging = undertag.Tagging(undertag.load_rules([rules]).rules, pack=False)
    events = [flat(EVENTS[0]), {**flat(EVENTS[1]), "x": "\udc80"}, flat(EVENTS[2])]
    assert [event.event for event in tagging.tag(events)] == [events[0], events[2]]
    assert [problem.code for problem in tagging.problems] == ["UT111"]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_no_number_is_null_beside_what_orjson_cannot_write(number: str, tagging: undertag.Tagging) -> None:
    event = {**flat(EVENTS[1]), "N": 2**70, "T": dt.datetime(2026, 3, 1, tzinfo=dt.UTC)}
    assert json.loads(_written({**event, "x": float(number), "y": "NaN"})) == {
        **event, "T": "2026-03-01T00:00:00+00:00", "x": None, "y": "NaN",
    }  # fmt: skip
    assert [found.entry for found in tagging.tag([{**event, "x": float(number)}])] == ["windows/sysmon/1"]


def nested(depth: int) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for _ in range(depth):
        event = {"a": event}
    return event


def circular() -> dict[str, Any]:
    event: dict[str, Any] = {}
    event["a"] = event
    return event


@pytest.mark.parametrize("event", [nested(100_000), circular()], ids=["too deep", "circular"])
def test_what_json_cannot_hold_is_refused(event: dict[str, Any], tagging: undertag.Tagging) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        list(tagging.tag([event]))


def broken_off() -> Iterator[dict[str, Any]]:
    yield from map(flat, EVENTS[:2_500])
    raise OSError("gone")


@pytest.mark.parametrize(
    ("events", "error"),
    [([*map(flat, EVENTS[:2_500]), {"a": object()}, {}], TypeError), (broken_off(), OSError)],
    ids=["an event without words", "input that breaks off"],
)
def test_what_came_before_an_error_is_given(
    events: Any, error: type[Exception], tagging: undertag.Tagging
) -> None:
    found: list[undertag.TaggedEvent] = []
    with pytest.raises(error):
        found.extend(tagging.tag(events))
    assert [event.event for event in found] == [flat(event) for event in EVENTS[:2_500]]


def test_places_of_problems_count_from_the_first_event(rules: Path) -> None:
    tagging = undertag.Tagging(undertag.load_rules([rules]).rules, pack=False)
    assert len(list(tagging.tag([*map(flat, EVENTS), "x"]))) == len(EVENTS)  # type: ignore[list-item]
    [problem] = tagging.problems
    assert problem.place is not None
    assert problem.place.record == len(EVENTS)


def test_threads_may_share_one(tagging: undertag.Tagging) -> None:
    def systems(name: str) -> set[str]:
        event = {**flat(EVENTS[1]), "Hostname": name, "Computer": name}
        return {found.system for _ in range(150) for found in tagging.tag([event] * 3)}

    names = [f"host{number}" for number in range(4)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(names)) as pool:
            assert list(pool.map(systems, names)) == [{name} for name in names]
    finally:
        sys.setswitchinterval(before)


NANOSECONDS = pa.array([1_500], pa.timestamp("ns"))
MICROSECONDS = "1970-01-01T00:00:00.000001"
COLUMNS = {
    "nanoseconds": (pa.array([1_500], pa.timestamp("ns")), "1970-01-01T00:00:00.000001"),
    "nanoseconds in a list": (pa.array([[1_500]], pa.list_(pa.timestamp("ns"))), ["1970-01-01T00:00:00.000001"]),
    "nanoseconds in a struct": (
        pa.array([{"a": 1_500}], pa.struct([("a", pa.timestamp("ns"))])),
        {"a": "1970-01-01T00:00:00.000001"},
    ),
    "nanoseconds in a fixed-size list": (pa.FixedSizeListArray.from_arrays(NANOSECONDS, 1), [MICROSECONDS]),
    "nanoseconds in a list view": (pa.ListViewArray.from_arrays([0], [1], NANOSECONDS), [MICROSECONDS]),
    "nanoseconds in a map": (
        pa.array([[("a", 1_500)]], pa.map_(pa.string(), pa.timestamp("ns"))),
        [["a", MICROSECONDS]],
    ),
    "nanoseconds in a dictionary": (NANOSECONDS.dictionary_encode(), MICROSECONDS),
    "nanoseconds in a run": (pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), NANOSECONDS), MICROSECONDS),
    "nanoseconds in a union": (
        pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [NANOSECONDS]),
        MICROSECONDS,
    ),
    "date after 9999": (pa.array([3_000_000], pa.int32()).cast(pa.date32()), "10183-09-21"),
    "time after 9999": (pa.array([253_402_300_800]).cast(pa.timestamp("s", "UTC")), "10000-01-01 00:00:00Z"),
    "such a date in a list": (pa.array([[3_000_000]], pa.list_(pa.int32())).cast(pa.list_(pa.date32())), ["10183-09-21"]),
    "long duration": (pa.array([2**62]).cast(pa.duration("s")), 2**62),
    "long duration in milliseconds": (pa.array([2**62]).cast(pa.duration("ms")), 2**62 / 1_000),
    "unknown time zone": (pa.array([0]).cast(pa.timestamp("s", "No/Where")), "1970-01-01 00:00:00Z"),
    "text that is no UTF-8": (
        pa.StringArray.from_buffers(1, pa.array([0, 1], pa.int32()).buffers()[1], pa.py_buffer(b"\xff")),
        "ff",
    ),
    "date": (pa.array([dt.date(2026, 3, 1)]), "2026-03-01"),
    "time": (pa.array([1_500], pa.time64("ns")), "00:00:00.000001"),
    "duration": (pa.array([1_500_000_000], pa.duration("ns")), 1.5),
    "decimal": (pa.array([Decimal("1.50")]), "1.50"),
    "text as bytes": (pa.array(["ä".encode()]), "ä"),
    "other bytes": (pa.array([b"\xff\x00"]), "ff00"),
}  # fmt: skip


@pytest.mark.parametrize(("column", "said"), COLUMNS.values(), ids=COLUMNS)
def test_columns_of_any_type_are_read(column: Any, said: Any, tagging: undertag.Tagging) -> None:
    table = pa.table({"a": column})
    [row] = rows_of(table)
    assert json.loads(row_json(row)) == {"a": said}
    assert tagging.tag_arrow(table).column_names[0] == "a"


def test_a_value_that_python_cannot_hold_changes_no_other() -> None:
    far = pa.array([0, 3_000_000, None], pa.int32()).cast(pa.date32())
    rows = rows_of(pa.table({"a": far, "b": [1, 2, 3]}))
    assert [json.loads(row_json(row)) for row in rows] == [
        {"a": "1970-01-01", "b": 1},
        {"a": "10183-09-21", "b": 2},
        {"b": 3},
    ]


def test_of_rules_with_one_id_the_first_stays_and_the_rest_is_told(rules: Path) -> None:
    loaded = undertag.load_rules([rules]).rules
    twin = replace(loaded[0], title="twin", file="twin.yml")
    tagging = undertag.Tagging([*loaded, twin, loaded[1]], pack=False)
    assert [(problem.code, problem.message) for problem in tagging.problems] == [
        ("UT208", f"twin.yml: the id {twin.id} is taken by {loaded[0].file}")
    ]
    assert "twin" not in {rule.title for rule in tagging.rules}
    own = undertag.load_pack().rules[0]
    assert [problem.code for problem in undertag.Tagging([replace(own, pack=False)]).problems] == ["UT208"]


def test_the_release_is_checked_and_named_as_releases_are(rules: Path) -> None:
    with pytest.raises(undertag.UndertagError) as caught:
        undertag.Tagging(pack=False, settings=undertag.TagSettings(attack_version="99"))
    assert caught.value.problem.code == "UT344"
    tagging = undertag.Tagging(pack=False, settings=undertag.TagSettings(attack_version="v18.1"))
    [event] = tagging.tag([flat(EVENTS[1])])
    assert event.details["attack_version"] == "18.1"


def test_the_pack_comes_along() -> None:
    tagging = undertag.Tagging()
    assert len(tagging.rules) == len(undertag.load_pack().rules) >= 60
    [event] = tagging.tag(
        [
            {
                "Channel": "Microsoft-Windows-Sysmon/Operational",
                "EventID": 7,
                "Image": "C:\\Windows\\System32\\svchost.exe",
                "ImageLoaded": "C:\\Windows\\System32\\WinSCard.dll",
            }
        ]
    )
    assert "obs.dll.smart-card-api" in event.tags


def test_settings_are_followed(rules: Path) -> None:
    settings = undertag.TagSettings(prefix="ACME", attack_version="18.1")
    tagging = undertag.Tagging(undertag.load_rules([rules]).rules, pack=False, settings=settings)
    [event] = tagging.tag([flat(EVENTS[1])])
    assert event.details["attack_version"] == "18.1"
    assert event.details["tags"][0]["title"].startswith("ACME: ")


def test_placeholders_are_filled(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(
        "title: who\nid: 00000000-0000-4000-8000-0000000000aa\nstatus: test\nlevel: low\n"
        "logsource: {product: windows}\ndetection: {a: {User|expand: '%who%'}, condition: a}\n"
    )
    assert [problem.code for problem in undertag.load_rules([tmp_path]).problems] == ["UT214"]
    loaded = undertag.load_rules([tmp_path], placeholders={"who": ["x"]})
    [event] = undertag.Tagging(loaded.rules, pack=False).tag([flat(EVENTS[0])])
    assert [rule["title"] for rule in event.details["rules"]] == ["who"]


def test_no_such_rules() -> None:
    with pytest.raises(undertag.UndertagError) as caught:
        undertag.load_rules(["/no/such/place"])
    assert caught.value.problem.code == "UT200"


HEAVY = {
    "pyarrow",
    "sigma",
    "evtx",
    "duckdb",
    "typer",
    "rich",
    "numpy",
    "msgspec",
    "orjson",
    "lxml",
    "yaml",
    "re2",
}


@pytest.mark.parametrize(
    "code",
    ["import undertag", "import undertag; undertag.UndertagError", "import undertag; undertag.__version__"],
)
def test_importing_costs_nothing(code: str) -> None:
    asked = f"{code}; import sys; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_asking_for_the_version_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv[1:] = ['--version']; from undertag.apps.cli import main; main(); "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"undertag {undertag.__version__}", "[]"]
