"""The cache gives what loading gives, and nothing that it holds can do harm."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.match.modifier_cases import CASES, load_text, rule_text

from undertag.match.engine import Engine
from undertag.match.indexed.chances import Guesses
from undertag.match.outline import keywords_of, outline_of
from undertag.match.sigma import cache
from undertag.match.sigma.cache import KEEP, load_rules_cached
from undertag.match.sigma.load import load_rules
from undertag.match.sigma.stored import decode_result, encode_result
from undertag.model.entry import Entry, Service
from undertag.model.expr import Expr, Not, Test
from undertag.model.problem import RuleError


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    for number, case in enumerate(CASES):
        (folder / f"{number:03}.yml").write_text(rule_text(case.detection))
    (folder / "broken.yml").write_text("title: [")
    (folder / "correlation.yml").write_text("title: x\ncorrelation: {}\n")
    return folder


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.rules"))


def test_second_load_comes_from_the_cache(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_rules_cached([rules], folder=tmp_path / "cache")
    assert first == load_rules([rules])
    assert len(entries(tmp_path / "cache")) == 1
    monkeypatch.setattr("undertag.match.sigma.load.load_files", None)
    assert load_rules_cached([rules], folder=tmp_path / "cache") == first


def test_a_name_that_is_no_utf_8(rules: Path, tmp_path: Path) -> None:
    (odd,) = list(rules.iterdir())[:1]
    odd.rename(rules / os.fsdecode(b"\xff.yml"))
    for _ in range(2):
        result = load_rules_cached([rules], folder=tmp_path / "cache")
        assert any(r"\udcff.yml" in rule.file for rule in result.rules)


def test_a_changed_rule_is_what_it_says(rules: Path, tmp_path: Path) -> None:
    """What is stored with a rule holds for that one alone, not for one made from it with another condition."""
    kept = load_rules_cached([rules], folder=tmp_path / "cache").rules[0]
    changed = replace(kept, condition=Test(None, "contains", "something else"))
    assert copy.deepcopy(kept) == kept != changed
    assert keywords_of(changed) == ("something else",)
    assert outline_of(changed, Guesses()).fields == ()
    assert Engine([kept, changed]).rules == [kept, changed]


def test_selections_survive(rules: Path, tmp_path: Path) -> None:
    """They don't take part in equality, so they are looked at here."""
    for _ in range(2):
        result = load_rules_cached([rules], folder=tmp_path / "cache")
        tests = [test for rule in result.rules for test in _tests(rule.condition)]
        assert {test.selection for test in tests} >= {"sel", "sel_a", "filter"}


def _tests(expr: Expr) -> list[Test]:
    if isinstance(expr, Test):
        return [expr]
    if isinstance(expr, Not):
        return _tests(expr.arg)
    return [test for arg in expr.args for test in _tests(arg)]


def _change_a_byte(rules: Path) -> dict[str, Any]:
    (rules / "000.yml").write_text(rule_text("sel: {A: 2}"))
    return {}


def _add_a_file(rules: Path) -> dict[str, Any]:
    (rules / "zzz.yml").write_text(rule_text("sel: {A: 2}"))
    return {}


def _rename_a_file(rules: Path) -> dict[str, Any]:
    (rules / "000.yml").rename(rules / "zzz.yml")
    return {}


CHANGES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "a byte of a file": _change_a_byte,
    "another file": _add_a_file,
    "a file's name": _rename_a_file,
    "a placeholder": lambda rules: {"placeholders": {"x": ["1"]}},
    "the pack flag": lambda rules: {"pack": True},
}


@pytest.mark.parametrize("name", CHANGES)
def test_any_change_makes_another_entry(name: str, rules: Path, tmp_path: Path) -> None:
    load_rules_cached([rules], folder=tmp_path / "cache")
    settings = CHANGES[name](rules)
    result = load_rules_cached([rules], folder=tmp_path / "cache", **settings)
    assert len(entries(tmp_path / "cache")) == 2
    assert result == load_rules([rules], **settings)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    kept = []
    for number in range(KEEP + 3):
        rule.write_text(rule_text(f"sel: {{A: {number}}}"))
        before = set(entries(tmp_path / "cache"))
        load_rules_cached([rule], folder=tmp_path / "cache")
        (new,) = set(entries(tmp_path / "cache")) - before
        os.utime(new, (number, number))
        kept.append(new)
    assert entries(tmp_path / "cache") == sorted(kept[-KEEP:])
    assert [path.suffix for path in (tmp_path / "cache").iterdir() if path.suffix != ".rules"] == []


