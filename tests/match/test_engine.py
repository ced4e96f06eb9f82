"""All rules of an engine, planned by what was kept of them, match where each matches by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.match.batches import batch_of
from tests.match.random_rules import events, exprs

from undertag.match import engine
from undertag.match.bind import bind
from undertag.match.engine import Engine
from undertag.match.indexed.chances import RARE
from undertag.match.reference import match_event
from undertag.match.sigma.result import LoadResult
from undertag.match.sigma.stored import decode_result, encode_result
from undertag.model.batch import Batch
from undertag.model.entry import Entry, Service
from undertag.model.expr import And, Expr, Not, Or, Test
from undertag.model.rule import LogSource, Rule

SOURCE = LogSource(product="windows", category="process_creation")
ENTRIES = {
    "as it is": Entry(key="test/plain", services=(Service(logsource=SOURCE),)),
    "renamed": Entry(key="test/renamed", services=(Service(logsource=SOURCE, rename={"A": "B"}),)),
    "restricted": Entry(key="test/where", services=(Service(logsource=SOURCE, where={"A": ("x",)}),)),
    "constant": Entry(key="test/fold", services=(Service(logsource=SOURCE),), constants={"A": "x"}),
    "restricted by a constant": Entry(
        key="test/both", services=(Service(logsource=SOURCE, where={"A": ("x",)}),), constants={"A": "x"}
    ),
    "another source": Entry(
        key="test/none", services=(Service(logsource=SOURCE, where={"A": ("y",)}),), constants={"A": "x"}
    ),
}


def rule(number: int, condition: Expr) -> Rule:
    return Rule(id=f"rule-{number}", title="any", logsource=SOURCE, condition=condition)


def stored(conditions: list[Expr]) -> list[Rule]:
    """Rules as they come from the cache."""
    rules = [rule(number, condition) for number, condition in enumerate(conditions)]
    return decode_result(encode_result(LoadResult(rules=rules))).rules


def batch_in(entry: Entry, some: list[dict[str, Any]]) -> Batch:
    batch = batch_of([{**event, **entry.constants} for event in some])
    batch.entry = entry
    return batch


def pairs(made: Engine, batch: Batch) -> Counter[tuple[int, int]]:
    return Counter((row, number) for row, found in made.match(batch).items() for number in found.numbers)


@settings(max_examples=300, deadline=None)
@given(
    conditions=st.lists(exprs(), min_size=1, max_size=8),
    twice=st.booleans(),
    some=st.lists(events(), min_size=1, max_size=8),
    entry=st.sampled_from(list(ENTRIES.values())),
    kept=st.booleans(),
    rare=st.sampled_from([RARE, 2.0]),
)
def test_rules_match_as_each_does_by_itself(
    conditions: list[Expr], twice: bool, some: list[dict[str, Any]], entry: Entry, kept: bool, rare: float
) -> None:
    conditions = [*conditions, *conditions] if twice else conditions
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("undertag.match.outline.RARE", rare)
        patch.setattr(engine, "LEARN_ROWS", 1)
        plain = [rule(number, condition) for number, condition in enumerate(conditions)]
        made = Engine(stored(conditions) if kept else plain)
        batch = batch_in(entry, some)
        expected = Counter(
            (row, number)
            for number, one in enumerate(plain)
            for row in range(len(some))
            if match_event(bind(one, entry), batch.event(row))
        )
        assert pairs(made, batch) == expected
        made.learn([batch])
        assert pairs(made, batch) == expected


A_IS_X = Test("A", "eq", "x", selection="one")
ANY_ENTRY = ENTRIES["as it is"]


def test_equal_conditions_are_bound_once_and_all_match() -> None:
    made = Engine(stored([A_IS_X, Test("B", "eq", "y"), A_IS_X, A_IS_X]))
    batch = batch_in(ANY_ENTRY, [{"A": "x", "B": "y"}, {"A": "z"}])
    found = made.match(batch)
    assert {row: one.numbers for row, one in found.items()} == {0: (0, 1, 2, 3)}
    assert made.bound == {0, 1, 2, 3}
    assert len(made.plan(ANY_ENTRY).rules) == 2
    assert [why.facts(found[0].event)[0][1] for _, why in found[0].met.hits] == ["x", "y", "x", "x"]


def test_conditions_with_other_selections_keep_their_evidence() -> None:
    made = Engine(stored([A_IS_X, replace(A_IS_X, selection="two")]))
    batch = batch_in(ANY_ENTRY, [{"A": "x"}])
    found = made.match(batch)[0]
    assert [why.facts(found.event)[0][0].selection for _, why in found.met.hits] == ["one", "two"]


def test_a_condition_is_not_read_before_its_literals_are_met() -> None:
    text = "a literal that is rare by guess"
    (kept,) = stored([And((Test("A", "contains", text), Not(Or((Test("B", "null", None),)))))])
    made = Engine([kept])
    assert made.match(batch_in(ANY_ENTRY, [{"A": "something else", "B": 1}])) == {}
    assert not _is_read(kept)
    assert list(made.match(batch_in(ANY_ENTRY, [{"A": text, "B": 1}]))) == [0]
    assert _is_read(kept)


def _is_read(kept: Rule) -> bool:
    try:
        object.__getattribute__(kept, "condition")
    except AttributeError:
        return False
    return True
