"""All rules of one log source bound to one entry, each condition only when it is asked for.

Contract: the same as `bind` rule by rule; rules that `bind` would make `FALSE` are left out. Rules with equal
conditions are bound once: the first of them stands for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from undertag.match.bind import bind, bound_name, limit_of
from undertag.match.indexed.atoms import Atom, Needs, needs_of
from undertag.match.indexed.chances import Guesses
from undertag.match.indexed.pending import Pending
from undertag.match.outline import Outline, OutlinedRule
from undertag.model.entry import Entry, Service
from undertag.model.expr import FALSE, Expr, field_names
from undertag.model.rule import Rule


class Binding:
    """Binds rules of one log source to one entry."""

    def __init__(self, entry: Entry, service: Service, guesses: Guesses) -> None:
        self._entry = entry
        self._guesses = guesses
        self._service = service
        self._limit = limit_of(service, entry)
        self._limit_groups = needs_of(self._limit, len).groups
        self._limit_fields = field_names(self._limit)
        self._names: dict[str, str] = {}
        self._moves = bool(service.rename or service.derive)
        self._first: dict[bytes, int | None] = {}
        self.twins: dict[int, list[int]] = {}
        """By the number of a rule those of the ones with the same condition, itself the first."""

    def bind(
        self, numbers: Iterable[int], rules: Sequence[Rule], outline: Callable[[int], Outline]
    ) -> list[tuple[int, Expr | Pending]]:
        """What can be true in the entry, with the numbers of the rules."""
        if self._limit == FALSE:
            return []
        found = []
        for number in numbers:
            rule = rules[number]
            if isinstance(rule, OutlinedRule):
                if rule.stored in self._first:
                    first = self._first[rule.stored]
                    if first is not None:
                        self.twins.setdefault(first, [first]).append(number)
                    continue
                self._first[rule.stored] = number
            bound = self._bind(rule, outline(number))
            if bound is not None:
                found.append((number, bound))
            elif isinstance(rule, OutlinedRule):
                self._first[rule.stored] = None
        return found

    def _bind(self, rule: Rule, outline: Outline) -> Expr | Pending | None:
        """None where the rule can't be true."""
        fields = frozenset(map(self._name, outline.fields)) if self._moves else frozenset(outline.fields)
        if fields.isdisjoint(self._entry.constants):
            needs = self._needs(outline.needs)
            if needs.groups or needs.refuters:
                return Pending(needs, fields | self._limit_fields, partial(bind, rule, self._entry))
        condition = bind(rule, self._entry)
        return None if condition == FALSE else condition

    def _name(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            known = self._names[name] = bound_name(name, self._service)
        return known

    def _needs(self, needs: Needs) -> Needs:
        groups, refuters = needs.groups, needs.refuters
        if self._moves:
            groups = tuple([frozenset(map(self._atom, group)) for group in groups])
            refuters = frozenset(map(self._atom, refuters))
        if needs.guesses:
            self._guesses.take(groups, needs.guesses)
        if self._limit_groups and not needs.brief:
            groups += self._limit_groups
        return Needs(groups, refuters, needs.brief)

    def _atom(self, atom: Atom) -> Atom:
        name = self._names.get(atom.field) or self._name(atom.field)
        return atom if name == atom.field else Atom(name, atom.kind, atom.text)
