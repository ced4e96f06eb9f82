"""Whole batches asked at once: never a rule left out that an event would have met."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.match.batches import batch_of, by_index, by_reference

from undertag.match.indexed.columns import column_tests, compile_column_tests
from undertag.match.indexed.plan import Plan
from undertag.match.patterns import compile_lines_regex, compile_regex
from undertag.model.expr import And, Expr, Not, Or, Test

RE = Test("a", "re", "x[0-9]{4}", selection="s")
OTHER = Test("b", "re", "^y+$", selection="s")
PLAIN = Test("a", "contains", "abc", selection="s")
CASED = Test("a", "contains", "Abc", cased=True, selection="s")
KEYWORD = Test(None, "contains", "abc", selection="s")


@pytest.mark.parametrize(
    ("expr", "tests"),
    [
        (RE, [RE]),
        (CASED, None),
        (KEYWORD, None),
        (Not(RE), None),
        (And((PLAIN, RE)), [RE]),
        (And((Not(PLAIN), CASED)), None),
        (Or((RE, PLAIN, OTHER)), [RE, PLAIN, OTHER]),
        (Or((RE, Not(PLAIN))), None),
        (And((PLAIN, Or((RE, And((PLAIN, OTHER)))))), [RE, OTHER]),
    ],
)
def test_what_one_of_must_hold(expr: Expr, tests: list[Test] | None) -> None:
    assert column_tests(expr) == tests


def test_plain_texts_alone_are_left_to_the_filter() -> None:
    assert compile_column_tests(PLAIN) is None
    assert compile_column_tests(Or((RE, PLAIN))) is not None


@pytest.mark.parametrize("expression", [r"\Aabc", r"abc\z", "(?-m)^abc", "(?i-s)a.b", "(?=a)b", r"(a)\1"])
def test_what_lines_can_not_be_asked(expression: str) -> None:
    assert compile_lines_regex(expression) is None


EXPRESSIONS = [
    "^ab",
    "b$",
    "^$",
    r"\bab\b",
    r"a\Bb",
    "a.b",
    "[^a]b",
    r"\s[ab]{2}",
    "(?i)AB$",
    "(?s)a.b",
    "(?m)^b$",
    "a|^b$",
]


@given(
    expression=st.sampled_from(EXPRESSIONS),
    values=st.lists(st.text(alphabet="ab \n\u00e4", max_size=6), min_size=1, max_size=5),
)
def test_joined_lines_say_yes_wherever_one_value_does(expression: str, values: list[str]) -> None:
    of_lines = compile_lines_regex(expression)
    assert of_lines is not None
    if any(map(compile_regex(expression), values)):
        assert of_lines("\n".join(values))


LONG = ["a{40,}", ".{36}", "(?s).{40}", r"[^b]{33,}$", r"(a|ab\s){34}", "x.{50}", r"\S{32}"]
long_values = st.one_of(
    st.builds(str.__mul__, st.sampled_from(["a", "ab", "a\n", "x", "\u00e4", "\ud800"]), st.integers(0, 64)),
    st.lists(st.sampled_from(["a" * 20, "a" * 40, "a" * 33 + "\nb", "xa"]), max_size=3),
    st.none(),
    st.integers(),
)


@given(expression=st.sampled_from(LONG), values=st.lists(long_values, min_size=1, max_size=12))
def test_long_expressions_are_asked_of_every_text_that_may_hold_them(
    expression: str, values: list[str | list[str] | int | None]
) -> None:
    rules = [(0, Test("a", "re", expression, selection="s"))]
    events = [{"a": value} for value in values]
    assert by_index(Plan(rules), batch_of(events)) == by_reference(rules, events)
