"""Bundles of others: whole, cut short, of other domains, with duplicates, nonsense."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.catalogue.attack.bundles import bundle, revoked_by, technique

from undertag.catalogue.attack import imported_versions, importing, load_release, resolve_tag, versions
from undertag.catalogue.attack.bundle import event_ids
from undertag.catalogue.attack.importing import import_bundle
from undertag.catalogue.attack.telemetry import telemetry_of
from undertag.model.problem import CatalogueError, ReadError, StoreError, UndertagError

GOOD = bundle(
    technique("T1086", "PowerShell", revoked=True),
    technique("T1059.001", "PowerShell"),
    revoked_by("T1086", "T1059.001"),
    {
        "type": "tool",
        "id": "tool--1",
        "name": "Mimikatz",
        "external_references": [{"source_name": "mitre-attack", "external_id": "S0002"}],
    },
)


def put(folder: Path, data: bytes) -> str:
    path = folder / "bundle.json"
    path.write_bytes(data)
    return str(path)


def test_imported_release_can_be_used_at_once(tmp_path: Path) -> None:
    assert resolve_tag("attack.s0002").state == "not-tracked"
    done = import_bundle(put(tmp_path, GOOD), version="v16.1")
    assert (done.version, done.verified, done.techniques, done.tactics, done.others) == (
        "16.1",
        False,
        2,
        1,
        1,
    )
    assert [problem.code for problem in done.problems] == ["UT353"]
    assert imported_versions() == ("16.1",)
    assert versions() == ("4.0", "6.0", "8.2", "16.1", "17.1", "18.1", "19")
    assert resolve_tag("T1086", "16.1").ids == ("T1059.001",)
    found = resolve_tag("attack.s0002")
    assert (found.state, found.name, found.note[:10]) == ("current", "Mimikatz", "as of 16.1")
    assert telemetry_of("T1059.001", "16.1").data_sources == ()


def test_import_of_an_embedded_release_covers_what_its_facts_do_not(tmp_path: Path) -> None:
    assert resolve_tag("attack.s0002", "18.1").state == "not-tracked"
    import_bundle(put(tmp_path, GOOD), version="18.1")
    found = resolve_tag("attack.s0002", "18.1")
    assert (found.state, found.name, found.note) == ("current", "Mimikatz", "")
    assert resolve_tag("attack.s9999", "18.1").state == "unknown"
    assert resolve_tag("attack.g0016", "18.1").state == "not-tracked"
    assert resolve_tag("attack.t1003", "18.1").state == "current", (
        "techniques stay those of the embedded facts"
    )


def test_published_hash_verifies_and_names_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(GOOD).hexdigest()
    monkeypatch.setattr(importing, "published", lambda: {digest: ("2.1", "16.1")})
    done = import_bundle(put(tmp_path, GOOD))
    assert (done.version, done.verified, done.stix, done.problems) == ("16.1", True, "2.1", ())


def test_collection_object_names_the_release(tmp_path: Path) -> None:
    collection = {"type": "x-mitre-collection", "id": "x-mitre-collection--1", "x_mitre_version": "19.2"}
    done = import_bundle(put(tmp_path, bundle(technique("T1059", "Interpreter"), collection)))
    assert done.version == "19.2"
    assert load_release("19.2").technique("T1059") is not None
    assert load_release("19").version == "19"


def test_byte_order_mark_is_no_hindrance(tmp_path: Path) -> None:
    assert import_bundle(put(tmp_path, b"\xef\xbb\xbf" + GOOD), version="16.1").techniques == 2


MOBILE = technique("T1437", "Application Layer Protocol", chain="mitre-mobile-attack")
ICS = technique("T0800", "Activate Firmware Update Mode", chain="mitre-ics-attack")
BAD: list[tuple[str, bytes, str, type[UndertagError]]] = [
    ("cut short", GOOD[:-40], "UT341", ReadError),
    ("cut within a character", GOOD[:-2] + b"\xc3", "UT341", ReadError),
    ("two documents", GOOD + GOOD, "UT341", ReadError),
    ("not UTF-8", GOOD.replace(b"Mimikatz", b"Mimi\xff\xfetz"), "UT341", ReadError),
    ("nested without end", b'{"type":"bundle","x":' + b'{"a":' * 100_000, "UT341", ReadError),
    ("of Mobile", bundle(MOBILE), "UT343", CatalogueError),
    ("of ICS", bundle(ICS), "UT343", CatalogueError),
    ("empty", b"", "UT342", CatalogueError),
    ("zeros", b"\0" * 100_000, "UT342", CatalogueError),
    ("brackets without end", b"[" * 100_000, "UT342", CatalogueError),
    ("a JSON list", b"[]", "UT342", CatalogueError),
    ("another JSON object", b'{"type":"report"}', "UT342", CatalogueError),
    ("objects of a wrong type", b'{"type":"bundle","objects":{"a":1}}', "UT342", CatalogueError),
    (
        "a wrong attribute",
        bundle(technique("T1059", "x", x_mitre_platforms="Windows")),
        "UT342",
        CatalogueError,
    ),
    ("no technique", bundle(), "UT342", CatalogueError),
    ("too many objects", b'{"type":"bundle","objects":[' + b"{" * 1_000_001, "UT342", CatalogueError),
    ("of no known release", GOOD, "UT350", CatalogueError),
]


@pytest.mark.parametrize(("data", "code", "kind"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_bundles(tmp_path: Path, data: bytes, code: str, kind: type[UndertagError]) -> None:
    with pytest.raises(kind) as error:
        import_bundle(put(tmp_path, data), version=None if code == "UT350" else "16.1")
    assert error.value.problem.code == code
    assert imported_versions() == ()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("http://localhost/enterprise-attack.json", "UT351"),
        ("file:///etc/passwd", "UT351"),
        ("https://localhost:1/enterprise-attack.json", "UT348"),
        ("no-such-file.json", "UT348"),
        (".", "UT348"),
    ],
)
def test_bad_sources(source: str, code: str) -> None:
    with pytest.raises(UndertagError) as error:
        import_bundle(source, version="16.1")
    assert error.value.problem.code == code


def test_too_big_is_told_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.json"
    with path.open("wb") as stream:
        stream.truncate(importing.MAX_BYTES + 1)
    with pytest.raises(ReadError) as error:
        import_bundle(str(path))
    assert error.value.problem.code == "UT349"


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StoreError) as error:
        import_bundle(put(tmp_path, GOOD), version="16.1", folder=blocked)
    assert error.value.problem.code == "UT352"


@pytest.mark.parametrize("version", ["../../x", "sixteen", "16.1.2", "16/1", "1" * 40])
def test_release_names_stay_within_the_folder(tmp_path: Path, version: str) -> None:
    with pytest.raises(CatalogueError) as error:
        import_bundle(put(tmp_path, GOOD), version=version)
    assert error.value.problem.code == "UT350"


def codes(tmp_path: Path, *objects: dict[str, Any]) -> list[str]:
    return [
        problem.code for problem in import_bundle(put(tmp_path, bundle(*objects)), version="16.1").problems
    ]


def test_duplicate_object_is_told_and_the_later_one_used(tmp_path: Path) -> None:
    late = technique("T1059", "New name", modified="2026-02-01T00:00:00.000Z")
    for order in ([technique("T1059", "Old name"), late], [late, technique("T1059", "Old name")]):
        assert codes(tmp_path, *order) == ["UT346", "UT353"]
        found = load_release("16.1").technique("T1059")
        assert found is not None
        assert found.name == "New name"


def test_duplicate_attack_id_is_told_and_the_active_one_used(tmp_path: Path) -> None:
    gone = technique("T1059", "Gone", id="attack-pattern--other", revoked=True, modified="2030-01-01")
    assert codes(tmp_path, gone, technique("T1059", "Here")) == ["UT346", "UT353"]
    found = load_release("16.1").technique("T1059")
    assert found is not None
    assert (found.name, found.state) == ("Here", "active")


def test_revoked_without_successor_is_told(tmp_path: Path) -> None:
    assert codes(tmp_path, technique("T1059", "x", revoked=True)) == ["UT347", "UT353"]
    assert resolve_tag("T1059", "16.1").state == "deprecated"


def test_revoked_in_a_circle_ends(tmp_path: Path) -> None:
    circle = [technique(key, key, revoked=True) for key in ("T1001", "T1002")]
    import_bundle(
        put(tmp_path, bundle(*circle, revoked_by("T1001", "T1002"), revoked_by("T1002", "T1001"))),
        version="16.1",
    )
    assert resolve_tag("T1001", "16.1").ids == ()
    assert resolve_tag("T1001", "16.1").state == "deprecated"


def test_damaged_import_is_an_error_that_names_the_file(own_data_folder: Path) -> None:
    folder = own_data_folder / "attack"
    folder.mkdir(parents=True)
    for text in (
        "{",
        "[]",
        "{}",
        json.dumps({"format": 1}),
        json.dumps({"format": 1, "objects": {"T1": [1]}}),
    ):
        (folder / "16.1.json").write_text(text)
        with pytest.raises(CatalogueError) as error:
            load_release("16.1")
        assert error.value.problem.code == "UT345"
        assert "16.1.json" in str(error.value)


@pytest.mark.parametrize(
    ("channel", "ids"),
    [
        ("EventCode=4663, 4670, 4656", (4656, 4663, 4670)),
        ("EventCode=5005 (WLAN), EventCode=302 (Bluetooth)", (302, 5005)),
        ("EventID=1", (1,)),
        ("socket/connect", ()),
        ("None", ()),
        ("EventCode=" + "9" * 1000, ()),
    ],
)
def test_event_ids(channel: str, ids: tuple[int, ...]) -> None:
    assert event_ids(channel) == ids
