"""`recognition.yml` and the books' `recognise`: what is compiled, in which order, and each thing that can be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from undertag.catalogue.sources.files import DATA, SourceFile, read_curated
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.catalogue.sources.recognise import Recogniser
from undertag.catalogue.sources.recognition import NAME, compile_recognition, reached
from undertag.catalogue.sources.selectors import Selection
from undertag.model.problem import Problem

KEYS = [
    "antivirus/shield/alert",
    "antivirus/shield/other",
    "antivirus/shield/scan.done",
    "cloud/audit/login",
    "os/log/line",
]


def compiled(root: Path, text: str, *books: SourceFile) -> tuple[dict[str, Any], list[Problem]]:
    (root / NAME).write_text(text, encoding="utf-8")
    return compile_recognition(root, books, Selection(KEYS, {}))


def book(*recognise: dict[str, Any]) -> SourceFile:
    """An anti-virus product with three types of events: one named otherwise in records than in its key."""
    return SourceFile(
        name="curated/antivirus/shield.yml",
        defaults={"prefix": "antivirus/shield"},
        sources={},
        entries={
            "antivirus/shield/alert": {"event": "ThreatFound"},
            "antivirus/shield/scan.done": {},
            "antivirus/shield/other": {},
        },
        lines={},
        book={"name": "Shield", "recognise": list(recognise)},
    )


def key_of(rules: dict[str, Any], doc: dict[str, Any]) -> str | None:
    met = Recogniser(rules["json"]).find(doc)
    return met[0].keys[0] if met else None


WHOLE = """\
json:
- name: Cloud
  where: {flag: true, number: 7, list: [a, 8, false], 'a.b': '*'}
  keys: ['cloud/audit/{what}']
  time: when
  system: [host, account]
