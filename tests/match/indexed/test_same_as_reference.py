"""The indexed matcher gives what the plain one gives: by hand, at random, whole multisets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.match.batches import batch_of, by_index, by_reference
from tests.match.modifier_cases import CASES, Case, load_case
from tests.match.random_rules import events, exprs

from undertag.match.bind import fold
from undertag.match.indexed import chances, memory, scan
from undertag.match.indexed.evidence import compile_evidence
from undertag.match.indexed.folded import FoldedEvent
from undertag.match.indexed.gate import Gate
from undertag.match.indexed.long_texts import LongTexts
from undertag.match.indexed.memory import Memory
from undertag.match.indexed.plan import Plan
from undertag.match.scalars import text_of
from undertag.model.batch import Batch
from undertag.model.expr import FALSE, Expr, Test


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_modifier_case(case: Case) -> None:
    rule = load_case(case)
    condition = fold(rule.condition, {})
    events = [event for event, _ in case.events]
    if condition == FALSE:
        assert not any(expected for _, expected in case.events)
        return
    found = Plan([(7, condition)]).match(batch_of(events))
    assert [row in found for row in range(len(events))] == [expected for _, expected in case.events]


def test_all_cases_in_one_plan() -> None:
    rules = [(number, fold(load_case(case).condition, {})) for number, case in enumerate(CASES)]
    rules = [(number, expr) for number, expr in rules if expr != FALSE]
    events = [event for case in CASES for event, _ in case.events]
    assert by_index(Plan(rules), batch_of(events)) == by_reference(rules, events)


rule_sets = st.lists(exprs(), min_size=1, max_size=12)
event_sets = st.lists(events(), min_size=1, max_size=12)


def bound(conditions: list[Expr]) -> list[tuple[int, Expr]]:
    folded = [(number, fold(expr, {})) for number, expr in enumerate(conditions)]
    return [(number, expr) for number, expr in folded if expr != FALSE]


@settings(max_examples=300, deadline=None)
@given(conditions=rule_sets, some=event_sets)
def test_random_rules(conditions: list[Expr], some: list[dict[str, Any]]) -> None:
    rules = bound(conditions)
    assert by_index(Plan(rules), batch_of(some)) == by_reference(rules, some)


@settings(max_examples=150, deadline=None)
@given(conditions=rule_sets, some=event_sets, rare=st.sampled_from([0.0, 2.0]))
def test_random_rules_all_dense_and_all_sparse(
    conditions: list[Expr], some: list[dict[str, Any]], rare: float
) -> None:
    """Both kinds of rules are right on their own, wherever the border between them lies."""
    rules = bound(conditions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("undertag.match.indexed.filter.RARE", rare)
        assert by_index(Plan(rules), batch_of(some)) == by_reference(rules, some)


@settings(max_examples=150, deadline=None)
@given(conditions=rule_sets, some=event_sets, later=event_sets)
def test_learning_and_memos_change_nothing(
    conditions: list[Expr], some: list[dict[str, Any]], later: list[dict[str, Any]]
) -> None:
    rules = bound(conditions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "MEMO_SIZE", 3)
        learned = Plan(rules).learn([batch_of(some)])
        for batch in (some, later, some):
            assert by_index(learned, batch_of(batch)) == by_reference(rules, batch)


@settings(max_examples=100, deadline=None)
@given(conditions=rule_sets, some=event_sets)
def test_long_texts_are_searched_alike(conditions: list[Expr], some: list[dict[str, Any]]) -> None:
    rules = bound(conditions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("undertag.match.indexed.text_tests.LONG", 0)
        assert by_index(Plan(rules), batch_of(some)) == by_reference(rules, some)


@settings(max_examples=300, deadline=None)
@given(
    conditions=rule_sets,
    some=event_sets,
    other=event_sets,
    limit=st.sampled_from([0, 2, 1000, 1_000_000]),
    trials=st.sampled_from([(1,), (3, 5), (1000,)]),
    worth=st.sampled_from([0.7, 1.0]),
    seldom=st.sampled_from([0, 3]),
    covered=st.sampled_from([(), ("abc",)]),
)
def test_what_is_remembered_changes_nothing(
    conditions: list[Expr],
    some: list[dict[str, Any]],
    other: list[dict[str, Any]],
    limit: int,
    trials: tuple[int, ...],
    worth: float,
    seldom: int,
    covered: tuple[str, ...],
) -> None:
    """Whatever was seen before, forgotten or given up: the same hits, for the same reasons."""
    rules = bound(conditions)
    gate = Gate(covered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "TRIALS", trials)
        patch.setattr(memory, "PAUSE", 1)
        patch.setattr(memory, "WORTH", worth)
        patch.setattr("undertag.match.indexed.asked.SELDOM", seldom)
        made = Plan(rules, gated=gate.covered, memory=Memory(limit), recall=Memory(limit))
        for events in (some, some, other, [*some, *other], some):
            batch = batch_of(events, gate)
            assert by_index(made, batch) == by_reference(rules, events)
            for found in made.match(batch).values():
                for number, reason in found.met.hits:
                    assert reason.facts(found.event) == compile_evidence(dict(rules)[number])(found.event)


@settings(max_examples=150, deadline=None)
@given(condition=exprs(), some=event_sets)
def test_evidence_is_there_exactly_for_matches(condition: Expr, some: list[dict[str, Any]]) -> None:
    rules = bound([condition])
    if not rules:
        return
    expr = rules[0][1]
    batch = batch_of(some)
    hits = {row for row, _ in by_reference(rules, some)}
    ask, known = compile_evidence(expr, holds=False), compile_evidence(expr)
    longs = LongTexts()
    longs.add(expr)
    for row in range(len(some)):
        facts = ask(FoldedEvent(batch, row, longs))
        assert (facts is not None) == (row in hits)
        if row in hits:
            assert known(FoldedEvent(batch, row, longs)) == facts


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, True),
        (True, 1),
        (0, False),
        ("1", True),
        (1.0, 1),
        ([1], True),
        ([True, 1], [False]),
        (-0.0, 0),
        (0, -0.0),
        (1e16, 10**16),
        (10**16, 1e16),
    ],
    ids=str,
)
def test_values_that_python_takes_for_equal(first: Any, second: Any) -> None:
    """1 == True == 1.0 for a dictionary, but not for a rule."""
    texts = dict.fromkeys(text_of(value) for value in (first, second) if not isinstance(value, list))
    case_rules = [
        (number, Test("A", "eq", text)) for number, text in enumerate({**texts, "true": None, "1": None})
    ]
    events = [{"A": first}, {"A": second}, {"A": first}]
    for gate in (None, Gate([])):
        made = Plan(case_rules)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(memory, "TRIALS", (1,))
            patch.setattr(memory, "WORTH", 1.0)
            for one in (events[0], *events):
                assert by_index(made, batch_of([one], gate)) == by_reference(case_rules, [one])
            assert by_index(made, batch_of(events, gate)) == by_reference(case_rules, events)


@pytest.mark.parametrize("covered", [(), ("mimikatz",)], ids=["heard here", "heard by the gate"])
def test_keywords_are_found_in_fields_that_no_rule_names(covered: tuple[str, ...]) -> None:
    """What an event meets isn't remembered by its fields where a keyword may be in another."""
    rules: list[tuple[int, Expr]] = [(0, Test(None, "contains", "mimikatz")), (1, Test("A", "eq", "x"))]
    gate = Gate(covered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "TRIALS", (1,))
        patch.setattr(memory, "WORTH", 1.0)
        made = Plan(rules, gated=gate.covered)
        for other in ("", "", "y", "Mimikatz", "z", "mimi\u006batz", "y"):
            events = [{"A": "x", "B": other}]
            assert by_index(made, batch_of(events, gate)) == by_reference(rules, events)


