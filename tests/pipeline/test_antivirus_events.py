"""Anti-virus events from the file to the output: entry, tags, evidence, counts; the same however the work was cut up."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pyarrow.dataset as ds
import pytest
from tests.pipeline.mixed import evtx_json, flat
from tests.pipeline.running import lines, tagged

from undertag.apps.cli.commands import run
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.pipeline.run import Summary
from undertag.tag.antivirus import RULE

SCHEMA: dict[str, Any] = orjson.loads(files("undertag.write").joinpath("event.schema.json").read_bytes())
CAPFD = pytest.CaptureFixture[str]
TIME = "2026-03-01T10:00:00.000000Z"
MIMIKATZ = "HackTool:Win32/Mimikatz.D"


def defender(event_id: int, name: str) -> dict[str, Any]:
    return {
        "channel": "Microsoft-Windows-Windows Defender/Operational",
        "provider": "Microsoft-Windows-Windows Defender",
        "id": event_id,
        "computer": "ws1",
        "record": 1,
        "time": TIME,
        "fields": {"Threat Name": name, "Path": "file:_C:\\t\\m.exe", "Action Name": "Quarantine"},
    }


def eset(**more: Any) -> dict[str, Any]:
    return {
        "event_type": "Threat_Event",
        "hostname": "ws2",
        "source_uuid": "11111111-2222-3333-4444-555555555555",
        "occured": "01-Mar-2026 10:00:00",
        "threat_name": "Win32/Filecoder.Phobos.A",
        **more,
    }


def elastic(os: str, code: str, **more: Any) -> dict[str, Any]:
    host = {"hostname": "ws3", "os": {"type": os}}
    return {"@timestamp": TIME, "event": {"dataset": "endpoint.alerts", "code": code}, "host": host, **more}


def falcon(kind: str, **event: Any) -> dict[str, Any]:
    return {"metadata": {"customerIDString": "c", "eventType": kind}, "event": event}


SIGNATURE = {
    "malware_signature": {"primary": {"signature": {"name": "Windows_Trojan_CobaltStrike_ee756db7"}}}
}
SOPHOS = {"customer_id": "c", "endpoint_id": "e", "endpoint_type": "computer", "created_at": TIME}
GRAVITY = {"module": "av", "companyId": "c", "malware_name": "Trojan.Ransom.WannaCryptor.A"}
TREND = "CEF:0|Trend Micro|Apex Central|2019|AV:File cleaned|TROJ_EMOTET.AB|3|dhost=ws6 act=File cleaned"
DEEP = "CEF:0|Trend Micro|Deep Security Agent|20.0|4000000|Eicar_test_file|6|cn1=1 dvchost=srv1 act=Delete"
SYSLOG = "<12>1 2026-03-01T10:00:01.000Z era ERAServer 1424 - - "

# record, entry, field, value, tags by the name (ATT&CK's left out), fidelity
EVENTS: dict[str, tuple[Any, str, str, str, list[str], str]] = {
    **{
        f"Defender {number}, {shape.__name__}": (
            shape(defender(number, MIMIKATZ)),
            f"windows/windows-defender/{number}",
            "Threat Name",
            MIMIKATZ,
            ["obs.av.hacktool", "obs.av.credential-tool"],
            "medium",
        )
        for number in (1116, 1117)
        for shape in (evtx_json, flat)
    },
    "ESET PROTECT": (
        eset(),
        "antivirus/eset-protect/Threat_Event",
        "threat_name",
        "Win32/Filecoder.Phobos.A",
        ["obs.av.ransomware"],
        "medium",
    ),
    "ESET PROTECT in a syslog line": (
        SYSLOG + json.dumps(eset()),
        "antivirus/eset-protect/Threat_Event",
        "threat_name",
        "Win32/Filecoder.Phobos.A",
        ["obs.av.ransomware"],
        "medium",
    ),
    "Elastic Defend, file": (
        elastic("windows", "malicious_file", file={"Ext": SIGNATURE}),
        "antivirus/elastic-defend/windows/malware_alert",
        "file.Ext.malware_signature.primary.signature.name",
        "Windows_Trojan_CobaltStrike_ee756db7",
        ["obs.av.trojan", "obs.av.c2-framework"],
        "medium",
    ),
    "Elastic Defend, memory": (
        elastic("linux", "memory_signature", process={"Ext": {"memory_region": SIGNATURE}}),
        "antivirus/elastic-defend/linux/memory_threat_alert",
        "process.Ext.memory_region.malware_signature.primary.signature.name",
        "Windows_Trojan_CobaltStrike_ee756db7",
        ["obs.av.trojan", "obs.av.c2-framework"],
        "high",
    ),
    "Sophos Central": (
        {**SOPHOS, "type": "Event::Endpoint::Threat::CleanedUp", "threat": "Troj/Emotet-A"},
        "antivirus/sophos-central/Event::Endpoint::Threat::CleanedUp",
        "threat",
        "Troj/Emotet-A",
        ["obs.av.trojan", "obs.av.loader"],
        "medium",
    ),
    "CrowdStrike": (
        falcon("EppDetectionSummaryEvent", Name="Known Malware", Hostname="ws8"),
        "antivirus/crowdstrike-falcon/EppDetectionSummaryEvent",
        "event.Name",
        "Known Malware",
        ["obs.av.malware", "obs.av.reputation"],
        "low",
    ),
    "Bitdefender": (
        {**GRAVITY, "computer_name": "ws5"},
        "antivirus/bitdefender-gravityzone/av",
        "malware_name",
        "Trojan.Ransom.WannaCryptor.A",
        ["obs.av.ransomware"],
        "medium",
    ),
    "Trend Micro Apex Central, CEF": (
        f"Mar  1 10:00:00 relay {TREND}",
        "antivirus/trend-micro-apex-central/AV:File-cleaned",
        "Name",
        "TROJ_EMOTET.AB",
        ["obs.av.trojan", "obs.av.loader"],
        "medium",
    ),
    "Trend Micro Deep Security, CEF": (
        f"<134>Mar  1 10:00:00 relay {DEEP}",
        "antivirus/trend-micro-deep-security/4000000",
        "Name",
        "Eicar_test_file",
        ["obs.av.test-file"],
        "none",
    ),
    "Kaspersky, CEF": (
        "CEF:0|KasperskyLab|SecurityCenter|13.2|GNRL_EV_VIRUS_FOUND|Malicious object|4|cs1=Trojan.Win32.Emotet.x",
        "antivirus/kaspersky-security-center/cef/GNRL_EV_VIRUS_FOUND",
        "cs1",
        "Trojan.Win32.Emotet.x",
        ["obs.av.trojan", "obs.av.loader"],
        "medium",
    ),
    "Kaspersky, RFC 5424": (
        '<14>1 2026-03-01T10:00:00Z ws9 KES|11.0.0.0 - GNRL_EV_VIRUS_FOUND [event@23668 p5="Trojan.Win32.Emotet.y"] told',
        "antivirus/kaspersky-security-center/GNRL_EV_VIRUS_FOUND",
        "p5",
        "Trojan.Win32.Emotet.y",
        ["obs.av.trojan", "obs.av.loader"],
        "medium",
    ),
}
SILENT: dict[str, tuple[Any, str]] = {
    "empty name": (eset(threat_name=""), "antivirus/eset-protect/Threat_Event"),
    "blank name": (eset(threat_name="  "), "antivirus/eset-protect/Threat_Event"),
    "no name": (eset(threat_name=None), "antivirus/eset-protect/Threat_Event"),
    "N/A": (evtx_json(defender(1116, "N/A")), "windows/windows-defender/1116"),
    "another type of event": (eset(event_type="Audit_Event"), "antivirus/eset-protect/Audit_Event"),
}
OWN = {"title": "tool", "id": "00000000-0000-4000-8000-0000000000aa"}
"""A rule of the user's that gives a tag which names give too."""
RULES = f"""\
title: {OWN["title"]}
id: {OWN["id"]}
status: test
level: high
logsource: {{product: windows, service: windefend}}
detection: {{sel: {{ThreatName|contains: Mimikatz}}, condition: sel}}
tags: [obs.av.hacktool, attack.t1003]
"""


