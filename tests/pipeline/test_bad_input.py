"""Bad input: each damage is told with its code and gives its exit code, and nothing else is lost."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.pipeline.mixed import evtx_json, flat, write_rules
from tests.pipeline.running import lines, tagged, undertag
from tests.read.reading import CORPORA, needs_corpora

from undertag.apps.cli.commands import run
from undertag.write.store.find import batches_of, find_event

EVENT: dict[str, Any] = {
    "channel": "Microsoft-Windows-Sysmon/Operational",
    "id": 1,
    "provider": "Microsoft-Windows-Sysmon",
    "computer": "host",
    "record": 1,
    "time": "2026-03-01T10:00:00.000000Z",
    "fields": {"CommandLine": "zzz -x", "User": "CORP\\alice", "Image": "C:\\zzz.exe", "ProcessId": 950},
}
GOOD = json.dumps(evtx_json(EVENT)).replace('{"Event": ', '{"Event":', 1).encode()


def with_field(text: bytes) -> bytes:
    """The good event with one more field, written as it is."""
    return GOOD.replace(b'"EventData": {', b'"EventData": {"Extra": ' + text + b", ")


def with_time(text: str) -> bytes:
    return GOOD.replace(b'"2026-03-01T10:00:00.000000Z"', text.encode())


def flat_with(text: bytes) -> bytes:
    return json.dumps(flat(EVENT)).encode()[:-1] + b', "Extra": ' + text + b"}"


@dataclass(frozen=True)
class Case:
    """One line among good ones: is it still an event, what is told, how does the program end?"""

    line: bytes
    kept: bool = True
    codes: tuple[str, ...] = ()
    exit_code: int = 0
    time: str | None = "2026-03-01T10:00:00.000000Z"


def bad(line: bytes) -> Case:
    """A line that is left out and told."""
    return Case(line, kept=False, codes=("UT111",), exit_code=1)


def mended(line: bytes) -> Case:
    """A line that is kept, with other bytes for those that are no text."""
    return Case(line, codes=("UT112",))


CASES = {
    "cut short": bad(GOOD[:-20]),
    "invalid UTF-8 in a field": mended(with_field(b'"\xff\xfe"')),
    "invalid UTF-8 in a field that nothing asks for": mended(
        GOOD.replace(b'"Computer": ', b'"Security": {"#attributes": {"UserID": "\xc3"}}, "Computer": ')
    ),
    "invalid UTF-8 in a flat event": mended(flat_with(b'"\xed\xa0\x80"')),
    "lone surrogate": bad(with_field(rb'"\ud800"')),
    "raw control character": bad(with_field(b'"\x01"')),
    "NUL byte": bad(with_field(b'"\0"')),
    "escaped NUL": Case(with_field(rb'"\u0000"')),
    "NaN": bad(with_field(b"NaN")),
    "NaN in a flat event": bad(flat_with(b"NaN")),
    "a number past all bounds": Case(with_field(b"1e999")),
    "an integer of 400 digits": Case(with_field(b"9" * 400)),
    "an integer of 5,000 digits": Case(with_field(b"9" * 5_000)),
    "an integer of 400 digits in a flat event": bad(flat_with(b"9" * 400)),
    "an integer of 40 digits in a flat event": Case(flat_with(b"9" * 40)),
    "800 arrays deep": Case(with_field(b"[" * 800 + b"]" * 800)),
    "800 arrays deep in a flat event": Case(flat_with(b"[" * 800 + b"]" * 800)),
    "5,000 arrays deep": Case(with_field(b"[" * 5_000 + b"]" * 5_000)),
    "5,000 objects deep": Case(with_field(b'{"x":' * 5_000 + b"1" + b"}" * 5_000)),
    "100,000 arrays deep": bad(with_field(b"[" * 100_000 + b"]" * 100_000)),
    "100,000 arrays deep in a flat event": bad(flat_with(b"[" * 100_000 + b"]" * 100_000)),
    "a key twice": Case(with_field(b'"a", "Extra": "b"')),
    "an undertag object already": Case(GOOD[:-1] + b', "undertag": {"event_uid": "forged"}}'),
    "an undertag object beside a number past all bounds": Case(
        with_field(b"1e999")[:-1] + b', "undertag": {"event_uid": "forged"}}'
    ),
    "an undertag object beside 5,000 arrays": Case(
        with_field(b"[" * 5_000 + b"]" * 5_000)[:-1] + b', "undertag": 1}'
    ),
    "an undertag object in a deep flat event": Case(
        flat_with(b"[" * 600 + b"]" * 600)[:-1] + b', "undertag": 1}'
    ),
    "blanks behind": Case(GOOD + b" \t "),
    "blanks before the last brace": Case(GOOD[:-1] + b"  }"),
    "the year 0": Case(with_time('"0000-01-01T00:00:00.000000Z"'), codes=("UT113",), time=None),
    "the year 1": Case(with_time('"0001-01-01T00:00:00.000000Z"'), time="0001-01-01T00:00:00.000000Z"),
    "the year 9999": Case(with_time('"9999-12-31T23:59:59.999999Z"'), time="9999-12-31T23:59:59.999999Z"),
    "past the year 9999 by its zone": Case(
        with_time('"9999-12-31T23:59:59-10:00"'), codes=("UT113",), time=None
    ),
    "the 31st of February": Case(with_time('"2026-02-31T00:00:00.000000Z"'), codes=("UT113",), time=None),
    "a time that is a huge number": Case(with_time("9" * 30), codes=("UT113",), time=None),
    "an array": bad(b"[1, 2]"),
    "a text": bad(b'"x"'),
    "null": bad(b"null"),
}


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rules(tmp_path_factory.mktemp("rules") / "rules")


@pytest.mark.parametrize("where", ["file", "folder"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_one_bad_record(
    case: Case, where: str, rules: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(GOOD + b"\n" + case.line + b"\n" + GOOD + b"\n")
    out = tmp_path / ("out.jsonl" if where == "file" else "out")
    code = run(["tag", str(path), "--rules", str(rules), "--no-pack", "--out", str(out), "--json"])
    summary = json.loads(capfd.readouterr().out)
    assert code == case.exit_code
    assert summary["events"] == 2 + case.kept
    assert tuple(code for code in summary["problem_codes"] if code != "UT421") == case.codes
    if where == "folder":
        return
    # Python's own reader refuses numbers of more than 4,300 digits and nests no deeper than its stack.
    events = [json.loads(line[line.rindex(b'"undertag":') + 11 :].rstrip()[:-1]) for line in out.open("rb")]
    assert len(events) == 2 + case.kept
    assert {event["entry"] for event in events} == {"windows/sysmon/1"}
    if case.kept:
        assert events[1]["time"] == case.time
        assert "rule contains" not in {rule["title"] for rule in events[1]["rules"]}
        assert {"rule keyword", "rule lookahead"} <= {rule["title"] for rule in events[1]["rules"]}
    else:
        [row] = [orjson.loads(line) for line in (tmp_path / "out.jsonl.problems.jsonl").open("rb")][:1]
        assert (row["source"], row["offset"]) == (str(path), len(GOOD) + 1)


@pytest.mark.parametrize(
    "name", ["5,000 arrays deep", "an undertag object already", "blanks behind", "a key twice"]
)
def test_lines_of_odd_records_are_whole(name: str, rules: Path, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(CASES[name].line)
    tagged([tmp_path / "in"], rules, tmp_path / "out.jsonl")
    data = (tmp_path / "out.jsonl").read_bytes()
    assert data.count(b"\n") == 1
    if "deep" not in name:
        event = json.loads(data)
        assert event["Event"] == json.loads(CASES[name].line)["Event"]
        assert len(event["undertag"]["event_uid"]) == 32


def test_records_that_only_bad_bytes_part_stay_apart(rules: Path, tmp_path: Path) -> None:
    """The store keeps a record's bytes, a line its mended text, and both call it by the same uid."""
    records = [with_field(b'"\xff"'), with_field(b'"\xfe"'), GOOD]
    (tmp_path / "in").write_bytes(b"\n".join(records))
    tagged([tmp_path / "in"], rules, tmp_path / "out.jsonl")
    tagged([tmp_path / "in"], rules, tmp_path / "out")
    stored = {row["event_uid"]: row for batch in batches_of(tmp_path / "out") for row in batch.to_pylist()}
    written = lines(tmp_path / "out.jsonl")
    uids = [line.pop("undertag")["event_uid"] for line in written]
    assert [stored[uid]["raw"] for uid in uids] == records
    assert [line["Event"]["EventData"].get("Extra") for line in written] == ["\ufffd", "\ufffd", None]
    assert [stored[uid]["fields"] and orjson.loads(stored[uid]["fields"]) for uid in uids] == [
        *written[:2],
        None,
    ]
    for uid in uids:
        both = [find_event(str(tmp_path / name), uid) for name in ("out.jsonl", "out")]
        assert orjson.loads(both[0].raw) == orjson.loads(both[1].raw)


