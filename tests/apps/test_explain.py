"""`undertag explain`: why a rule fired, and which part of one that didn't was at fault."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.pipeline.mixed import evtx_json, flat, rule_id, winlogbeat, write_rules, xml

from undertag.apps.cli.commands import run
from undertag.apps.cli.rules_note import noted_rules

CAPFD = pytest.CaptureFixture[str]
SYSMON = {
    "channel": "Microsoft-Windows-Sysmon/Operational",
    "id": 1,
    "provider": "Microsoft-Windows-Sysmon",
    "computer": "a",
    "record": 1,
    "time": "2026-03-01T10:00:00.000000Z",
    "fields": {
        "Image": "C:\\zzz.exe",
        "CommandLine": "zzz -x",
        "User": "CORP\\bob",
        "IntegrityLevel": "High",
    },
}
SECURITY = {
    **SYSMON,
    "channel": "Security",
    "id": 4688,
    "provider": "Microsoft-Windows-Security-Auditing",
    "fields": {
        "NewProcessName": "C:\\Windows\\cmd.exe",
        "CommandLine": "cmd /c whoami",
        "SubjectUserName": "alice",
        "SubjectDomainName": "CORP",
        "MandatoryLabel": "S-1-16-12288",
        "NewProcessId": "0x3e8",
    },
}
SHAPES = {"evtx": evtx_json, "flat": flat, "winlogbeat": winlogbeat, "xml": xml, "csv": None}


def text_of(shape: str) -> str:
    """Both events in one shape."""
    if shape == "xml":
        return xml(SYSMON) + xml(SECURITY)
    if shape == "csv":
        rows = [flat(SYSMON), flat(SECURITY)]
        names = list(dict.fromkeys(name for row in rows for name in row))
        cells = [",".join(str(row.get(name, "")) for name in names) for row in rows]
        return "\n".join([",".join(names), *cells]) + "\n"
    return "".join(json.dumps(SHAPES[shape](event)) + "\n" for event in (SYSMON, SECURITY))  # type: ignore[misc]


OUTPUTS = [*((shape, "out") for shape in SHAPES), *((shape, "out.jsonl") for shape in ("evtx", "xml", "csv"))]


@pytest.fixture(scope="module", params=OUTPUTS, ids=" in ".join)
def output(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """An output, and the uids of the Sysmon and the Security event."""
    shape, name = request.param
    folder = tmp_path_factory.mktemp("explain")
    (folder / "in").write_text(text_of(shape))
    rules = write_rules(folder / "rules")
    run(["tag", str(folder / "in"), "--rules", str(rules), "--no-pack", "--out", str(folder / name), "-q"])
    run(
        [
            "tag",
            str(folder / "in"),
            "--rules",
            str(rules),
            "--no-pack",
            "--out",
            str(folder / "u.jsonl"),
            "-q",
        ]
    )
    said = [orjson.loads(line)["undertag"] for line in (folder / "u.jsonl").open("rb")]
    said.sort(key=lambda one: one["entry"] != "windows/sysmon/1")
    return folder / name, [one["event_uid"] for one in said]


def asked(out: Path, uid: str, rule: str, capfd: CAPFD, *more: str) -> dict[str, Any]:
    capfd.readouterr()
    assert run(["explain", str(out), "--event", uid, "--rule", rule, "--json", *more]) == 0
    document: dict[str, Any] = json.loads(capfd.readouterr().out)
    return document


# event, rule, fired, (selection, field, operator, held, value) of each condition
WHY: dict[str, tuple[int, str, bool, list[tuple[Any, ...]]]] = {
    "contains": (0, "contains", False, [("sel", "CommandLine", "contains", False, "zzz -x")]),
    "contains, fired": (1, "contains", True, [("sel", "CommandLine", "contains", True, "cmd /c whoami")]),
    "renamed": (1, "endswith", False, [("sel", "NewProcessName", "endswith", False, "C:\\Windows\\cmd.exe")]),
    "derived by joining": (1, "user", True, [("sel", "User", "eq", True, "CORP\\alice")]),
    "not derived": (0, "user", False, [("sel", "User", "eq", False, "CORP\\bob")]),
    "derived by a map": (1, "integrity", True, [("sel", "IntegrityLevel", "eq", True, "High")]),
    "absent is null": (0, "null", True, [("sel", "ParentImage", "null", True, None)]),
    "keyword": (0, "keyword", True, [("words", None, "contains", True, None)]),
    "look-around": (0, "lookahead", True, [("sel", "CommandLine", "re", True, "zzz -x")]),
    "no number": (0, "number", False, [("sel", "ProcessId", "gte", False, None)]),
}


@pytest.mark.parametrize("case", WHY)
def test_conditions(case: str, output: tuple[Path, list[str]], capfd: CAPFD) -> None:
    out, uids = output
    event, rule, fired, conditions = WHY[case]
    told = asked(out, uids[event], rule_id(rule), capfd)["rule"]
    assert (told["id"], told["fired"], told["reason"]) == (rule_id(rule), fired, "")
    found = [(one["selection"], one["field"], one["operator"], one["held"]) for one in told["conditions"]]
    assert found == [condition[:4] for condition in conditions]
    for one, (*_, value) in zip(told["conditions"], conditions, strict=True):
        if case not in ("keyword", "absent is null", "no number"):
            assert one["value"] == value
        elif case == "keyword":
            assert "zzz" in one["value"]


@pytest.mark.parametrize(
    "rule", ["contains", "negated", "user", "integrity", "keyword", "number", "null", "any"]
)
@pytest.mark.parametrize("event", [0, 1])
def test_fired_is_what_the_run_found(
    rule: str, event: int, output: tuple[Path, list[str]], capfd: CAPFD
) -> None:
    out, uids = output
    document = asked(out, uids[event], rule_id(rule), capfd)
    ran = {one["id"] for one in document["rules"]}
    assert document["rule"]["fired"] == (rule_id(rule) in ran)
    assert document["rule"]["conditions"] or document["rule"]["reason"]


def test_another_event_id_is_the_reason(output: tuple[Path, list[str]], capfd: CAPFD) -> None:
    out, uids = output
    told = asked(out, uids[0], rule_id("any"), capfd)["rule"]
    assert told["fired"] is False
    assert told["reason"] == "it can't be true in windows/sysmon/1: channel, event ID or provider are others"


def test_another_log_source_is_the_reason(
    output: tuple[Path, list[str]], tmp_path: Path, capfd: CAPFD
) -> None:
    out, uids = output
    (tmp_path / "r.yml").write_text(
        "title: other\nid: 00000000-0000-4000-8000-0000000000aa\nstatus: test\nlevel: low\n"
        "logsource: {product: linux, category: process_creation}\ndetection: {a: {b: c}, condition: a}\n"
    )
    told = asked(out, uids[0], "other", capfd, "--rules", str(tmp_path))["rule"]
    assert told["fired"] is False
    assert told["reason"] == "its log source linux/process_creation/* isn't served by windows/sysmon/1"


@pytest.mark.parametrize("digits", [6, 12, 32])
def test_a_uid_may_be_cut(digits: int, output: tuple[Path, list[str]], capfd: CAPFD) -> None:
    out, uids = output
    capfd.readouterr()
    assert run(["explain", str(out), "--event", uids[1][:digits].upper(), "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["event_uid"] == uids[1]
    assert document["entry"] == "windows/security/4688"


def test_the_screen_shows_rule_field_pattern_and_value(output: tuple[Path, list[str]], capfd: CAPFD) -> None:
    out, uids = output
    capfd.readouterr()
    assert run(["explain", str(out), "--event", uids[1], "--rule", "rule contains", "--no-color"]) == 0
    said = capfd.readouterr().out
    assert "rule contains (00000000-0000-4000-8000-000000000000) fired" in said
    assert "sel CommandLine contains whoami  ← cmd /c whoami" in said


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--event", "xyz"], "is no event uid"),
        (["--event", "abc"], "is no event uid"),
        (["--event", "ffffffffffff"], "no event ffffffffffff in"),
        (["--event", "{uid}", "--rule", "nope"], "no rule 'nope' is loaded"),
    ],
    ids=["no hex", "too short", "not there", "no such rule"],
)
def test_what_can_t_be_found(
    args: list[str], message: str, output: tuple[Path, list[str]], capfd: CAPFD
) -> None:
    out, uids = output
    assert run(["explain", str(out), *(arg.format(uid=uids[0]) for arg in args)]) == 3
    assert f"UT904 {message}" in capfd.readouterr().err.replace("'xyz' ", "").replace("'abc' ", "")


def test_placeholders_are_those_of_the_run(tmp_path: Path, capfd: CAPFD) -> None:
    (tmp_path / "in").write_text(text_of("evtx"))
    (tmp_path / "r.yml").write_text(
        "title: who\nid: 00000000-0000-4000-8000-0000000000aa\nstatus: test\nlevel: low\n"
        "logsource: {product: windows, category: process_creation}\n"
        "detection: {a: {User|expand: '%admins%'}, condition: a}\n"
    )
    (tmp_path / "s.toml").write_text('[placeholders]\nadmins = ["CORP\\\\alice"]\n')
    args = ["--rules", str(tmp_path / "r.yml"), "--no-pack", "--out", str(tmp_path / "o.jsonl")]
    assert run(["tag", str(tmp_path / "in"), *args, "--config", str(tmp_path / "s.toml"), "-q"]) == 0
    uids = [orjson.loads(line)["undertag"]["event_uid"] for line in (tmp_path / "o.jsonl").open("rb")]
    fired = [asked(tmp_path / "o.jsonl", uid, "who", capfd)["rule"]["fired"] for uid in uids]
    assert fired == [False, True]


# selections, condition, fired, (mark, test) of each line on the screen
MARKS: dict[str, tuple[str, str, bool, list[tuple[str, str]]]] = {
    "a not is the reason": (
        "sel: {Image|endswith: zzz.exe}, flt: {User: 'CORP\\bob'}",
        "sel and not flt",
        False,
        [("✓", "sel Image endswith"), ("✗", "not flt User eq")],
    ),
    "a not that lets it through": (
        "sel: {Image|endswith: zzz.exe}, flt: {User: alice}",
        "sel and not flt",
        True,
        [("✓", "sel Image endswith"), ("✓", "not flt User eq")],
    ),
    "half of what is negated holds": (
        "sel: {Image|endswith: cmd.exe}, flt: {User: 'CORP\\bob', IntegrityLevel: Low}",
        "sel and not flt",
        False,
        [("✗", "sel Image endswith"), ("·", "not flt User eq"), ("✓", "not flt IntegrityLevel eq")],
    ),
    "all of what is negated holds": (
        "sel: {Image|endswith: zzz.exe}, flt: {User: 'CORP\\bob', IntegrityLevel: High}",
        "sel and not flt",
        False,
        [("✓", "sel Image endswith"), ("✗", "not flt User eq"), ("✗", "not flt IntegrityLevel eq")],
    ),
    "one alternative is enough": (
        "a: {User: alice}, b: {Image|endswith: zzz.exe}",
        "a or b",
        True,
        [("·", "a User eq"), ("✓", "b Image endswith")],
    ),
    "no alternative": (
        "a: {User: alice}, b: {Image|endswith: zzz.exe}",
        "a or not b",
        False,
        [("✗", "a User eq"), ("✗", "not b Image endswith")],
    ),
    "not of a not": (
        "a: {User: alice}, b: {Image|endswith: zzz.exe}",
        "not (a or not b)",
        True,
        [("✓", "not a User eq"), ("✓", "b Image endswith")],
    ),
}


@pytest.mark.parametrize("case", MARKS)
def test_the_part_at_fault_is_marked(case: str, tmp_path: Path, capfd: CAPFD) -> None:
    selections, condition, fired, lines = MARKS[case]
    (tmp_path / "in").write_text(json.dumps(evtx_json(SYSMON)))
    (tmp_path / "r.yml").write_text(
        "title: who\nid: 00000000-0000-4000-8000-0000000000aa\nstatus: test\nlevel: low\n"
        "logsource: {product: windows, category: process_creation}\n"
        f"detection: {{{selections}, condition: {condition}}}\n"
    )
    out = tmp_path / "o.jsonl"
    run(
        [
            "tag",
            str(tmp_path / "in"),
            "--rules",
            str(tmp_path / "r.yml"),
            "--no-pack",
            "--out",
            str(out),
            "-q",
        ]
    )
    uid = orjson.loads(out.read_bytes())["undertag"]["event_uid"]
    told = asked(out, uid, "who", capfd)["rule"]
    assert told["fired"] is fired
    assert [one["failed"] for one in told["conditions"]] == [mark == "✗" for mark, _ in lines]
    assert [one["negated"] for one in told["conditions"]] == [test.startswith("not ") for _, test in lines]
    run(["explain", str(out), "--event", uid, "--rule", "who", "--no-color"])
    shown = capfd.readouterr().out.partition("who (")[2].splitlines()[1:]
    assert len(shown) == len(lines)
    for line, (mark, test) in zip(shown, lines, strict=True):
        assert line.strip().startswith(f"{mark} {test} ")


def test_a_rule_is_told_as_the_event_tells_it(tmp_path: Path, capfd: CAPFD) -> None:
    (tmp_path / "in").write_text(text_of("evtx"))
    rule = tmp_path / "rule.yml"
    rule.write_text(
        f"title: t\nid: {rule_id('any')}\nlogsource: {{product: windows, category: process_creation}}\n"
        "detection:\n  sel:\n    Image|re|i: ZZZ\n    CommandLine|contains|cased: zzz\n  condition: sel\n"
    )
    out = tmp_path / "out.jsonl"
    run(["tag", str(tmp_path / "in"), "--rules", str(rule), "--no-pack", "--out", str(out), "-q"])
    said = [orjson.loads(row)["undertag"] for row in out.open("rb")]
    event = next(one for one in said if one["rules"])
    told = asked(out, event["event_uid"], rule_id("any"), capfd)["rule"]
    operators = {fact["field"]: fact["operator"] for fact in event["rules"][0]["evidence"]}
    assert operators == {"Image": "re|i", "CommandLine": "contains|cased"}
    assert {one["field"]: one["operator"] for one in told["conditions"]} == operators


@pytest.mark.parametrize("name", [b"r", b"r 1%FF", "r\u00e9\u202e\n".encode(), b"r\xff"], ids=repr)
def test_rules_are_found_whatever_their_folder_is_called(name: bytes, tmp_path: Path, capfd: CAPFD) -> None:
    (tmp_path / "in").write_text(text_of("flat"))
    try:
        rules = write_rules(tmp_path / os.fsdecode(name))
    except OSError:
        pytest.skip("no such name on this disk")
    out = tmp_path / "out.jsonl"
    run(["tag", str(tmp_path / "in"), "--rules", str(rules), "--no-pack", "--out", str(out), "-q"])
    uid = orjson.loads(out.read_bytes().splitlines()[0])["undertag"]["event_uid"]
    asked(out, uid, rule_id("contains"), capfd)


def test_rules_that_an_older_note_names_are_found() -> None:
    assert noted_rules({"rules": ["/a%20b"]}) == ["/a%20b"]
    assert noted_rules({}) == []
