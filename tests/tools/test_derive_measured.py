"""Entries from recordings: how they are read, and that the corpora have few events that no entry knows."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tools.derive_measured import cloudtrail_disagreements, known_rows, unlisted_fields
from tools.derive_measured_events import (
    DATASETS,
    EVTX,
    Place,
    Seen,
    dataset_events,
    event_data_names,
    evtx_events,
    tally,
)

from undertag.catalogue.windows import windows_router

ROOT = Path(__file__).parents[2]
DATA = ROOT / "src" / "undertag" / "catalogue" / "data" / "derived"
CORPORA = Path(os.environ.get("UNDERTAG_CORPORA", ROOT.parent / "shared" / "corpora"))


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ({"EventData": {"Image": "x", "#attributes": {}}}, ["Image"]),
        ({"UserData": {"EventXML": {"#attributes": {}, "User": "x"}}}, ["User"]),
        ({"EventData": None}, []),
        ({"EventData": "text"}, []),
        ({"UserData": {"EventXML": None}}, []),
        ({}, []),
    ],
)
def test_event_data_names(event: dict[str, Any], names: list[str]) -> None:
    assert event_data_names(event) == names


def test_datasets_lose_what_the_collector_adds(tmp_path: Path) -> None:
    line = json.dumps({"Channel": "System", "SourceName": "P", "EventID": 7, "Hostname": "h", "param1": "x"})
    with zipfile.ZipFile(tmp_path / "windows_one.zip", "w") as archive:
        archive.writestr("one.json", f"{line}\n\n{line}\n")
    seen: dict[Place, Seen] = {}
    tally(dataset_events(tmp_path), "corpus", seen)
    what = seen["System", "P", 7]
    assert (what.events, list(what.fields), what.corpora) == (2, ["param1"], {"corpus"})


@pytest.mark.parametrize(
    ("basis", "seen", "noted"),
    [
        ("manifest", ["One", "two"], []),
        ("manifest", ["One", "Three"], ["Three"]),
        ("manifest", ["Data"], []),
        ("mapped", ["Three"], []),
    ],
)
def test_unlisted_fields(basis: str, seen: list[str], noted: list[str]) -> None:
    what = Seen(events=1, fields=dict.fromkeys(seen), corpora={"c"})
    found = list(unlisted_fields("k", {"fields_basis": basis, "fields": "One,Two"}, what))
    assert [item["says"]["recordings only"] for item in found] == ([noted] if noted else [])


@pytest.mark.parametrize(
    ("record", "subjects"),
    [
        ({"eventName": "Get", "readOnly": True, "eventCategory": "Management"}, []),
        ({"eventName": "Get", "readOnly": False}, ["read_only of aws/cloudtrail/iam/Get"]),
        ({"eventName": "Get", "eventCategory": "Data"}, ["category of aws/cloudtrail/iam/Get"]),
        ({"eventName": "Other"}, ["aws/cloudtrail/iam/Other"]),
        ({"eventName": "Get"}, []),
    ],
)
def test_cloudtrail_disagreements(tmp_path: Path, record: dict[str, Any], subjects: list[str]) -> None:
    document = {"Records": [{"eventSource": "iam.amazonaws.com", **record}]}
    (tmp_path / "one.json").write_text(json.dumps(document), encoding="utf-8")
    known = {"aws/cloudtrail/iam/Get": {"read_only": "yes", "category": "management"}}
    assert [item["subject"] for item in cloudtrail_disagreements(tmp_path, known)] == subjects


@pytest.mark.corpora
def test_every_recorded_windows_event_has_a_derived_entry() -> None:
    if not (CORPORA / EVTX).is_dir() or not (CORPORA / DATASETS).is_dir():
        pytest.skip(f"no recordings in {CORPORA}; UNDERTAG_CORPORA says where they are")
    seen: dict[Place, Seen] = {}
    tally(evtx_events(CORPORA / EVTX), EVTX, seen)
    tally(dataset_events(CORPORA / DATASETS), DATASETS, seen)
    known = known_rows(DATA, "")
    without = {
        place: what.events for place, what in seen.items() if windows_router().entry(*place).key not in known
    }
    assert sum(what.events for what in seen.values()) > 17_000
    assert without == {}


@pytest.mark.corpora
def test_recorded_cloudtrail_agrees_with_the_table() -> None:
    folder = CORPORA / "aws-cloudtrail"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {CORPORA}; UNDERTAG_CORPORA says where they are")
    assert list(cloudtrail_disagreements(folder, known_rows(DATA, ""))) == []