def test_places_don_t_depend_on_units(rules: Path, tmp_path: Path) -> None:
    dice = random.Random(5)
    text = [dice.choice([GOOD, GOOD[:-9], b"", b"  ", b"1", with_time('"x"'), b"\xff"]) for _ in range(300)]
    text[:20] = [GOOD] * 20
    (tmp_path / "in").write_bytes(b"\n".join(text))
    wanted, at = [], 0
    for line in text:
        if line.strip() and line != GOOD:
            wanted.append(at)
        at += len(line) + 1
    for unit_bytes in (1 << 10, 1 << 30):
        summary = tagged([tmp_path / "in"], rules, tmp_path / "out.jsonl", unit_bytes=unit_bytes)
        places = [problem.place.offset for problem in summary.problems if problem.place is not None]
        assert sorted(place for place in places if place is not None) == wanted


# -- whole files

LINE = GOOD + b"\n"


EVTX_HEADER = b"ElfFile\0" + bytes(34) + b"\x05\0" + bytes(84)
"""It promises five chunks."""


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.jsonl", LINE + b"\n" * (80 << 20))
    return out.getvalue()


FILES: dict[str, tuple[bytes, int, tuple[str, ...], int]] = {
    # content, events, codes, exit code
    "empty": (b"", 0, (), 0),
    "only blanks": (b" \n\n\t\n", 0, (), 0),
    "JSON lines named .evtx": (LINE * 2, 2, (), 0),
    "cut gzip": (
        gzip.compress(os.urandom(9_000).hex().encode() + b"\n" + LINE * 50)[:-40],
        -1,
        ("UT103",),
        4,
    ),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(200), 0, ("UT102",), 4),
    "an EVTX header and no more": (EVTX_HEADER, 0, ("UT117",), 1),
    "zip bomb": (zip_bomb(), 1, ("UT104",), 4),
    "a line of 20 MB": (LINE + b'{"a":"' + b"x" * (20 << 20) + b'"}\n' + LINE, 2, ("UT114",), 1),
}


