"""The reference matcher on cases by hand, and each fast predicate against its plain wording."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.match.modifier_cases import CASES, Case, load_case
from tests.match.random_rules import events, exprs, globs, values

from undertag.match.patterns import PatternError, compile_glob, compile_text_test, wants_folded
from undertag.match.reference import evaluate, holds_for_text, match_event
from undertag.match.scalars import fold
from undertag.model.expr import Test as Leaf


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_holds_for_its_events_and_for_no_other(case: Case) -> None:
    rule = load_case(case)
    got = [(event, match_event(rule, event)) for event, _ in case.events]
    assert got == list(case.events)


def test_cases_have_names_of_their_own_and_can_fail() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert [case.name for case in CASES if not case.no] == []
    assert [case.name for case in CASES if not case.yes] == ["expand to nothing never holds"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_predicates_agree_with_the_reference(case: Case) -> None:
    """Every text test of every case, on every text of every event."""
    rule = load_case(case)
    for event, _ in case.events:
        for leaf in evaluate(rule, event).leaves():
            test = leaf.test
            assert test is not None
            if test.op in ("exists", "null") or test.op.startswith("fieldref"):
                with pytest.raises(PatternError):
                    compile_text_test(test)
                continue
            predicate = compile_text_test(test)
            for text in leaf.values:
                seen = fold(text) if wants_folded(test) else text
                assert predicate(seen) == holds_for_text(test, text), (test, text)


@given(parts=globs(), text=st.text("ab", max_size=12))
def test_fast_glob_is_the_plain_glob(parts: tuple[str | int, ...], text: str) -> None:
    assert compile_glob(parts)(text) == holds_for_text(Leaf("A", "glob", parts, True), text)


@given(expr=exprs(), event=events())
def test_trace_tells_what_match_does(expr: object, event: dict[str, object]) -> None:
    trace = evaluate(expr, event)  # type: ignore[arg-type]
    assert trace.held == match_event(expr, event)  # type: ignore[arg-type]
    for leaf in trace.leaves():
        assert leaf.test is not None
        if leaf.held and leaf.test.op not in ("exists", "null"):
            assert len(leaf.values) == 1


@given(value=values())
def test_a_value_equals_its_own_text(value: object) -> None:
    """Whatever a scalar is, a rule that names its text finds it; null has no text."""
    from undertag.match.scalars import text_of

    if isinstance(value, str | int | float | bool):
        assert match_event(Leaf("A", "eq", fold(text_of(value))), {"A": value})
    if value is None:
        assert match_event(Leaf("A", "null", None), {"A": value})


def test_trace_names_the_selection_and_the_value() -> None:
    case = Case(
        name="",
        detection="""
            sel_img: {Image|endswith: ['\\cmd.exe', '\\ps.exe']}
            filter_user: {User: [SYSTEM, null]}
            condition: sel_img and not filter_user
        """,
    )
    trace = evaluate(load_case(case), {"Image": ["x", r"C:\PS.exe"], "User": "bob"})
    told = [
        (leaf.test.selection, leaf.held, leaf.present, leaf.values) for leaf in trace.leaves() if leaf.test
    ]
    assert trace.held
    assert told == [
        ("sel_img", False, True, ("x", r"C:\PS.exe")),
        ("sel_img", True, True, (r"C:\PS.exe",)),
        ("filter_user", False, True, ("bob",)),
        ("filter_user", False, True, ("bob",)),
    ]


def test_fields_may_come_from_a_function() -> None:
    asked: list[str | None] = []

    contents: dict[str | None, list[object]] = {"A": [1, None], None: ["needle"]}

    def get(field: str | None) -> list[object] | None:
        asked.append(field)
        return contents.get(field)

    assert match_event(Leaf("A", "eq", "1"), get)
    assert match_event(Leaf("A", "null", None), get)
    assert match_event(Leaf(None, "contains", "need"), get)
    assert not match_event(Leaf("B", "exists", True), get)
    assert asked == ["A", "A", None, "B"]
