"""Predicates on text: what re2 refuses, what takes too long, and what must stay linear."""

from __future__ import annotations

import time

import pytest

from undertag.match.patterns import (
    PATIENCE,
    PatternError,
    compile_glob,
    compile_regex,
    compile_text_test,
    glob_name,
    parse_address,
)
from undertag.model.expr import ANY, ONE
from undertag.model.expr import Test as Leaf


def test_slow_expression_is_cut_off_and_told() -> None:
    told: list[tuple[Leaf, str]] = []
    test = Leaf("A", "re", r"^(?:(x+)(x+))+\1\2y$")
    holds = compile_text_test(test, lambda slow, text: told.append((slow, text)))
    started = time.perf_counter()
    assert not holds("x" * 400)
    assert time.perf_counter() - started < 1
    assert told == [(test, "x" * 400)]


def test_quick_expression_is_not_told() -> None:
    told: list[str] = []
    assert compile_regex("(a)\\1", "", told.append)("baab")
    assert told == []


@pytest.mark.parametrize("expression", ["a(", "[z-a]", "*a", "(?P<a>x)(?P<a>y", "a{2", "x" * 20_000])
def test_invalid_expressions(expression: str) -> None:
    if expression == "a{2":  # a brace that opens no count is a brace
        assert compile_regex(expression)("a{2")
        return
    with pytest.raises(PatternError):
        compile_regex(expression)


def test_expression_too_large_for_a_set_still_matches() -> None:
    holds = compile_regex("|".join(f"word{number}[a-z]{{5}}" for number in range(600)))
    assert holds("xx word599abcde")
    assert not holds("xx word599abcd")


def test_expression_on_text_that_is_no_unicode() -> None:
    assert compile_regex("a.b")("a\ud800b")
    assert not compile_regex("x")("\ud800")


@pytest.mark.parametrize(
    ("parts", "text", "expected"),
    [
        (("a", ANY, "a", ONE, "b", ANY), "a" * 100_000, False),
        ((ANY, "a", ONE, "a", ONE, "a", ONE, "b", ANY), "a" * 100_000, False),
        ((*(ANY, "a") * 50, ANY, "b"), "a" * 100_000, False),
        ((ANY, "ab", ANY), "a" * 100_000 + "b", True),
    ],
)
def test_globs_stay_linear(parts: tuple[str | int, ...], text: str, expected: bool) -> None:
    started = time.perf_counter()
    assert compile_glob(parts)(text) is expected
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("sel*", "selection", True),
        ("sel*", "sel", True),
        ("sel*", "xsel", False),
        ("*", "", True),
        ("*a*b*", "xaxbx", True),
        ("*a*b*", "ba", False),
        ("s.l", "sel", False),
        ("s.l", "s.l", True),
    ],
)
def test_names(pattern: str, name: str, fits: bool) -> None:
    assert glob_name(pattern, name) is fits


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("FE80::1%3", "fe80::1%3"),
        ("10.0.0.01", None),
        (" 10.0.0.1", None),
        ("10.0.0.1:80", None),
        ("[::1]", None),
        ("", None),
        ("1" * 100, None),
    ],
)
def test_addresses(text: str, address: str | None) -> None:
    parsed = parse_address(text)
    assert (str(parsed) if parsed is not None else None) == address


@pytest.mark.parametrize("op", ["exists", "null", "fieldref", "fieldref_contains", "nonsense"])
def test_operators_that_look_at_no_text(op: str) -> None:
    with pytest.raises(PatternError, match=f"'{op}' is no test on text"):
        compile_text_test(Leaf("A", op, None))


def test_an_expression_that_took_too_long_is_still_asked() -> None:
    """Broken off sooner, but never given up: what comes after slow values doesn't depend on them."""
    slow: list[str] = []
    holds = compile_regex("^(?=.*a)(?:(a|aa)+)+$", "", slow.append)
    values = ["a" * 40 + "!" + "b" * number for number in range(PATIENCE + 5)]
    assert not any(map(holds, values))
    assert slow == values
    assert holds("aaaaa")