@pytest.mark.parametrize("name", FILES)
def test_one_bad_file_among_good_ones(
    name: str, rules: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content, events, codes, exit_code = FILES[name]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(LINE)
    (folder / "b.evtx").write_bytes(content)
    (folder / "c.jsonl").write_bytes(LINE)
    args = ["tag", str(folder), "--rules", str(rules), "--no-pack", "--out", str(tmp_path / "out"), "--json"]
    assert run(args) == exit_code
    summary = json.loads(capfd.readouterr().out)
    assert tuple(code for code in summary["problem_codes"] if code not in ("UT421", "UT111")) == codes
    if events >= 0:
        assert summary["events"] == 2 + events
    else:
        assert summary["events"] >= 2
    assert summary["complete"] is True


def test_a_file_that_isn_t_there_and_one_that_may_not_be_read(
    rules: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = tmp_path / "good.jsonl"
    good.write_bytes(LINE)
    (tmp_path / "secret").write_bytes(LINE)
    real = Path.open

    def refuse(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == "secret":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **more)

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr("builtins.open", _refusing(open))
    args = [str(tmp_path / "none"), str(tmp_path / "secret"), str(good)]
    assert run(["tag", *args, "--rules", str(rules), "--no-pack", "--json"]) == 4
    said = capfd.readouterr()
    assert json.loads(said.out)["events"] == 1
    assert json.loads(said.out)["problem_codes"]["UT101"] == 2
    assert "none: UT101 can't read: No such file or directory" in said.err
    assert "secret: UT101 can't read: Permission denied" in said.err


def _refusing(real: Any) -> Any:
    def refuse(path: Any, *args: Any, **more: Any) -> Any:
        if str(path).endswith("secret"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **more)

    return refuse


@pytest.mark.corpora
@needs_corpora[1]
@pytest.mark.parametrize("damage", ["cut short", "flipped bits"])
def test_damaged_evtx_costs_what_is_damaged(
    damage: str, rules: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = max(
        (path for path in (CORPORA / "evtx-attack-samples").rglob("*.evtx") if path.stat().st_size < 3 << 20),
        key=lambda path: path.stat().st_size,
    )
    data = bytearray(source.read_bytes())
    whole = tagged([source], rules, tmp_path / "whole.jsonl")
    if damage == "cut short":
        data = data[: 4096 + 65_536 + 5_000]
    else:
        data[4096 + 70_000] ^= 0x40  # in the second chunk
    (tmp_path / "bad.evtx").write_bytes(data)
    code = run(
        [
            "tag",
            str(tmp_path / "bad.evtx"),
            "--rules",
            str(rules),
            "--out",
            str(tmp_path / "o.jsonl"),
            "--json",
        ]
    )
    summary = json.loads(capfd.readouterr().out)
    assert 0 < summary["events"] <= whole.events
    assert {code for code in summary["problem_codes"] if code < "UT2"} & {"UT115", "UT116", "UT117"}
    assert code in (0, 1)
    before = {line["undertag"]["event_uid"] for line in lines(tmp_path / "whole.jsonl")}
    after = {line["undertag"]["event_uid"] for line in lines(tmp_path / "o.jsonl")}
    assert len(after & before) >= min(len(before), len(after)) - 2


# -- regular expressions

SLOW = {
    "look-around": r"^(?=.)(a|aa)+$",
    "look-around and the same twice": r"^(?=a)(?:a|a)*$",
}


@pytest.mark.parametrize("name", SLOW)
def test_a_catastrophic_expression_is_cut_off_and_told(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rule.yml").write_text(
        "title: slow\nid: 00000000-0000-4000-8000-000000000099\nstatus: test\nlevel: low\n"
        "logsource: {product: windows, category: process_creation}\n"
        f"detection: {{sel: {{CommandLine|re: '{SLOW[name]}'}}, condition: sel}}\n"
    )
    events = []
    for number in range(60):
        event = {**EVENT, "fields": {**EVENT["fields"], "CommandLine": "a" * (40 + number) + "b"}}
        events.append(json.dumps(evtx_json(event)).encode())
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(events))
    started = time.monotonic()
    assert (
        run(["tag", str(tmp_path / "in.jsonl"), "--rules", str(tmp_path / "rule.yml"), "--no-pack", "--json"])
        == 0
    )
    assert time.monotonic() - started < 20
    said = capfd.readouterr()
    summary = json.loads(said.out)
    assert summary["events"] == 60
    assert summary["problem_codes"]["UT260"] == 1
    assert "UT260 a regular expression took too long" in said.err


def test_nested_repeats_are_linear(tmp_path: Path, rules: Path) -> None:
    event = {**EVENT, "fields": {**EVENT["fields"], "CommandLine": "a" * 30_000}}
    (tmp_path / "in.jsonl").write_bytes(json.dumps(evtx_json(event)).encode())
    started = time.monotonic()
    summary = tagged([tmp_path / "in.jsonl"], rules, tmp_path / "out.jsonl")
    assert time.monotonic() - started < 5
    assert not [problem for problem in summary.problems if problem.code == "UT260"]


# -- rules


RULE = (
    "title: {title}\nid: {id}\nstatus: test\nlevel: low\nlogsource: {{product: windows}}\n"
    "detection: {{sel: {{{field}: x}}, condition: {condition}}}\n"
)
ONE, TWO = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2))
RULES = {
    "all fine": ([RULE.format(title="a", id=ONE, field="A", condition="sel")], 0, {}),
    "YAML error": (["title: [\n"], 2, {"UT201": 1}),
    "duplicate id": (
        [RULE.format(title=title, id=ONE, field="A", condition="sel") for title in "ab"],
        2,
        {"UT208": 1},
    ),
    "unknown modifier": ([RULE.format(title="a", id=ONE, field="A|nope", condition="sel")], 2, {"UT210": 1}),
    "unset placeholder": (
        [RULE.format(title="a", id=ONE, field="A|expand", condition="sel").replace(": x}", ": '%me%'}")],
        0,
        {"UT214": 1},
    ),
    "not a rule": (["a: 1\n"], 0, {"UT204": 1}),
}


