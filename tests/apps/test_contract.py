"""Every command as a program sees it: one JSON document with the promised keys, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from tests.pipeline.mixed import write_corpus, write_rules
from tests.pipeline.running import ENV, undertag
from typer.main import get_command

from undertag.apps.cli.commands import app, run

SCHEMA: dict[str, Any] = orjson.loads(files("undertag.write").joinpath("event.schema.json").read_bytes())
CAPFD = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with inputs, rules, and outputs of both kinds."""
    folder = tmp_path_factory.mktemp("contract")
    write_corpus(folder / "in", events=60)
    write_rules(folder / "rules")
    for out in ("out", "out.jsonl"):
        run(["tag", str(folder / "in"), "--rules", str(folder / "rules"), "--out", str(folder / out), "-q"])
    data = folder / "sigma" / "regression_data" / "x"
    data.mkdir(parents=True)
    (folder / "sigma" / "rules").mkdir()
    (folder / "sigma" / "rules" / "r.yml").write_bytes((folder / "rules" / "00.yml").read_bytes())
    (data / "info.yml").write_text(
        "rule_metadata: [{id: 00000000-0000-4000-8000-000000000000, title: x}]\n"
        "regression_tests_info: [{path: regression_data/x/a.jsonl, match_count: 1}]\n"
    )
    (data / "a.jsonl").write_bytes((folder / "in" / "b.log").read_bytes())
    return folder


@pytest.fixture(scope="module")
def uid(place: Path) -> str:
    """An event that some rule matched."""
    for line in (place / "out.jsonl").open("rb"):
        said = orjson.loads(line)["undertag"]
        if said["rules"]:
            return str(said["event_uid"])
    raise AssertionError("no rule matched")


TAG_KEYS = {
    "events", "tagged", "problems", "seconds", "systems", "entries", "uncatalogued", "rules", "hits", "rule_hits",
    "tags", "techniques", "attack_version",
}  # fmt: skip
KEYS: dict[str, tuple[list[str], set[str], int]] = {
    "tag": (["tag", "{in}", "--rules", "{rules}"], TAG_KEYS, 1),
    "tag into a file": (["tag", "{in}", "--rules", "{rules}", "--out", "{tmp}/o.jsonl"], TAG_KEYS, 1),
    "tag into a folder": (["tag", "{in}", "--rules", "{rules}", "--out", "{tmp}/o"], TAG_KEYS, 1),
    "explain": (["explain", "{out}", "--event", "{uid}"], {"event_uid", "tags"}, 0),
    "explain a file": (["explain", "{out}.jsonl", "--event", "{uid}"], {"event_uid", "tags"}, 0),
    "explain a rule": (
        ["explain", "{out}", "--event", "{uid}", "--rule", "00000001-0000-4000-8000-000000000000"],
        {"event_uid", "tags", "rule"},
        0,
    ),
    "rules check": (["rules", "check", "{rules}"], {"loaded", "inapplicable", "rejected"}, 0),
    "rules regress": (["rules", "regress", "{sigma}"], {"total", "passed", "failed", "over"}, 0),
    "formats": (["formats"], {"formats"}, 0),
    "stats": (["stats", "{out}"], {"events", "tagged", "systems", "tags", "entries", "days"}, 0),
    "stats of a file": (
        ["stats", "{out}.jsonl"],
        {"events", "tagged", "systems", "tags", "entries", "days"},
        0,
    ),
    "version": (["version"], {"version"}, 0),
    "completion": (["completion", "zsh"], {"shell", "script"}, 0),
    "packs check": (["packs", "check"], {"rules", "by_kind", "findings"}, 0),
    "packs docs": (["packs", "docs"], {"rules", "by_kind", "file", "page"}, 0),
    "packs new": (
        ["packs", "new", "obs.made.up", "--title", "Made Up", "--folder", "{tmp}"],
        {"file", "tag"},
        0,
    ),
    "sources av": (["sources", "av", "Trojan:Win32/Emotet.A", "Eicar"], {"names"}, 0),
    "attack show": (["attack", "show", "T1059.001"], {"id", "name", "version", "state"}, 0),
    "attack resolve": (["attack", "resolve", "T1086"], {"id", "chain", "resolved", "state"}, 0),
    "attack diff": (["attack", "diff", "18.1", "19"], {"changed"}, 0),
    "attack migrate": (["attack", "migrate", "{rules}", "--to", "19"], {"files", "edits"}, 0),
}


