"""Rules from several places as one set.

Contract: of rules with one id the first stays. The order is by id, our own before all, so that what an event says doesn't
depend on where files lie.
"""

from __future__ import annotations

from collections.abc import Iterable

from undertag.model.problem import Problem
from undertag.model.rule import Rule


def joined(rules: Iterable[Rule]) -> tuple[list[Rule], list[tuple[Rule, Rule]]]:
    """The rules of the set, and each that was left out with the one that has its id."""
    by_id: dict[str, Rule] = {}
    left_out = []
    for rule in rules:
        first = by_id.setdefault(rule.id, rule)
        if first is not rule:
            left_out.append((rule, first))
    return sorted(by_id.values(), key=lambda rule: (not rule.pack, rule.id)), left_out


def id_taken(rule: Rule, first: Rule) -> Problem:
    """What is to be told of a rule that was left out."""
    return Problem(
        code="UT208",
        message=f"{rule.file}: the id {rule.id} is taken by {first.file}",
        hint="give one of them another id",
    )
