"""Rules of a plan whose conditions are bound when they are first asked for, and most never are.

Contract: `Conditions(rules)[number]` is the bound condition; `needs` and `fields` of a `Pending` are those of that
condition, or say less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from undertag.match.indexed.atoms import Needs
from undertag.model.expr import Expr


class Pending(NamedTuple):
    """A rule before it is bound: what is known of its condition, and how to get it."""

    needs: Needs
    fields: frozenset[str]
    bind: Callable[[], Expr]


class Conditions(dict[int, Expr]):
    """Bound conditions by the numbers of their rules."""

    def __init__(self, rules: Iterable[tuple[int, Expr | Pending]]) -> None:
        super().__init__()
        self.pending: dict[int, Pending] = {}
        for number, rule in rules:
            if isinstance(rule, Pending):
                self.pending[number] = rule
            else:
                self[number] = rule

    def __missing__(self, number: int) -> Expr:
        self[number] = condition = self.pending[number].bind()
        return condition