def test_events_known_in_batches_of_their_own_count_as_known() -> None:
    """Whether remembering pays is told from all events, not from those batches alone that bring new ones."""
    made = Plan([(0, Test("A", "eq", "x"))])
    asked: list[int] = []
    left = made.filter.left

    def count(batch: Batch) -> dict[int, list[int]]:
        asked.append(len(batch))
        return left(batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "TRIALS", (4,))
        patch.setattr(made.filter, "left", count)
        for number in range(40):
            for value in ("x", "x", "x", f"new {number}"):
                made.match(batch_of([{"A": value}], Gate([])))
    assert len(asked) < 60


NESTED: list[dict[str, Any]] = [
    {"A": [{"b": None}, {"b": 1}]},
    {"A": [{"b": 1}]},
    {"A": {"b": None}},
    {"A": []},
    {"A": [{"c": 1}]},
    {"A": [[{"b": "x"}]]},
    {"A": {"b": []}},
    {"A.b": None},
    {"A": [{"b": [None]}]},
]


@pytest.mark.parametrize(
    ("op", "pattern"), [("null", None), ("exists", True), ("exists", False), ("eq", "1"), ("eq", "x")]
)
def test_paths_through_arrays_of_objects(op: str, pattern: Any) -> None:
    from undertag.model.expr import Test as Leaf

    rules = [(0, Leaf("A.b", op, pattern))]
    assert by_index(Plan(rules), batch_of(NESTED)) == by_reference(rules, NESTED)


def test_chances_never_leave_their_range() -> None:
    from undertag.match.indexed.atoms import Atom

    for text in ("", "a", "\\system32\\", "powershell.exe", "ünïcode", "x" * 300):
        for kind in ("eq", "contains", "startswith", "endswith", "present"):
            assert 0.0 < chances.guess(Atom("A", kind, text)) <= 2.0


@pytest.mark.parametrize(
    "raw",
    [
        rb'{"A":"mimikatz"}',
        rb'{"A":"mimi\u006batz"}',
        rb'{"A":"\u004dimi\u006BAtz"}',
        b"<A>mimi&#107;atz</A>",
        b"<A>mimi&#x6B;at&#0122;</A>",
    ],
)
def test_keywords_are_found_however_their_letters_are_written(raw: bytes) -> None:
    batch = batch_of([{"A": "mimikatz"}, {"A": "other"}])
    batch.raws[0] = raw
    assert by_index(Plan([(0, Test(None, "contains", "mimikatz"))]), batch) == {(0, 0): 1}
