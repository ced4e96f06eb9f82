"""Patterns that come later are found as those that were there before."""

from __future__ import annotations

import pytest

from undertag.match.indexed.long_texts import LongTexts
from undertag.model.expr import Not, Or, Test


@pytest.mark.parametrize("count", [1, 5, 100])
def test_patterns_added_between_two_searches(count: int) -> None:
    longs = LongTexts()
    text = " ".join(f"p{number}." for number in range(0, count, 2))
    for number in range(count):
        longs.add(Not(Or((Test("A", "contains", f"p{number}."), Test("B", "contains", "p0.")))))
        assert longs.found("A", text) == {f"p{one}." for one in range(0, number + 1, 2)}


def test_only_what_is_looked_for_in_the_field() -> None:
    longs = LongTexts()
    longs.add(Or((Test("A", "contains", "x"), Test("B", "contains", "y"), Test("A", "eq", "z"))))
    longs.add(Test("A", "contains", "Q", cased=True))
    assert longs.found("A", "x y z Q") == {"x"}
    assert longs.found("C", "x y z Q") == set()
