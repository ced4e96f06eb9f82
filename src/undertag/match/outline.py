"""What planning wants to know of a rule before any event is seen, so that its condition needn't be read for it.

Contract: an outline says what the condition itself would have said (`bind.event_ids`, `needs_of`, `field_names`), or
less where one necessary group is rare enough by guess to do alone. It never holds for fewer events than the condition.
"""

from __future__ import annotations

from typing import NamedTuple

from undertag.match.bind import event_ids, has_keywords
from undertag.match.indexed.atoms import RAW, Needs, needs_of
from undertag.match.indexed.chances import RARE, Guesses
from undertag.model.expr import FALSE, Expr, field_names
from undertag.model.rule import Rule


class Outline(NamedTuple):
    """An unbound rule's outline: all fields that it looks at, and what it needs."""

    fields: tuple[str, ...]
    needs: Needs


class OutlinedRule(Rule):
    """A rule that knows beforehand what the functions below would say of it.

    Rules with equal `stored` have equal conditions, down to the selections' names.
    """

    __slots__ = ("event_ids", "keywords", "outline", "stored")

    event_ids: frozenset[str] | None
    keywords: tuple[str, ...]
    outline: Outline
    stored: bytes


def outline_of(rule: Rule, guesses: Guesses) -> Outline:
    """The outline of a rule."""
    if isinstance(rule, OutlinedRule):
        return rule.outline
    condition = rule.condition
    return Outline(
        fields=tuple(sorted(field_names(condition))),
        needs=_brief(needs_of(condition, guesses.group), guesses),
    )


def ids_of(rule: Rule) -> frozenset[str] | None:
    """The event IDs that a rule can be true for, None where it names none."""
    if isinstance(rule, OutlinedRule):
        return rule.event_ids
    return frozenset() if rule.condition == FALSE else event_ids(rule.condition)


def keywords_of(rule: Rule) -> tuple[str, ...]:
    """The literals that a rule's keywords need in the record's bytes."""
    if isinstance(rule, OutlinedRule):
        return rule.keywords
    return _keywords(rule.condition)


def _keywords(condition: Expr) -> tuple[str, ...]:
    if not has_keywords(condition):
        return ()
    groups = needs_of(condition, len).groups
    return tuple(sorted({atom.text for group in groups for atom in group if atom.field == RAW}))


def _brief(needs: Needs, guesses: Guesses) -> Needs:
    """The rarest group alone where that is rare: the rule is then asked of so few events that nothing else pays."""
    best = min(needs.groups, key=guesses.group, default=None)
    if best is not None and guesses.group(best) < RARE:
        return Needs((best,), frozenset(), brief=True)
    return needs._replace(guesses=tuple(map(guesses.group, needs.groups)))