def filled(args: list[str], place: Path, uid: str, tmp_path: Path) -> list[str]:
    known = {"in": place / "in", "rules": place / "rules", "out": place / "out", "sigma": place / "sigma"}
    return [arg.format(uid=uid, tmp=tmp_path, **known) for arg in args]


@pytest.mark.parametrize("name", KEYS)
def test_json_is_one_document_with_the_promised_keys(
    name: str, place: Path, uid: str, tmp_path: Path, capfd: CAPFD
) -> None:
    args, keys, exit_code = KEYS[name]
    assert run([*filled(args, place, uid, tmp_path), "--json"]) == exit_code
    document = json.loads(capfd.readouterr().out)
    assert keys <= set(document)


@pytest.mark.parametrize("name", KEYS)
def test_quiet_says_nothing(name: str, place: Path, uid: str, tmp_path: Path, capfd: CAPFD) -> None:
    args, _, exit_code = KEYS[name]
    assert run([*filled(args, place, uid, tmp_path), "--quiet", "--no-color"]) == exit_code
    said = capfd.readouterr()
    assert said.out == ""
    assert all(line.startswith(("error ", "… and")) for line in said.err.splitlines())


def test_the_release_of_the_settings_is_named_as_releases_are(tmp_path: Path, capfd: CAPFD) -> None:
    settings, events = tmp_path / "settings.toml", tmp_path / "in.jsonl"
    settings.write_text('attack_version = "v19"\n')
    events.write_text('{"Channel": "Security", "EventID": 4688}\n')
    assert run(["tag", str(events), "--config", str(settings), "--out", "-", "--quiet"]) == 0
    assert json.loads(capfd.readouterr().out)["undertag"]["attack_version"] == "19"
    settings.write_text('attack_version = "99"\n')
    for args in (
        ["tag", str(events)],
        ["rules", "lint", str(tmp_path)],
        ["explain", str(tmp_path), "--event", "x"],
        ["demo"],
    ):
        assert run([*args, "--config", str(settings)]) == 3
        assert "UT344" in capfd.readouterr().err


def commands() -> Iterator[tuple[str, Any]]:
    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        children: dict[str, Any] = getattr(command, "commands", {})
        if not children:
            yield name, command
        for child in children:
            yield from below(f"{name} {child}".strip(), children[child])

    yield from below("", get_command(app))


@pytest.mark.parametrize(("name", "command"), [pytest.param(*pair, id=pair[0]) for pair in commands()])
def test_every_command_has_the_common_options(name: str, command: Any) -> None:
    options = {option for param in command.params for option in param.opts}
    assert {"--json", "--quiet", "--no-color", "--config"} <= options
    assert command.help


@pytest.mark.parametrize("colour", ["--no-color", "NO_COLOR", "a pipe"])
def test_no_colours_where_none_are_wanted(colour: str, place: Path) -> None:
    env = {key: value for key, value in ENV.items() if key != "NO_COLOR"}
    args = [sys.executable, "-m", "undertag", "tag", str(place / "in"), "--no-pack"]
    if colour == "NO_COLOR":
        env["NO_COLOR"] = "1"
    done = subprocess.run(
        args + [colour] * (colour == "--no-color"), capture_output=True, env=env, timeout=60
    )
    assert b"\x1b[" not in done.stdout + done.stderr
    assert b"events of" in done.stderr + done.stdout


