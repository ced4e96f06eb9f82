"""`undertag sources`: the keys of its JSON are a contract, and the text tells the tier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from undertag.apps.cli.commands import run

EVENT = {
    "Event": {
        "System": {
            "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}},
            "EventID": 1,
            "TimeCreated": {"#attributes": {"SystemTime": "2026-01-01T00:00:00Z"}},
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "Computer": "one",
        },
        "EventData": {"Image": "a.exe", "CommandLine": "a"},
    }
}


def answer(capsysbinary: pytest.CaptureFixture[bytes], *argv: str, code: int = 0) -> Any:
    assert run(["sources", *argv, "--json"]) == code
    return json.loads(capsysbinary.readouterr().out)


def event(channel: str, event_id: int, provider: str, time: str = "2026-01-01T00:00:00Z") -> str:
    one = json.loads(json.dumps(EVENT))
    one["Event"]["System"].update(Channel=channel, EventID=event_id)
    one["Event"]["System"]["Provider"]["#attributes"]["Name"] = provider
    one["Event"]["System"]["TimeCreated"]["#attributes"]["SystemTime"] = time
    return json.dumps(one)


def test_list_filters(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = answer(capsysbinary, "list", "windows/sysmon", "--tier", "curated")
    assert found["count"] == len(found["entries"]) >= 29
    assert {row["tier"] for row in found["entries"]} == {"curated"}
    assert answer(capsysbinary, "list", "--platform", "sandbox")["count"] > 0
    kernel = answer(capsysbinary, "list", "windows", "--difficulty", "kernel")["entries"]
    assert all(row["key"].startswith("windows/") for row in kernel)


def test_list_refuses_an_unknown_tier(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert answer(capsysbinary, "list", "--tier", "gold", code=3)["error"]["code"] == "UT903"


def test_show_has_every_attribute_with_its_origin(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = answer(capsysbinary, "show", "windows/security/4688")
    assert found["tier"] == "curated"
    for name in (
        "platform",
        "channel",
        "fields",
        "default",
        "needs",
        "volume",
        "cost",
        "difficulty",
        "attack",
    ):
        assert name in found, name
        assert found["origins"][name] in ("own", "inherited", "table"), name
    assert [(a["guid"], a["success"]) for a in found["audit_subcategories"]] == [
        ("0CCE922B-69AE-11D9-BED3-505054503030", True)
    ]
    assert any("success:enable" in step for step in found["enable"])
    assert not any("failure:enable" in step for step in found["enable"]), "only the outcome that is needed"
    assert len(found["undo"]) == len(found["enable"])


def test_show_of_a_key_without_provider_shows_all(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = answer(capsysbinary, "show", "windows/system/1")
    keys = [entry["key"] for entry in found["entries"]]
    assert len(keys) > 1
    assert all(key.startswith("windows/system/") and key.endswith("/1") for key in keys)


def test_show_of_an_unknown_key(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert answer(capsysbinary, "show", "windows/nothing/1", code=3)["error"]["code"] == "UT314"


def test_search_and_tree_and_relations(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = answer(capsysbinary, "search", "kerberos", "ticket")
    assert "windows/security/4769" in [row["key"] for row in found["entries"]]
    branches = answer(capsysbinary, "tree", "windows", "--depth", "1")["branches"]
    assert {"path", "entries", "curated"} <= branches[0].keys()
    rows = answer(capsysbinary, "relations", "windows/security/4688")["relations"]
    assert {row["kind"] for row in rows} <= {"duplicates", "subset-of", "poorer-than", "needs", "replaces"}
    assert all("windows/security/4688" in (row["from"], row["to"]) for row in rows)
    assert len(answer(capsysbinary, "relations")["relations"]) > len(rows)


def test_resolve_has_its_keys(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = answer(capsysbinary, "resolve", "Loaded DLLs")
    assert {"name", "kind", "entries", "note"} <= found.keys()
    assert "windows/sysmon/7" in found["entries"]
    assert answer(capsysbinary, "resolve", "WinEventLog:Security", "EventCode=4688")["entries"] == [
        "windows/security/4688"
    ]
    assert answer(capsysbinary, "resolve", "nothing at all", code=3)["error"]["code"] == "UT319"
    hint = answer(capsysbinary, "resolve", "windows/process_creation", code=3)["error"]["hint"]
    assert hint.count("windows/process_creation/*") == 1


def test_check_has_its_keys(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = answer(capsysbinary, "check")
    assert found["errors"] == []
    for name in ("entries", "curated"):
        assert isinstance(found[name], int)
    assert found["by_platform"].keys() == found["channels"].keys()
    assert found["umbrellas"]["resolved"] == found["umbrellas"]["total"] == 68
    assert {"resolved", "prose", "corrected", "total"} <= found["aliases"].keys()
    assert {"resolved", "total"} <= found["sigma"].keys()
    assert {"products", "events"} <= found["antivirus"].keys()
    assert 0 < found["known"]["curated"]["volume"]["share"] <= 1


def test_export_gives_every_attribute(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    found = answer(capsysbinary, "export", "windows/security")
    entry = next(one for one in found["entries"] if one["key"] == "windows/security/4624")
    assert entry["audit_subcategories"][0]["guid"] == "0CCE9215-69AE-11D9-BED3-505054503030"
    assert set(entry["prerequisites"]) <= found["prerequisites"].keys()
    assert entry["file"] in found["sources"]


def test_export_as_lines(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["sources", "export", "windows/sysmon"]) == 0
    lines = capsysbinary.readouterr().out.splitlines()
    assert len(lines) >= 29
    assert all(json.loads(line)["key"].startswith("windows/sysmon/") for line in lines)


def test_from_counts_every_event_once(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        "\n".join(
            [
                event("Microsoft-Windows-Sysmon/Operational", 1, "Microsoft-Windows-Sysmon"),
                event(
                    "Microsoft-Windows-Sysmon/Operational",
                    1,
                    "Microsoft-Windows-Sysmon",
                    "2026-01-03T00:00:00Z",
                ),
                event("Made-Up/Operational", 77, "Made-Up"),
            ]
        )
    )
    found = answer(capsysbinary, "from", str(path))
    assert (found["events"], found["catalogued"], found["uncatalogued"]) == (3, 2, 1)
    assert found["entries"]["windows/sysmon/1"] == {
        "events": 2,
        "systems": 1,
        "first": "2026-01-01T00:00:00Z",
        "last": "2026-01-03T00:00:00Z",
        "fields": ["CommandLine", "Image"],
        "per_system_day": 1.0,
        "catalogued": True,
    }
    (draft,) = found["drafts"]
    assert draft["key"] == "windows/made-up/77"
    assert draft["defaults"]["channel"] == "Made-Up/Operational"
    assert draft["entries"]["77"]["fields"] == ["CommandLine", "Image"]


def test_from_says_that_nothing_could_be_read(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert answer(capsysbinary, "from", "/no/such/file", code=4)["events"] == 0


TEXTS = {
    "list": (["list", "windows/sysmon"], "curated"),
    "show": (["show", "windows/security/4688"], "written by hand"),
    "show derived": (["show", "windows/aad/1082"], "derived from a table of facts"),
    "tree": (["tree", "--depth", "1"], "windows"),
    "resolve": (["resolve", "PowerShell logs"], "subset-of Windows event logs"),
    "relations": (["relations", "windows/security/4688"], "relations"),
    "search": (["search", "kerberos"], "entries"),
}


@pytest.mark.parametrize(("argv", "says"), TEXTS.values(), ids=TEXTS.keys())
def test_text(capsysbinary: pytest.CaptureFixture[bytes], argv: list[str], says: str) -> None:
    assert run(["sources", *argv, "--no-color"]) == 0
    assert says in " ".join(capsysbinary.readouterr().out.decode().split())
