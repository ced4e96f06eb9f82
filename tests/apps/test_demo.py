"""`undertag demo`: what its screen says is what the data holds, counted here without the engine."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pyarrow.dataset as ds
import pytest
import zstandard
from rich.console import Console

from undertag.apps.cli.commands import run
from undertag.apps.demo import truth_file, week_file
from undertag.apps.demo.findings import find
from undertag.apps.demo.screen import show

ROOT = Path(__file__).parents[2]
AUTOMATION, SMART_CARD = "System.Management.Automation.dll", "WinSCard.dll"
TAGS = {AUTOMATION: "obs.dll.powershell-automation", SMART_CARD: "obs.dll.smart-card-api"}


def demo(out: Path, capfd: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    capfd.readouterr()
    code = run(["demo", "--out", str(out), *options])
    return code, capfd.readouterr().out


def unpacked(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompress(path.read_bytes())


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return [orjson.loads(line)["Event"] for line in unpacked(week_file()).splitlines()]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    assert run(["demo", "--quiet", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def rows(out: Path) -> list[dict[str, Any]]:
    found = ds.dataset(sorted(map(str, (out / "events").rglob("*.parquet"))), format="parquet")
    return [{**row, "record": orjson.loads(row["raw"])["Event"]} for row in found.to_table().to_pylist()]


def event_id(record: dict[str, Any]) -> int:
    number = record["System"]["EventID"]
    return int(number["#text"] if isinstance(number, dict) else number)


def in_attack(record: dict[str, Any]) -> bool:
    truth = json.loads(truth_file().read_bytes())
    system = record["System"]
    return system["EventRecordID"] in truth.get(system["Computer"], {}).get(system["Channel"], [])


def loads_of(records: list[dict[str, Any]], library: str) -> list[dict[str, Any]]:
    return [
        one
        for one in records
        if event_id(one) == 7 and one["EventData"]["ImageLoaded"].endswith("\\" + library)
    ]


def test_counts_are_those_of_the_data(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], records: list[dict[str, Any]]
) -> None:
    code, text = demo(tmp_path, capfd, "--json")
    said = json.loads(text)
    assert code == 0
    assert said["events"] == len(records)
    assert said["systems"] == len({one["System"]["Computer"] for one in records}) == 2
    assert said["attack_events"] == sum(map(in_attack, records))
    loads = {library: loads_of(records, library) for library in TAGS}
    assert [(row["library"], row["alerts"], row["real"]) for row in said["technique_tagger"]["loads"]] == [
        (library, len(found), sum(map(in_attack, found))) for library, found in loads.items()
    ]
    assert said["technique_tagger"]["alerts"] == sum(map(len, loads.values())) > 400
    assert said["technique_tagger"]["real"] == sum(
        in_attack(one) for found in loads.values() for one in found
    )
    for library, found in loads.items():
        assert said["typed"]["tags"][TAGS[library]] == said["tags"][TAGS[library]] == len(found)
    provider = [
        one for one in loads[SMART_CARD] if one["EventData"]["Image"].endswith("\\wbem\\WmiPrvSE.exe")
    ]
    assert said["typed"]["tags"]["mit.host.wmi-provider"] == len(provider) > 50


def test_json_is_stable(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, again = (json.loads(demo(tmp_path, capfd, "--json")[1]) for _ in range(2))
    assert first.pop("seconds") >= 0
    again.pop("seconds")
    assert first == again


def test_innocent_loads_claim_nothing(rows: list[dict[str, Any]]) -> None:
    innocent = [row for row in rows if set(row["tags"]) & set(TAGS.values()) and not in_attack(row["record"])]
    assert len(innocent) > 400
    assert [row["tags"] for row in innocent if any(tag.startswith("attack.") for tag in row["tags"])] == []


def test_nothing_outside_the_attack_is_claimed(rows: list[dict[str, Any]]) -> None:
    claimed = [row for row in rows if any(tag.startswith("attack.") for tag in row["tags"])]
    assert claimed
    assert all(in_attack(row["record"]) for row in claimed)


KEY_EVENTS = {
    "a document starts a shell": (1, "ParentImage", "WINWORD.EXE", "cmd.exe /c", "attack.t1204.002"),
    "text from the web is run": (4104, "ScriptBlockText", "Content", "Invoke-WebRequest", "attack.t1059.001"),
    "LSASS is read from code without a file": (10, "GrantedAccess", "0x1010", "UNKNOWN", "attack.t1003.001"),
    "a service runs a shell": (7045, "ImagePath", "cache.cmd", "COMSPEC", "attack.t1569.002"),
}


@pytest.mark.parametrize(("number", "field", "end", "word", "tag"), KEY_EVENTS.values(), ids=KEY_EVENTS)
def test_key_events_are_claimed(
    rows: list[dict[str, Any]], number: int, field: str, end: str, word: str, tag: str
) -> None:
    found = [
        row
        for row in rows
        if event_id(row["record"]) == number
        and str(row["record"]["EventData"].get(field, "")).endswith(end)
        and word in json.dumps(row["record"]["EventData"])
    ]
    assert [tag in row["tags"] and in_attack(row["record"]) for row in found] == [True]


SEEN_NOT_CLAIMED = {
    "five libraries in one second": (
        7,
        {"obs.dll.smart-card-api", "obs.dll.sam-client", "obs.dll.credential-vault"},
    ),
    "who am I, and who are the administrators": (1, {"obs.proc.whoami", "obs.proc.net-group"}),
    "a tool's service, and its pipe": (17, {"obs.pipe.psexec"}),
    "a task that stays": (4698, {"obs.task.registered"}),
    "the log is cleared": (1102, {"obs.log.security-cleared"}),
}


@pytest.mark.parametrize(("number", "tags"), SEEN_NOT_CLAIMED.values(), ids=SEEN_NOT_CLAIMED)
def test_the_rest_of_the_attack_is_seen(rows: list[dict[str, Any]], number: int, tags: set[str]) -> None:
    found = [row for row in rows if event_id(row["record"]) == number and in_attack(row["record"])]
    assert tags <= {tag for row in found for tag in row["tags"]}


def test_five_libraries_are_loaded_within_a_second(records: list[dict[str, Any]]) -> None:
    mine = [one for one in records if in_attack(one) and event_id(one) == 7]
    by_process = Counter(one["EventData"]["ProcessGuid"] for one in mine)
    shell = by_process.most_common(1)[0][0]
    wanted = {"WinSCard.dll", "samlib.dll", "vaultcli.dll", "hid.dll", "cryptdll.dll"}
    times = [
        one["EventData"]["UtcTime"]
        for one in mine
        if one["EventData"]["ProcessGuid"] == shell
        and one["EventData"]["ImageLoaded"].rpartition("\\")[2] in wanted
    ]
    assert len(times) == len(wanted)
    assert times[0][:19] == times[-1][:19]


def test_loads_beside_a_claim_are_the_real_ones(out: Path) -> None:
    found = find(out)
    assert found.beside_claims == found.real_beside_claims == found.real_alerts > 0
    assert found.claimed == 0


def test_first_can_be_explained(out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = find(out).first
    assert first is not None
    capfd.readouterr()
    assert run(["explain", str(out), "--event", first.uid, "--json"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["event_uid"] == first.event.uid
    assert first.tag["tag"] in [tag["tag"] for tag in said["tags"]]
    assert {"selection", "field", "operator", "pattern", "value"} <= first.facts[0].keys()
    assert first.tag["ask"]
    assert first.tag["action"]


@pytest.mark.parametrize("width", [80, 100, 140, 200])
def test_screen_fits(tmp_path: Path, capfd: pytest.CaptureFixture[str], out: Path, width: int) -> None:
    from undertag.apps.cli.demo import _run
    from undertag.apps.cli.loading import load_rule_set
    from undertag.apps.cli.settings import load_settings

    settings = load_settings(None)
    summary = _run(tmp_path, load_rule_set((), settings, pack=True), settings)
    found, shown = find(out), io.StringIO()
    show(found, summary, "/tmp/undertag-demo-a1b2c3d4", Console(width=width, file=shown, highlight=False))
    lines = shown.getvalue().splitlines()
    assert len(lines) <= 39  # 40, and the prompt
    assert max(map(len, lines)) <= width
    assert found.first is not None
    for word in (
        f"{found.alerts} alerts",
        f"{len(found.claims)} claims",
        *TAGS.values(),
        "mit.host.wmi-provider",
        f"--event {found.first.uid}",
        *(event.techniques[0] for event in found.claims),
    ):
        assert word in shown.getvalue()


def test_quiet_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert demo(tmp_path, capfd, "--quiet") == (0, "")


def test_no_colour_is_plain(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, text = demo(tmp_path, capfd, "--no-color")
    assert code == 0
    assert "\x1b[" not in text


def test_week_is_what_its_generator_writes(tmp_path: Path) -> None:
    tool = ROOT / "tools" / "build_demo.py"
    if not tool.exists():
        pytest.skip("tools/ is not part of this installation")
    for seed, options in (("1", ["--out", str(tmp_path)]), ("2", ["--check"])):  # of hashes, not of the week
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, tool, *options], check=True, capture_output=True, env=environment)
    assert (tmp_path / "truth.json").read_bytes() == truth_file().read_bytes()
    assert unpacked(tmp_path / "week.jsonl.zst") == unpacked(week_file())
    assert week_file().stat().st_size < 400_000


def test_names_and_addresses_are_made_up(records: list[dict[str, Any]]) -> None:
    ranges = ("192.0.2.", "198.51.100.", "203.0.113.", "127.0.0.1")
    for record in records:
        data = record.get("EventData", {})
        assert record["System"]["Computer"].endswith(".corp.example")
        for field in ("DestinationIp", "SourceIp", "IpAddress"):
            assert data.get(field, "-") == "-" or data[field].startswith(ranges), data
        assert data.get("QueryName", ".example").endswith(".example")
