"""The bench's corpora: seeded, joined within a copy, distinct between copies, and still what rules match."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPORA = Path(os.environ.get("UNDERTAG_CORPORA", ROOT.parent / "shared/corpora"))
EVENTS = 8255
"""Events of the EVTX recordings, hence of one copy."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason=f"no corpora at {CORPORA} (set UNDERTAG_CORPORA)"),
]


@pytest.fixture(scope="module")
def bench() -> Any:
    sys.path.insert(0, str(ROOT / "benches"))
    try:
        yield importlib.import_module
    finally:
        sys.path.remove(str(ROOT / "benches"))


@pytest.fixture(scope="module")
def originals(bench: Any) -> list[dict[str, Any]]:
    sources = bench("sources")
    return [
        orjson.loads(line)["Event"]
        for source in sources.read_sources("evtx-json", CORPORA)
        for line in source.lines
    ]


@pytest.fixture(scope="module")
def varied(bench: Any) -> list[dict[str, Any]]:
    lines = bench("generate").generate(2 * EVENTS, 1, "evtx-json")
    return [orjson.loads(line)["Event"] for line in lines]


def data(event: dict[str, Any]) -> dict[str, Any]:
    found = event.get("EventData")
    return found if isinstance(found, dict) else {}


def joins(events: list[dict[str, Any]]) -> Counter[tuple[int, int]]:
    """How often a process's GUID is an earlier event's: the shape of lineage, whatever the GUIDs are."""
    first: dict[str, int] = {}
    found: Counter[tuple[int, int]] = Counter()
    for number, event in enumerate(events):
        for name in ("ProcessGuid", "ParentProcessGuid", "TargetProcessGUID"):
            guid = data(event).get(name)
            if guid:
                found[first.setdefault(guid, number), number] += 1
    return found


@pytest.mark.parametrize(("seed", "same"), [(1, True), (2, False)], ids=["same seed", "another seed"])
def test_bytes_follow_from_the_seed(bench: Any, varied: list[dict[str, Any]], seed: int, same: bool) -> None:
    again = bench("generate").generate(2 * EVENTS, seed, "evtx-json")
    assert ([orjson.loads(line)["Event"] for line in again] == varied) is same


def test_copy_keeps_the_shape_of_each_event(
    originals: list[dict[str, Any]], varied: list[dict[str, Any]]
) -> None:
    for original, first, second in zip(originals, varied[:EVENTS], varied[EVENTS:], strict=True):
        for copy in (first, second):
            assert list(copy["System"]) == list(original["System"])
            assert [(k, type(v)) for k, v in data(copy).items()] == [
                (k, type(v)) for k, v in data(original).items()
            ]


@pytest.mark.parametrize(
    "field",
    ["Image", "OriginalFileName", "Hashes", "GrantedAccess", "ImageLoaded", "ServiceName", "LogonType"],
)
def test_copy_keeps_what_rules_match(
    originals: list[dict[str, Any]], varied: list[dict[str, Any]], field: str
) -> None:
    def name(event: dict[str, Any]) -> str:
        return re.split(r"[\\/]", str(data(event).get(field)))[-1]

    same = sum(name(a) == name(b) for a, b in zip(originals, varied, strict=False))
    assert same >= EVENTS * 0.99


def test_copy_only_adds_to_a_command_line(
    originals: list[dict[str, Any]], varied: list[dict[str, Any]]
) -> None:
    pairs = [
        (data(a)["CommandLine"], data(b)["CommandLine"])
        for a, b in zip(originals, varied, strict=False)
        if data(a).get("CommandLine")
    ]
    kept = sum(after.startswith(before) for before, after in pairs)
    assert kept >= len(pairs) * 0.75  # the others carry a host, an address, a GUID or a Temp path
    assert sum(before != after for before, after in pairs) >= len(pairs) * 0.75


def test_lineage_stays_joined_within_a_copy_and_apart_between_copies(
    originals: list[dict[str, Any]], varied: list[dict[str, Any]]
) -> None:
    assert joins(varied[:EVENTS]) == joins(originals)
    assert joins(varied[EVENTS:]) == joins(originals)
    first, second = (
        {data(event)["ProcessGuid"] for event in copy if data(event).get("ProcessGuid")}
        for copy in (varied[:EVENTS], varied[EVENTS:])
    )
    assert len(first & second) <= 1  # the null GUID


def test_parent_command_line_is_the_command_line_of_the_parent(
    originals: list[dict[str, Any]], varied: list[dict[str, Any]]
) -> None:
    def agreeing(events: list[dict[str, Any]]) -> int:
        lines = {
            data(e).get("ProcessGuid"): data(e)["CommandLine"] for e in events if "CommandLine" in data(e)
        }
        return sum(
            lines.get(data(e).get("ParentProcessGuid")) == data(e)["ParentCommandLine"]
            for e in events
            if data(e).get("ParentCommandLine")
        )

    assert agreeing(originals) > 100
    assert agreeing(varied[:EVENTS]) == agreeing(originals)


def test_run_spans_a_week_on_known_hosts_with_unique_record_ids(varied: list[dict[str, Any]]) -> None:
    system = [event["System"] for event in varied]
    assert len({s["EventRecordID"] for s in system}) == 2 * EVENTS
    assert all(re.fullmatch(r"WKS-0\d{3}\.corp\.example", s["Computer"]) for s in system)
    times = sorted(s["TimeCreated"]["#attributes"]["SystemTime"] for s in system)
    assert times[0].startswith("2026-03-02T")
    assert times[-1].startswith("2026-03-08T")


def test_well_known_pids_and_sessions_stay(
    originals: list[dict[str, Any]], varied: list[dict[str, Any]]
) -> None:
    for name, values in (("ProcessId", {0, 4, "0x4"}), ("SubjectLogonId", {"0x3e7", "0x3e4", "0x0"})):
        pairs = [(data(a).get(name), data(b).get(name)) for a, b in zip(originals, varied, strict=False)]
        assert {after for before, after in pairs if before in values} <= values
        assert {before for before, after in pairs if after in values} <= values


@pytest.mark.parametrize(
    ("event", "labels"),
    [
        (
            {"Channel": "Security", "EventID": 4688, "NewProcessName": "x"},
            ("security", "process_creation", "x"),
        ),
        (
            {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 13},
            ("sysmon", "registry_set", None),
        ),
        ({"Channel": "Security", "EventID": 5145}, ("security", "none", None)),
        ({"Channel": None, "EventID": 6}, ("none", "none", None)),
    ],
    ids=["audit process with renamed image", "narrower registry category", "no category", "no channel"],
)
def test_labels_for_the_peer(bench: Any, event: dict[str, Any], labels: tuple[str, str, str | None]) -> None:
    sources = bench("sources")
    found = sources.LogSourceLabels().label(event)
    assert (found["service"], found["category"], found.get("Image")) == labels
    assert found["product"] == "windows"