- {name: Second, where: {x: z}, keys: [cloud/audit/login], system: host}
text:
- {name: Line, line: '^(?P<p>[a-z]+):', keys: ['os/log/{p}']}
- {name: Named, where: {program: x}, keys: [os/log/line]}
"""


def test_rules_are_stored_as_texts_in_their_order(tmp_path: Path) -> None:
    rules, problems = compiled(tmp_path, WHOLE)
    assert problems == []
    assert rules == {
        "json": [
            {
                "name": "Cloud",
                "where": {"flag": ["true"], "number": ["7"], "list": ["a", "8", "false"], "a.b": ["*"]},
                "keys": ["cloud/audit/{what}"],
                "time": "when",
                "system": ["host", "account"],
            },
            {
                "name": "Second",
                "where": {"x": ["z"]},
                "keys": ["cloud/audit/login"],
                "time": "",
                "system": ["host"],
            },
        ],
        "text": [
            {
                "name": "Line",
                "where": {},
                "keys": ["os/log/{p}"],
                "time": "",
                "system": [],
                "line": "^(?P<p>[a-z]+):",
            },
            {
                "name": "Named",
                "where": {"program": ["x"]},
                "keys": ["os/log/line"],
                "time": "",
                "system": [],
                "line": "",
            },
        ],
    }
    assert reached(rules) == ("cloud/audit/", "cloud/audit/login", "os/log/", "os/log/line")


def test_what_is_compiled_runs(tmp_path: Path) -> None:
    rules, _ = compiled(tmp_path, WHOLE)
    doc = {"flag": True, "number": 7, "list": False, "a": {"b": 1}, "what": "login"}
    assert key_of(rules, doc) == "cloud/audit/login"
    assert key_of(rules, {**doc, "number": 8}) is None
    met = Recogniser(rules["text"]).find({"message": "line: x"}, "line: x")
    assert met is not None
    assert met[0].keys == ("os/log/line",)


JSON = "json: [{name: r, %s}]\ntext: []\n"
TEXT = "json: []\ntext: [{name: r, %s}]\n"
FAULTS: dict[str, tuple[str, str, str]] = {
    "no such file form": ("[]", "UT302", "object"),
    "part missing": ("json: []\n", "UT302", "text"),
    "unknown part": ("json: []\ntext: []\nxml: []\n", "UT302", "xml"),
    "unknown attribute": (JSON % "where: {a: b}, keys: [cloud/audit/login], colour: red", "UT302", "colour"),
    "where missing": (JSON % "keys: [cloud/audit/login]", "UT302", "where"),
    "keys missing": (JSON % "where: {a: b}", "UT302", "keys"),
    "where empty": (JSON % "where: {}, keys: [cloud/audit/login]", "UT302", "fits every record"),
    "neither where nor line": (TEXT % "keys: [os/log/line]", "UT302", "fits every record"),
    "no keys": (JSON % "where: {a: b}, keys: []", "UT302", "no keys"),
    "* within": (JSON % "where: {a: 'b*c'}, keys: [cloud/audit/login]", "UT302", "'b*c'"),
    "* within, in a list": (JSON % "where: {a: [b, '*b*c']}, keys: [cloud/audit/login]", "UT302", "'*b*c'"),
    "brace not closed": (JSON % "where: {a: b}, keys: ['cloud/audit/{a']", "UT302", "brace"),
    "unknown filter": (JSON % "where: {a: b}, keys: ['cloud/audit/{a|upper}']", "UT302", "'upper'"),
    "expression": (TEXT % "line: '(a', keys: [os/log/line]", "UT302", "missing"),
    "expression beyond re2": (TEXT % "line: '(?=a)', keys: [os/log/line]", "UT302", "invalid"),
    "leads to no entry": (JSON % "where: {a: b}, keys: ['cloud/nowhere/{a}']", "UT305", "cloud/nowhere/"),
    "one of two leads to no entry": (TEXT % "line: a, keys: [os/log/line, os/lag]", "UT305", "os/lag"),
    "duplicate key": ("json: []\njson: []\ntext: []\n", "UT301", "json"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults(tmp_path: Path, name: str) -> None:
    text, code, words = FAULTS[name]
    rules, problems = compiled(tmp_path, text)
    assert [(problem.code, problem.place.source if problem.place else None) for problem in problems] == [
        (code, NAME)
    ]
    assert words in problems[0].message
    assert set(rules) == {"json", "text"}


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    rules, problems = compile_recognition(
        tmp_path, [book({"where": {"p": "s"}, "event": "type"})], Selection(KEYS, {})
    )
    assert [problem.code for problem in problems] == ["UT302"]
    assert {rule["name"] for rule in rules["json"]} == {"Shield"}


@pytest.mark.parametrize(
    ("name", "recognise", "doc", "key"),
    [
        ("event is the last part of the key", {"event": "t"}, {"t": "other"}, "antivirus/shield/other"),
        ("event is named otherwise", {"event": "t"}, {"t": "ThreatFound"}, "antivirus/shield/alert"),
        ("unknown type: a proposal", {"event": "t"}, {"t": "new thing"}, "antivirus/shield/new-thing"),
        ("no type", {"event": "t"}, {}, None),
        ("type empty", {"event": "t"}, {"t": ""}, None),
        (
            "events, by the record's name",
            {"event": "t", "events": {"9": "ThreatFound"}},
            {"t": 9},
            "antivirus/shield/alert",
        ),
        (
            "events, by the key's part",
            {"event": "t", "events": {"9": "scan.done"}},
            {"t": 9},
            "antivirus/shield/scan.done",
        ),
        (
            "events, case ignored",
            {"event": "t", "events": {"Nine": "other"}},
            {"t": "NINE"},
            "antivirus/shield/other",
        ),
        (
            "events, another value",
            {"event": "t", "events": {"9": "other"}},
            {"t": "alert"},
            "antivirus/shield/alert",
        ),
        (
            "events, the rest",
            {"event": "t", "events": {"9": "alert", "*": "other"}},
            {"t": 8},
            "antivirus/shield/other",
        ),
        (
            "events, the rest, not the rest",
            {"event": "t", "events": {"*": "other", "9": "alert"}},
            {"t": 9},
            "antivirus/shield/alert",
        ),
        (
            "events, the rest without a type",
            {"event": "t", "events": {"9": "alert", "*": "other"}},
            {},
            "antivirus/shield/other",
        ),
        ("one type only", {"events": {"*": "ThreatFound"}}, {"t": "x"}, "antivirus/shield/alert"),
        (
            "field within",
            {"event": "a.t", "events": {"9": "other"}},
            {"a": {"t": "9"}},
            "antivirus/shield/other",
        ),
    ],
)
def test_books(
    tmp_path: Path, name: str, recognise: dict[str, Any], doc: dict[str, Any], key: str | None
) -> None:
    rules, problems = compiled(
        tmp_path, "json: []\ntext: []\n", book({"where": {"p": ["Shield", 7]}, **recognise})
    )
    assert problems == []
    assert key_of(rules, {"p": 7, **doc}) == key
    assert key_of(rules, {"p": "sword", **doc}) is None


def test_books_come_before_the_rest_and_keep_their_order(tmp_path: Path) -> None:
    own = (
        {"where": {"p": "s", "q": "1"}, "events": {"*": "alert"}},
        {"where": {"p": "s"}, "events": {"*": "other"}},
    )
    rules, _ = compiled(tmp_path, JSON % "where: {p: s}, keys: [cloud/audit/login]", book(*own))
    assert [rule["keys"] for rule in rules["json"]] == [
        ["antivirus/shield/alert"],
        ["antivirus/shield/other"],
        ["cloud/audit/login"],
    ]
    assert key_of(rules, {"p": "s", "q": "1"}) == "antivirus/shield/alert"
    assert key_of(rules, {"p": "s"}) == "antivirus/shield/other"


def test_faults_of_books(tmp_path: Path) -> None:
    nowhere = book({"where": {"p": "s"}, "event": "t", "events": {"9": "gone"}})
    _, problems = compiled(tmp_path, "json: []\ntext: []\n", nowhere)
    assert [(problem.code, "antivirus/shield/gone" in problem.message) for problem in problems] == [
        ("UT305", True)
    ]
    nameless = book({"where": {"p": "s"}, "events": {"9": "other"}})
    _, problems = compiled(tmp_path, "json: []\ntext: []\n", nameless)
    assert [(problem.code, "need event" in problem.message) for problem in problems] == [("UT302", True)]


def test_files_without_a_book_say_nothing(tmp_path: Path) -> None:
    plain = SourceFile(name="x", defaults={"prefix": "x"}, sources={}, entries={"x/y": {}}, lines={})
    assert compiled(tmp_path, "json: []\ntext: []\n", plain) == ({"json": [], "text": []}, [])


@pytest.mark.slow
def test_the_shipped_rules_are_in_order() -> None:
    rules, problems = compile_recognition(DATA, read_curated().files, load_catalogue().selection)
    assert problems == []
    assert len(rules["json"]) > 500
    assert len(rules["text"]) > 100