USAGE = {
    "no such command": ["nope"],
    "no such option": ["tag", "x", "--nope"],
    "no input": ["tag"],
    "no workers": ["tag", "x", "--workers", "0"],
    "no such format": ["tag", "x", "--out", "y", "--format", "nope"],
    "a folder to standard output": ["tag", "x", "--out", "-", "--format", "parquet"],
    "two for standard output": ["tag", "x", "--out", "-", "--json"],
    "no such settings": ["tag", "x", "--config", "/no/such/file"],
    "no such shell": ["completion", "tcsh"],
    "no event": ["explain", "x"],
    "no uid": ["explain", "x", "--event", "xyz"],
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_ends_with_3(name: str, capfd: CAPFD) -> None:
    assert run(USAGE[name]) == 3
    said = capfd.readouterr()
    assert (said.out == "") == ("--json" not in USAGE[name])
    assert said.err


def test_wrong_usage_in_json(capfd: CAPFD) -> None:
    assert run(["tag", "x", "--nope", "--json"]) == 3
    error = json.loads(capfd.readouterr().out)["error"]
    assert (error["code"], error["message"].split(" (")[0]) == ("UT903", "No such option: --nope")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nope = 1", "UT902"),
        ("prefix = 5", "UT902"),
        ("[", "UT902"),
        ("prefix = '\xff'", "UT902"),
        ("workers = 0", "UT902"),
        ("workers = -1", "UT902"),
        ("workers = 257", "UT902"),
    ],
    ids=[
        "unknown key",
        "wrong type",
        "no TOML",
        "no UTF-8",
        "no workers",
        "fewer than none",
        "too many workers",
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        *("tag", "formats", "stats", "version", "rules check", "packs check", "packs docs", "sources av"),
        *("attack show --version 19", "attack diff 18.1", "attack import"),
    ],
)
def test_wrong_settings_end_with_3(command: str, text: str, code: str, tmp_path: Path, capfd: CAPFD) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_bytes(text.encode("latin-1"))
    args = [] if command in ("formats", "version") else [str(tmp_path)]
    assert run([*command.split(), *args, "--config", str(settings), "--json"]) == 3
    assert json.loads(capfd.readouterr().out)["error"]["code"] == code


def test_settings_are_followed(place: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'prefix = "ACME"\nattack_version = "18.1"\nrules = ["{place}/rules"]\nworkers = 1\n')
    out = tmp_path / "o.jsonl"
    run(["tag", str(place / "in"), "--no-pack", "--out", str(out), "--config", str(settings), "-q"])
    said = [orjson.loads(line)["undertag"] for line in out.open("rb")]
    assert {one["attack_version"] for one in said} == {"18.1"}
    titles = {tag["title"] for one in said for tag in one["tags"] if tag["kind"] != "attack"}
    assert titles
    assert all(title.startswith("ACME: ") for title in titles)


def test_every_line_is_as_the_schema_says(place: Path) -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    count = 0
    for line in (place / "out.jsonl").open("rb"):
        validator.validate(orjson.loads(line)["undertag"])
        count += 1
    assert count > 300


def test_output_is_the_same_to_a_file_and_to_standard_output(place: Path) -> None:
    done = undertag("tag", place / "in", "--rules", place / "rules", "--out", "-")
    assert done.returncode == 1
    assert done.stdout == (place / "out.jsonl").read_bytes()
    assert b"events of" in done.stderr


def test_only_tagged_leaves_out_the_rest(place: Path, tmp_path: Path, capfd: CAPFD) -> None:
    some, every = tmp_path / "some.jsonl", tmp_path / "every.jsonl"
    args = ["tag", str(place / "in"), "--rules", str(place / "rules" / "00.yml"), "--no-pack", "--json"]
    run([*args, "--out", str(every)])
    capfd.readouterr()
    run([*args, "--out", str(some), "--only-tagged"])
    summary = json.loads(capfd.readouterr().out)
    written = some.read_bytes().splitlines(keepends=True)
    assert 0 < len(written) == summary["tagged"] < summary["events"]
    lines = every.read_bytes().splitlines(keepends=True)
    assert written == [line for line in lines if orjson.loads(line)["undertag"]["rules"]]