def test_folder_comes_from_the_environment(
    rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERTAG_CACHE", str(tmp_path / "elsewhere"))
    load_rules_cached([rules])
    assert len(entries(tmp_path / "elsewhere")) == 1


def test_unwritable_cache_is_told_and_the_rules_load(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = load_rules_cached([rules], folder=tmp_path / "file")
    told = result.problems.pop()
    assert (told.code, told.severity) == ("UT250", "info")
    assert result == load_rules([rules])


def _packed(change: Callable[[list[Any]], object]) -> bytes:
    """The same compressed as an entry is."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(_stored(change))


def _stored(change: Callable[[list[Any]], object]) -> bytes:
    """A stored result after a change to it."""
    stored = msgspec.msgpack.decode(encode_result(load_text(rule_text("sel: {A|re: a, B|cidr: 10.0.0.0/8}"))))
    change(stored)
    return msgspec.msgpack.encode(stored)


def _flipped(packed: bytes) -> bytes:
    """One bit of the content changed: what was compressed then has another checksum."""
    at = len(packed) // 2
    return packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]


def _leaf(index: int, value: Any, leaf: int = 0) -> Callable[[list[Any]], object]:
    def change(stored: list[Any]) -> None:
        node = msgspec.msgpack.decode(stored[0][0][3])
        node[1][leaf][index] = value
        stored[0][0][3] = msgspec.msgpack.encode(node)

    return change


def _condition(node: Any) -> Callable[[list[Any]], object]:
    return _condition_bytes(msgspec.msgpack.encode(node))


def _condition_bytes(packed: Any) -> Callable[[list[Any]], object]:
    def change(stored: list[Any]) -> None:
        stored[0][0][3] = packed

    return change


def _nested(depth: int) -> list[Any]:
    node: list[Any] = [0, "A", "eq", "x", False, "", "s"]
    for _ in range(depth):
        node = [1, node]
    return node


LEAF = [0, "A", "eq", "x", False, "", "s"]

HOSTILE = {
    "nothing": b"",
    "no zstd": b"not compressed",
    "no msgpack": zstandard.ZstdCompressor().compress(b"\xc1"),
    "cut off": _packed(lambda stored: None)[:-8],
    "claims to be huge": zstandard.ZstdCompressor().compress(b"\0" * (300 * 1024 * 1024)),
    "nested beyond recursion": zstandard.ZstdCompressor().compress(b"\x91" * 100_000),
    "a bit flipped": _flipped(_packed(lambda stored: None)),
    "of another shape": _packed(lambda stored: stored.pop()),
    "with more parts": _packed(lambda stored: stored.append(1)),
    "two rules with one id": _packed(lambda stored: stored[0].append(stored[0][0])),
    "level that is none": _packed(lambda stored: stored[0][0].__setitem__(7, "severe")),
    "condition no bytes": _packed(_condition_bytes([])),
    "outline no bytes": _packed(lambda stored: stored[0][0].__setitem__(6, [])),
}

DAMAGED = {
    "unknown operator": _packed(_leaf(2, "eval")),
    "operator no text": _packed(_leaf(2, ["eq"])),
    "pattern of another type": _packed(_leaf(3, 5)),
    "expression that can't be compiled": _packed(_leaf(3, "a(")),
    "network that is none": _packed(_leaf(3, "x", leaf=1)),
    "unknown flag": _packed(_leaf(5, "x")),
    "field no text": _packed(_leaf(1, 7)),
    "glob part": _packed(_condition([0, "A", "glob", ["a", 2], False, "", "s"])),
    "existence no boolean": _packed(_condition([0, "A", "exists", 1, False, "", "s"])),
    "comparison with text": _packed(_condition([0, "A", "lt", "one", False, "", "s"])),
    "short leaf": _packed(_condition([0, "A", "eq"])),
    "no node": _packed(_condition([])),
    "node no list": _packed(_condition([2, ["x"]])),
    "unknown node": _packed(_condition([9, [LEAF]])),
    "node kind true": _packed(_condition([True, LEAF, 1])),
    "nested deep": _packed(_condition(_nested(400))),
    "nested beyond recursion": _packed(_condition_bytes(b"\x92\x01" * 100_000)),
    "condition no msgpack": _packed(_condition_bytes(b"\xc1")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_entry_is_passed_over_and_replaced(name: str, tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    rule.write_text(rule_text("sel: {A: 1}"))
    expected = load_rules_cached([rule], folder=tmp_path)
    (entry,) = entries(tmp_path)
    good = entry.read_bytes()
    entry.write_bytes(HOSTILE[name])
    assert cache._read(entry) is None
    assert load_rules_cached([rule], folder=tmp_path) == expected
    assert entry.read_bytes() == good


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_condition_is_told_when_it_is_asked_for(name: str, tmp_path: Path) -> None:
    rule = tmp_path / "rule.yml"
    rule.write_text(rule_text("sel: {A: 1}"))
    load_rules_cached([rule], folder=tmp_path)
    (entry,) = entries(tmp_path)
    entry.write_bytes(DAMAGED[name])
    (loaded,) = load_rules_cached([rule], folder=tmp_path).rules
    with pytest.raises(RuleError, match="UT251") as raised:
        _ = loaded.condition
    assert loaded.id in raised.value.problem.message


OUTLINES = {
    "no msgpack": b"\xc1",
    "short": msgspec.msgpack.encode([["A"]]),
    "a literal that is none": msgspec.msgpack.encode([["A"], [[[["A", "eq", 1]]], [], False, []]]),
}


@pytest.mark.parametrize("name", OUTLINES)
def test_damaged_outline_is_told_when_it_is_asked_for(name: str) -> None:
    (loaded,) = decode_result(_stored(lambda stored: stored[0][0].__setitem__(6, OUTLINES[name]))).rules
    with pytest.raises(RuleError, match="UT251"):
        Engine([loaded]).plan(Entry(key="any", services=(Service(logsource=loaded.logsource),)))


@given(st.data())
def test_any_bytes_give_a_result_or_a_value_error(data: st.DataObject) -> None:
    good = encode_result(load_text(rule_text("sel: {A|contains: [x, y], B|re: z}")))
    at = data.draw(st.integers(0, len(good) - 1))
    mangled = good[:at] + data.draw(st.binary(max_size=4)) + good[at + data.draw(st.integers(0, 4)) :]
    try:
        result = decode_result(mangled)
        for rule in result.rules:
            _ = rule.condition, outline_of(rule, Guesses())
    except (ValueError, RecursionError, RuleError):
        return
    assert decode_result(encode_result(result)) == result
