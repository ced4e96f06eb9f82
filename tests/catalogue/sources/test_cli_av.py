"""`undertag sources av`: names in, rows out, in the order given; what is no vendor is told."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from undertag.apps.cli.commands import run
from undertag.apps.cli.sources_av import MAX_LINE
from undertag.catalogue.signatures import load_reader

CAPFD = pytest.CaptureFixture[str]
KEYS = {"name", "vendor", "type", "platform", "family", "variant", "fidelity", "tags"}
MIMIKATZ = "HackTool:Win32/Mimikatz.D"


def rows(capfd: CAPFD, *argv: str, code: int = 0) -> list[dict[str, Any]]:
    assert run(["sources", "av", *argv, "--json"]) == code
    said = capfd.readouterr()
    assert said.err == ""
    document = json.loads(said.out)
    assert set(document) == {"names"}
    found: list[dict[str, Any]] = document["names"]
    return found


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogateescape"))))


def test_a_row_has_the_promised_keys(capfd: CAPFD) -> None:
    (row,) = rows(capfd, MIMIKATZ)
    assert set(row) >= KEYS
    assert {name: row[name] for name in KEYS} == {
        "name": MIMIKATZ,
        "vendor": "microsoft",
        "type": "hacktool",
        "platform": "windows",
        "family": "Mimikatz",
        "variant": "D",
        "fidelity": "high",
        "tags": ["obs.av.hacktool", "obs.av.credential-tool"],
    }


def test_several_names_keep_their_order_and_their_doubles(capfd: CAPFD) -> None:
    names = ["Eicar-Test-Signature", MIMIKATZ, "Eicar-Test-Signature", "", "no name at all"]
    found = rows(capfd, *names)
    assert [row["name"] for row in found] == names
    assert [row["type"] for row in found[:3]] == ["test-file", "hacktool", "test-file"]
    assert all(row["tags"] for row in found)


def test_a_name_that_begins_with_a_dash(capfd: CAPFD) -> None:
    assert run(["sources", "av", "--json", "--", "-Trojan.X"]) == 0
    assert [row["name"] for row in json.loads(capfd.readouterr().out)["names"]] == ["-Trojan.X"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_names_from_standard_input(ending: str, capfd: CAPFD, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, ending.join([MIMIKATZ, "", "  ", "Eicar", "Win32/Filecoder.Phobos.A"]))
    names = [row["name"] for row in rows(capfd, "Trojan.Generic", "-", "PUA.X")]
    assert names == ["Trojan.Generic", MIMIKATZ, "Eicar", "Win32/Filecoder.Phobos.A", "PUA.X"]


def test_nothing_on_standard_input_is_no_name(capfd: CAPFD, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "")
    assert rows(capfd, "-") == []


@pytest.mark.parametrize("size", [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, 2 * MAX_LINE, 2 * MAX_LINE + 9])
def test_a_long_line_is_cut(size: int, capfd: CAPFD, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "Trojan." + "A" * (size - 7) + "\nEicar\n")
    long, short = rows(capfd, "-")
    assert long["name"].startswith("Trojan.AAA")
    assert len(long["name"]) <= MAX_LINE
    assert short["name"] == "Eicar"


def test_bytes_that_are_no_text_are_replaced(capfd: CAPFD, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "Trojan.\udcff\n")
    names = [row["name"] for row in rows(capfd, "PUA.\udcfe", "-")]
    assert names == ["PUA.\ufffd", "Trojan.\ufffd"]


VENDORS = {
    "id": ("microsoft", "microsoft"),
    "as it is written": ("Microsoft", "microsoft"),
    "a product": ("Windows Defender", "microsoft"),
    "another": ("eset", "eset"),
}


@pytest.mark.parametrize("case", VENDORS)
def test_whose_names_they_are(case: str, capfd: CAPFD) -> None:
    given, vendor = VENDORS[case]
    assert [row["vendor"] for row in rows(capfd, "Foo.Bar", "--vendor", given)] == [vendor]


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_an_unknown_vendor_is_told_with_those_that_are_known(as_json: bool, capfd: CAPFD) -> None:
    assert run(["sources", "av", MIMIKATZ, "--vendor", "acme", *["--json"] * as_json]) == 3
    said = capfd.readouterr()
    assert "UT903 no convention of names is known for 'acme'" in said.err
    assert "microsoft" in said.err
    if as_json:
        error = json.loads(said.out)["error"]
        assert error["code"] == "UT903"
        assert all(name in error["hint"] for name in load_reader().conventions())
    else:
        assert said.out == ""


def test_no_name_is_wrong_usage(capfd: CAPFD) -> None:
    assert run(["sources", "av"]) == 3
    said = capfd.readouterr()
    assert (said.out, "NAME" in said.err) == ("", True)


def test_text_says_what_the_name_says(capfd: CAPFD) -> None:
    assert run(["sources", "av", MIMIKATZ, "[red]odd[/red]", "--no-color"]) == 0
    said = capfd.readouterr()
    assert said.err == ""
    assert "hacktool, for windows, family Mimikatz, variant D; fidelity high" in said.out
    assert "obs.av.hacktool obs.av.credential-tool" in said.out
    assert "[red]odd[/red]" in said.out
    assert "\x1b[" not in said.out


def test_quiet_says_nothing(capfd: CAPFD) -> None:
    assert run(["sources", "av", MIMIKATZ, "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")


SETTINGS = {
    "fine": ("prefix = 'ACME'", 0, ""),
    "unknown key": ("nope = 1", 3, "UT902"),
    "no TOML": ("[", 3, "UT902"),
    "not there": (None, 3, "UT901"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_are_checked(case: str, tmp_path: Path, capfd: CAPFD) -> None:
    text, code, says = SETTINGS[case]
    path = tmp_path / "s.toml"
    if text is not None:
        path.write_text(text)
    assert run(["sources", "av", MIMIKATZ, "--config", str(path), "--quiet"]) == code
    assert says in capfd.readouterr().err