def test_counts_agree(place: Path, capfd: CAPFD) -> None:
    run(["tag", str(place / "in"), "--rules", str(place / "rules"), "--json"])
    summary = json.loads(capfd.readouterr().out)
    said = [orjson.loads(line)["undertag"] for line in (place / "out.jsonl").open("rb")]
    assert summary["events"] == len(said) == sum(summary["entries"].values())
    assert summary["tagged"] == sum(bool(one["tags"]) for one in said)
    assert summary["hits"] == sum(len(one["rules"]) for one in said) == sum(summary["rule_hits"].values())
    assert summary["systems"] == len({one["system"] for one in said} - {""})
    for kind, names in (("tags", [tag["tag"] for one in said for tag in one["tags"]]),):
        assert summary[kind] == {name: names.count(name) for name in set(names)}
    techniques = [tag["technique"] for one in said for tag in one["tags"] if "technique" in tag]
    assert summary["techniques"] == {name: techniques.count(name) for name in set(techniques)}
    assert summary["problems"] == sum(summary["problem_codes"].values())
    for name in ("out", "out.jsonl"):
        assert run(["stats", str(place / name), "--json"]) == 0
        counts = json.loads(capfd.readouterr().out)
        assert counts["complete"] is True
        for key in ("events", "tagged", "systems", "tags", "entries"):
            assert counts[key] == summary[key], (name, key)


@pytest.mark.parametrize("command", [["stats"], ["explain", "--event", "abcdef"]], ids=["stats", "explain"])
@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"[1]\n", b'{"undertag":5}\n', b'{"undertag":{"event_uid":"abcdef'], ids=str
)
def test_what_is_no_output_is_told(command: list[str], content: bytes, tmp_path: Path, capfd: CAPFD) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    code = run([*command, str(path)])
    said = capfd.readouterr().err
    if content and (command == ["stats"] or b"abcdef" in content):
        assert code == 4
        assert "UT101 no output of undertag, or damaged" in said
    else:
        assert code == (0 if command == ["stats"] else 3)


@pytest.mark.parametrize("command", [["stats"], ["explain", "--event", "abcdef"]], ids=["stats", "explain"])
@pytest.mark.parametrize("what", ["nothing", "another folder", "a damaged part"])
def test_a_folder_that_is_no_output_is_told(
    command: list[str], what: str, place: Path, tmp_path: Path, capfd: CAPFD
) -> None:
    folder = tmp_path / "o"
    if what != "nothing":
        folder.mkdir()
    if what == "a damaged part":
        (folder / "events" / "day=2026-03-01").mkdir(parents=True)
        (folder / "events" / "day=2026-03-01" / "part-1-0.parquet").write_bytes(b"PAR1 and no more")
    assert run([*command, str(folder)]) == 4
    assert "UT101" in capfd.readouterr().err


# -- completion


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_completes(shell: str) -> None:
    asked = {
        "bash": {"COMP_WORDS": "undertag ru", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "undertag ru"},
        "fish": {"_TYPER_COMPLETE_ARGS": "undertag ru", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    script = undertag("completion", shell).stdout.decode()
    assert f"_UNDERTAG_COMPLETE=complete_{shell}" in script
    program = Path(sys.executable).with_name("undertag")
    done = subprocess.run(
        [program], env={**os.environ, **asked, "_UNDERTAG_COMPLETE": f"complete_{shell}"}, capture_output=True
    )
    assert done.returncode == 0
    assert b"rules" in done.stdout
    assert b"tag" not in done.stdout.replace(b"undertag", b"").split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_valid(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(undertag("completion", shell).stdout)
    try:
        done = subprocess.run([shell, "-n", str(script)], capture_output=True)
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert done.returncode == 0, done.stderr


def test_bash_completes_with_the_script(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_bytes(undertag("completion", "bash").stdout)
    folder = Path(sys.executable).parent
    code = (
        f'PATH="{folder}:$PATH"; source "{script}"; COMP_WORDS=(undertag expl); COMP_CWORD=1; '
        '_undertag_completion undertag; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["explain"]


def test_version_is_quick_and_plain() -> None:
    done = undertag("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, b"undertag")
