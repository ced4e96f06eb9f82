"""What comes from rules, files, settings and arguments is shown letter by letter, never taken for markup."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import orjson
import pytest

from undertag.apps.cli.commands import run
from undertag.apps.cli.output import console, escape

CAPFD = pytest.CaptureFixture[str]
TITLE = "Odd [/red] thing [bold]x \\[ :bug:"
RULE_ID = "0000aaaa-0000-4000-8000-000000000000"
RULE = f"""
title: '{TITLE}'
id: {RULE_ID}
author: a [/b] c
status: test
level: high
tags: [attack.t1059, 'car.[/c]']
logsource: {{product: windows, category: process_creation}}
detection:
  's[/s]':
    'Ima[/f]ge|contains': '[/v]'
  condition: 1 of them
"""
EVENT = {
    "EventID": 1,
    "Channel": "Microsoft-Windows-Sysmon/Operational",
    "Provider_Name": "Microsoft-Windows-Sysmon",
    "Computer": "h[/h]",
    "Ima[/f]ge": "a[/v]\\",
}
OTHER = {"EventID": 7, "Channel": "Odd[/o]", "Provider_Name": "Odd[/p]", "Computer": "h[/h]"}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where names, texts and values are all odd."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    (tmp_path / "w[w].jsonl").write_text("".join(json.dumps(event) + "\n" for event in (EVENT, OTHER)))
    (tmp_path / "r[r]").mkdir()
    (tmp_path / "r[r]" / "a[a].yml").write_text(RULE)
    (tmp_path / "r[r]" / "b[b].yml").write_text(
        RULE.replace("product: windows, category: process_creation", 'product: "win[/x]"').replace(
            "0000aaaa", "0000bbbb"
        )
    )
    (tmp_path / "r[r]" / "c[c].yml").write_text(RULE.replace(RULE_ID, "'we[/i]rd'"))
    data = tmp_path / "g[g]" / "regression_data"
    data.mkdir(parents=True)
    (data.parent / "rules").mkdir()
    (data.parent / "rules" / "r.yml").write_text(RULE)
    (data / "info.yml").write_text(
        f"rule_metadata: [{{id: {RULE_ID}, title: '{TITLE}'}}]\n"
        "regression_tests_info: [{path: 'regression_data/n[/n].jsonl', match_count: 1}]\n"
    )
    run(["tag", "w[[]w].jsonl", "--rules", "r[r]/a[a].yml", "--no-pack", "--out", "o[o].jsonl", "-q"])
    return tmp_path


def uid() -> str:
    for line in Path("o[o].jsonl").read_bytes().splitlines():
        said = orjson.loads(line)["undertag"]
        if said["rules"]:
            return str(said["event_uid"])
    raise AssertionError("no rule matched")


SHOWN = {
    "tag": (
        "tag w[[]w].jsonl --rules r[r]/a[a].yml --no-pack --out o[o].jsonl",
        [TITLE, "o[o].jsonl", "windows/odd-o/7"],
        0,
    ),
    "tag with rules rejected": ("tag w[[]w].jsonl --rules r[r] --no-pack", ["c[c].yml", "we[/i]rd"], 2),
    "explain": (
        "explain o[o].jsonl --event {uid}",
        [TITLE, "h[/h]", "Ima[/f]ge contains [/v]  ← a[/v]\\\n"],
        0,
    ),
    "explain a rule": (
        f"explain o[o].jsonl --event {{uid}} --rule {RULE_ID}",
        [TITLE, "s[/s] Ima[/f]ge contains [/v]  ← a[/v]\\\n"],
        0,
    ),
    "stats": ("stats o[o].jsonl", ["windows/odd-o/7"], 0),
    "rules check": ("rules check r[r]", ["win[/x]", "c[c].yml", "we[/i]rd"], 2),
    "rules lint": ("rules lint r[r]", ["c[c].yml", "we[/i]rd"], 1),
    "rules regress": ("rules regress g[g]", [f"{TITLE} ({RULE_ID})"], 1),
    "packs check": ("packs check r[r]", ["a[a].yml"], 1),
    "packs docs": ("packs docs r[r]", [], 0),
    "sources from": ("sources from w[[]w].jsonl", ["windows/odd-o/7"], 0),
    "sources av": ("sources av Tro[/jan]:Win32/x\\", ["Tro[/jan]:Win32/x\\"], 0),
    "sources resolve": ("sources resolve no[/n]", ["no[/n]"], 3),
    "sources show": ("sources show no[/n]", ["no[/n]"], 3),
    "sources list": ("sources list no[/n]", [], 0),
    "sources search": ("sources search no[/n]", [], 0),
    "sources tree": ("sources tree no[/n]", ["no[/n]"], 0),
    "attack migrate": ("attack migrate r[r] --to 19", [], 0),
    "attack show": ("attack show no[/n]", ["no[/n]"], 1),
    "settings": ("formats --config no[/n].toml", ["no[/n].toml"], 3),
}


@pytest.mark.parametrize("name", SHOWN)
def test_what_is_odd_is_shown_as_it_is(name: str, place: Path, capfd: CAPFD) -> None:
    line, texts, exit_code = SHOWN[name]
    capfd.readouterr()
    args = [arg.format(uid=uid()) if "{uid}" in arg else arg for arg in line.split()]
    assert run(args) == exit_code
    said = "".join(capfd.readouterr())
    assert [text for text in texts if text not in said] == []


def test_escaped_texts_stay_as_they_are_whatever_stands_around_them() -> None:
    screen = console()
    for text in map("".join, product("\\[]/b:", repeat=4)):
        for around in ("{}", "{} x", "[dim]{}[/]", "[bold]{}[/bold]b", "{}]"):
            assert screen.render_str(around.format(escape(text))).plain == screen.render_str(
                around.format("…")
            ).plain.replace("…", text)