def write_inputs(folder: Path, records: list[Any]) -> None:
    """Objects as JSON lines, texts as a log."""
    folder.mkdir()
    objects = [json.dumps(one) for one in records if not isinstance(one, str)]
    texts = [one for one in records if isinstance(one, str)]
    for name, written in (("a.jsonl", objects), ("b.log", texts)):
        if written:
            (folder / name).write_text("\n".join(written) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "r.yml"
    path.write_text(RULES, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def no_rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("none")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All events, twice over, so that units of a kilobyte cut them up."""
    place = tmp_path_factory.mktemp("all") / "in"
    records = [one[0] for one in (*EVENTS.values(), *SILENT.values())]
    write_inputs(place, records * 2)
    return place


@pytest.fixture(scope="module")
def whole(folder: Path, rules: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    out = tmp_path_factory.mktemp("whole") / "o.jsonl"
    return out, tagged([folder], rules, out, unit_bytes=1 << 30)


def only(record: Any, rules: Path, tmp_path: Path) -> tuple[dict[str, Any], Summary]:
    write_inputs(tmp_path / "in", [record])
    summary = tagged([tmp_path / "in"], rules, tmp_path / "o.jsonl")
    (written,) = lines(tmp_path / "o.jsonl")
    said: dict[str, Any] = written["undertag"]
    return said, summary


@pytest.mark.parametrize("case", EVENTS)
def test_an_event_is_tagged_by_the_name_that_it_gives(case: str, no_rules: Path, tmp_path: Path) -> None:
    record, entry, field, value, tags, fidelity = EVENTS[case]
    said, summary = only(record, no_rules, tmp_path)
    assert said["entry"] == entry
    assert summary.uncatalogued == 0
    by_name = [tag for tag in said["tags"] if tag["kind"] == "obs"]
    assert [tag["tag"] for tag in by_name] == tags
    assert {tag["signature"]["fidelity"] for tag in by_name} == {fidelity}
    assert {tag["signature"]["outcome"] for tag in by_name} == {
        load_catalogue().routes.antivirus[entry].outcome
    }
    (hit,) = said["rules"]
    (evidence,) = hit["evidence"]
    assert (hit["id"], evidence["field"], evidence["operator"], evidence["value"]) == (
        RULE,
        field,
        "named",
        value,
    )
    assert all(tag["rules"] == [RULE] for tag in said["tags"])
    jsonschema.Draft202012Validator(SCHEMA).validate(said)
    assert summary.tagged == 1
    assert {name: summary.tags[name] for name in tags} == dict.fromkeys(tags, 1)


@pytest.mark.parametrize("case", SILENT)
def test_an_event_that_names_nothing_has_no_tag(case: str, no_rules: Path, tmp_path: Path) -> None:
    record, entry = SILENT[case]
    said, summary = only(record, no_rules, tmp_path)
    assert said["entry"] == entry
    assert (said["tags"], said["rules"]) == ([], [])
    assert (summary.tagged, summary.tags) == (0, {})


@pytest.mark.parametrize(
    ("kind", "claimed"),
    [("Threat::CleanedUp", True), ("Threat::PuaDetected", False)],
    ids=["medium fidelity", "low fidelity"],
)
def test_a_technique_is_claimed_only_as_far_as_the_type_of_event_allows(
    kind: str, claimed: bool, no_rules: Path, tmp_path: Path
) -> None:
    record = {**SOPHOS, "type": f"Event::Endpoint::{kind}", "threat": "Troj/WebShel-A"}
    entry = load_catalogue().routes.antivirus[f"antivirus/sophos-central/Event::Endpoint::{kind}"]
    assert entry.fidelity == ("medium" if claimed else "low")
    said, summary = only(record, no_rules, tmp_path)
    assert [tag["tag"] for tag in said["tags"] if tag["kind"] == "attack"] == ["attack.t1505.003"] * claimed
    assert summary.techniques == dict.fromkeys(["T1505.003"] * claimed, 1)
    strengths = {
        link["strength"]
        for tag in said["tags"]
        for link in tag.get("relates", ())
        if link["technique"] == "T1505.003"
    }
    assert strengths == {"indicative" if claimed else "compatible"}


def test_tags_of_rules_and_of_names_are_one_list_without_doubles(rules: Path, tmp_path: Path) -> None:
    said, summary = only(evtx_json(defender(1116, MIMIKATZ)), rules, tmp_path)
    tags = {tag["tag"]: tag for tag in said["tags"]}
    assert len(tags) == len(said["tags"])
    assert {name: tag["rules"] for name, tag in tags.items()} == {
        "obs.av.hacktool": [OWN["id"], RULE],
        "attack.t1003": [OWN["id"]],
        "obs.av.credential-tool": [RULE],
    }
    assert tags["obs.av.hacktool"]["signature"]["family"] == "Mimikatz"
    assert [hit["id"] for hit in said["rules"]] == [OWN["id"], RULE]
    assert summary.tags == dict.fromkeys(tags, 1)
    assert (summary.tagged, summary.techniques) == (1, {"T1003": 1})
    jsonschema.Draft202012Validator(SCHEMA).validate(said)


def test_a_technique_of_a_rule_and_of_a_name_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(RULES.replace("Mimikatz", "Webshell").replace("t1003", "t1505.003"))
    said, summary = only(flat(defender(1116, "Webshell:ASP/Chopper!MSR")), tmp_path / "r.yml", tmp_path)
    tags = {tag["tag"]: tag["rules"] for tag in said["tags"]}
    assert tags["attack.t1505.003"] == [OWN["id"], RULE]
    assert summary.techniques == {"T1505.003": 1}
    assert summary.tags == dict.fromkeys(tags, 1)


def test_the_summary_counts_each_event_and_tag_once(whole: tuple[Path, Summary]) -> None:
    out, summary = whole
    said = [line["undertag"] for line in lines(out)]
    assert len(said) == summary.events == 2 * (len(EVENTS) + len(SILENT))
    assert summary.tagged == sum(bool(one["tags"]) for one in said) == 2 * len(EVENTS)
    names = [tag["tag"] for one in said for tag in one["tags"]]
    assert summary.tags == {name: names.count(name) for name in set(names)}
    techniques = [tag["technique"] for one in said for tag in one["tags"] if "technique" in tag]
    assert summary.techniques == {name: techniques.count(name) for name in set(techniques)}


def test_the_summary_counts_every_hit_that_is_written(whole: tuple[Path, Summary]) -> None:
    out, summary = whole
    hits = [hit["id"] for line in lines(out) for hit in line["undertag"]["rules"]]
    assert summary.rule_hits == {name: hits.count(name) for name in set(hits)}
    assert summary.hits == len(hits)


def test_without_output_the_counts_are_the_same(
    folder: Path, whole: tuple[Path, Summary], capfd: CAPFD
) -> None:
    run(["tag", str(folder), "--json"])
    counted = json.loads(capfd.readouterr().out)
    assert counted["events"] == whole[1].events
    by_names = {name: n for name, n in whole[1].tags.items() if name.startswith("obs.av.")}
    assert {name: n for name, n in counted["tags"].items() if name.startswith("obs.av.")} == by_names


def test_without_the_pack_no_name_is_read(folder: Path, capfd: CAPFD) -> None:
    run(["tag", str(folder), "--no-pack", "--json"])
    counted = json.loads(capfd.readouterr().out)
    assert (counted["tagged"], counted["hits"], counted["tags"]) == (0, 0, {})


def test_only_tagged_keeps_what_only_a_name_tagged(folder: Path, tmp_path: Path, capfd: CAPFD) -> None:
    args = ["--only-tagged", "--out", str(tmp_path / "o.jsonl"), "-q"]
    run(["tag", str(folder), *args])
    named = [
        one
        for one in lines(tmp_path / "o.jsonl")
        if any(t["tag"].startswith("obs.av.") for t in one["undertag"]["tags"])
    ]
    assert len(named) == 2 * len(EVENTS)


@pytest.mark.parametrize(("workers", "unit_bytes"), [(1, 1 << 10), (2, 1 << 10), (2, 1 << 20), (3, 3_000)])
def test_workers_and_units_change_nothing(
    workers: int, unit_bytes: int, folder: Path, rules: Path, whole: tuple[Path, Summary], tmp_path: Path
) -> None:
    out = tmp_path / "o.jsonl"
    summary = tagged([folder], rules, out, workers=workers, unit_bytes=unit_bytes)
    assert out.read_bytes() == whole[0].read_bytes()
    assert replace(summary, seconds=0.0) == replace(whole[1], seconds=0.0)


def test_a_folder_holds_the_same(
    folder: Path, rules: Path, whole: tuple[Path, Summary], tmp_path: Path
) -> None:
    tagged([folder], rules, tmp_path / "o", workers=2, unit_bytes=1 << 10)
    parts = [str(path) for path in (tmp_path / "o" / "events").rglob("*.parquet")]
    stored = {row["event_uid"]: row for row in ds.dataset(parts, format="parquet").to_table().to_pylist()}
    written = {line["undertag"]["event_uid"]: line["undertag"] for line in lines(whole[0])}
    assert stored.keys() == written.keys()
    for uid, said in written.items():
        row = stored[uid]
        assert (row["entry"], row["system"]) == (said["entry"], said["system"])
        assert orjson.loads(row["rules"]) == said["rules"]
        assert orjson.loads(row["tag_details"]) == said["tags"]
        assert row["tags"] == [tag["tag"] for tag in said["tags"]]


# -- explain


def asked(out: Path, uid: str, capfd: CAPFD, *more: str) -> dict[str, Any]:
    capfd.readouterr()
    assert run(["explain", str(out), "--event", uid, "--json", *more]) == 0
    document: dict[str, Any] = json.loads(capfd.readouterr().out)
    return document


@pytest.fixture(scope="module", params=["o.jsonl", "o"], ids=["file", "folder"])
def explained(
    request: pytest.FixtureRequest, rules: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """An output, and the uid of each case's event."""
    place = tmp_path_factory.mktemp("explain")
    cases = {
        **{name: one[0] for name, one in EVENTS.items()},
        **{name: one[0] for name, one in SILENT.items()},
    }
    write_inputs(place / "in", list(cases.values()))
    for out in {"o.jsonl", request.param}:
        args = ["--rules", str(rules), "--out", str(place / out), "-q"]
        run(["tag", str(place / "in"), *args])
    uids = [line["undertag"]["event_uid"] for line in lines(place / "o.jsonl")]
    order = [name for kind in (False, True) for name, one in cases.items() if isinstance(one, str) is kind]
    return place / request.param, dict(zip(order, uids, strict=True))


@pytest.mark.parametrize("case", EVENTS)
def test_explain_shows_the_name_behind_a_tag(
    case: str, explained: tuple[Path, dict[str, str]], capfd: CAPFD
) -> None:
    _, entry, field, value, tags, _ = EVENTS[case]
    out, uids = explained
    document = asked(out, uids[case], capfd, "--rule", RULE)
    assert document["entry"] == entry
    assert {tag["tag"] for tag in document["tags"]} >= set(tags)
    told = document["rule"]
    assert (told["id"], told["fired"], told["reason"]) == (RULE, True, "")
    (condition,) = told["conditions"]
    assert (condition["field"], condition["value"], condition["held"]) == (field, value, True)
    evidence = next(hit for hit in document["rules"] if hit["id"] == RULE)["evidence"][0]
    assert {**evidence, "held": True, "negated": False, "failed": False} == condition


UNNAMED = {
    "empty name": ("the event names no signature", ""),
    "blank name": ("the event names no signature", "  "),
    "no name": ("the event names no signature", None),
    "N/A": ("the event names no signature", "N/A"),
    "another type of event": (
        "the catalogue knows no field of antivirus/eset-protect/Audit_Event that names a signature",
        None,
    ),
}


@pytest.mark.parametrize("case", UNNAMED)
def test_explain_says_why_a_name_was_not_read(
    case: str, explained: tuple[Path, dict[str, str]], capfd: CAPFD
) -> None:
    reason, value = UNNAMED[case]
    out, uids = explained
    told = asked(out, uids[case], capfd, "--rule", RULE)["rule"]
    assert (told["fired"], told["reason"]) == (False, reason)
    found = [(one["held"], one["negated"], one["failed"], one["value"]) for one in told["conditions"]]
    assert found == [(False, False, True, value)] * (case != "another type of event")


def test_explain_of_a_rule_on_such_an_event(explained: tuple[Path, dict[str, str]], capfd: CAPFD) -> None:
    out, uids = explained
    told = asked(out, uids["Defender 1117, flat"], capfd, "--rule", OWN["id"])["rule"]
    assert told["fired"] is True
    assert [one["value"] for one in told["conditions"]] == [MIMIKATZ]
    other = asked(out, uids["Bitdefender"], capfd, "--rule", OWN["id"])["rule"]
    assert (other["fired"], other["reason"].startswith("its log source")) == (False, True)


def test_the_screen_shows_name_fidelity_and_outcome(
    explained: tuple[Path, dict[str, str]], capfd: CAPFD
) -> None:
    out, uids = explained
    capfd.readouterr()
    assert run(["explain", str(out), "--event", uids["Sophos Central"], "--rule", RULE, "--no-color"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "threat named trojan/Emotet ← Troj/Emotet-A" in said
    assert "name read as sophos's; fidelity medium, outcome cured" in said
    assert f"Signature name read ({RULE}) fired" in said