@pytest.mark.parametrize("name", RULES)
def test_a_bad_rule_is_told_and_the_others_run(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts, exit_code, codes = RULES[name]
    (tmp_path / "good.yml").write_text(
        RULE.format(title="good", id=TWO, field="CommandLine", condition="sel")
    )
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yml").write_text(text)
    (tmp_path / "in.jsonl").write_bytes(LINE.replace(b"zzz -x", b"x"))
    args = ["--rules", str(tmp_path), "--no-pack", "--out", str(tmp_path / "out.jsonl"), "--json"]
    assert run(["tag", str(tmp_path / "in.jsonl"), *args]) == exit_code
    summary = json.loads(capfd.readouterr().out)
    assert summary["problem_codes"] == codes
    assert summary["rule_hits"] == {TWO: 1}
    assert summary["rules"]["rejected"] == sum(codes.get(code, 0) for code in codes if code != "UT204")
    assert run(["rules", "check", str(tmp_path), "--json"]) == (2 if summary["rules"]["rejected"] else 0)
    rejected = json.loads(capfd.readouterr().out)["rejected"]
    assert [row["code"] for row in rejected] == [code for code in codes if code != "UT204"]
    assert all(set(row) == {"file", "line", "code", "message", "hint"} for row in rejected)


# -- the reader of the output goes away


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_reader_that_has_seen_enough_is_no_error(workers: str, rules: Path, tmp_path: Path) -> None:
    import subprocess

    (tmp_path / "in.jsonl").write_bytes(LINE * 20_000)
    command = (
        f'"{sys.executable}" -m undertag tag "{tmp_path}/in.jsonl" --rules "{rules}" --no-pack --out - -w {workers} -q'
        f' 2>"{tmp_path}/err" | head -1; echo "${{PIPESTATUS[0]}}"'
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    first, code = done.stdout.splitlines()
    assert orjson.loads(first)["undertag"]["entry"] == "windows/sysmon/1"
    assert code == b"0"
    assert (tmp_path / "err").read_bytes() == b""


def test_json_lines_from_standard_input(rules: Path) -> None:
    done = undertag("tag", "-", "--rules", rules, "--no-pack", "--out", "-", "-q", input=LINE * 3)
    assert done.returncode == 0
    assert [orjson.loads(line)["undertag"]["system"] for line in done.stdout.splitlines()] == ["host"] * 3
    assert len({orjson.loads(line)["undertag"]["event_uid"] for line in done.stdout.splitlines()}) == 3
