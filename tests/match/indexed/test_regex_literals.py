"""A regular expression's literals are in every text that it is found in, and none of these is shorter than its least length."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undertag.match.indexed.regex_literals import least_length, literal_groups

CASES = [
    ("a run", r"foo\.exe", "", [{"foo.exe"}]),
    ("a branch", r"(abc|def)x", "", [{"abc", "def"}, {"x"}]),
    ("a branch that may be empty", r"(abc|)x", "", [{"x"}]),
    ("at least once", r"(?:ab){2,}c", "", [{"ab"}, {"c"}]),
    ("maybe", r"(?:ab)?c", "", [{"c"}]),
    ("an anchor breaks no run", r"^ab\bcd$", "", [{"abcd"}]),
    ("case is folded", r"ABC", "", [{"abc"}]),
    ("a long s folds to s", r"ask", "i", [{"a"}, {"k"}]),
    ("nothing known", r".*", "", []),
    ("a class", r"[ab]c", "", [{"c"}]),
    ("a POSIX class is not parsed", r"[[:alpha:]]x", "", []),
    ("outside ASCII is left out", r"äbc", "", [{"bc"}]),
    ("not valid", r"(", "", []),
    ("flags in the middle", r"(?:(?i)abc)d", "", [{"abcd"}]),
    ("flags in the middle fold s", r"a(?i)sk", "", [{"a"}, {"k"}]),
    ("flags that are text", r"[(?i)]ab\(?i", "", [{"ab"}, {"i"}]),
]


@pytest.mark.parametrize(
    ("pattern", "flags", "groups"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_groups(pattern: str, flags: str, groups: list[set[str]]) -> None:
    assert [set(group) for group in literal_groups(pattern, flags)] == groups


parts = st.recursive(
    st.sampled_from(["a", "B", "s", "k", r"\.", "[ab]", ".", r"\d", "^", "$", r"\b", "K"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        inner.map(lambda one: f"(?:{one})?"),
        inner.map(lambda one: f"(?:{one})+"),
        inner.map(lambda one: f"({one})" + "{1,2}"),
    ),
    max_leaves=8,
)


@settings(max_examples=500, deadline=None)
@given(pattern=parts, text=st.text("aAbBsSkK.1 \u017f\u212a\n", max_size=10), insensitive=st.booleans())
def test_a_match_has_a_literal_of_every_group(pattern: str, text: str, insensitive: bool) -> None:
    if re.search(pattern, text, re.IGNORECASE if insensitive else 0):
        for group in literal_groups(pattern, "i" if insensitive else ""):
            assert any(literal in text.lower() for literal in group)
        assert len(text) >= least_length(pattern, "i" if insensitive else "")


@pytest.mark.parametrize(
    ("pattern", "flags", "length"),
    [
        (r".{1000,}", "", 1000),
        (r"^\s(abc|d)+[ef]{3}$", "s", 5),
        (r"(?=abcdef)a", "", 1),
        (r"a*", "", 0),
        (r"(?x) a b c", "", 0),
        (r"[[:alpha:]]{9}", "", 0),
        (r"(", "", 0),
    ],
)
def test_least_length(pattern: str, flags: str, length: int) -> None:
    assert least_length(pattern, flags) == length
