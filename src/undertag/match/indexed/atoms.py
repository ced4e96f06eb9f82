"""What must be in an event for a rule to be true: necessary groups of atoms, and the atoms that refute it.

Contract: a filter made from these may only ever let too much through. An `Atom` is a literal in a folded text of
one field. A *group* is a set of atoms of which at least one holds wherever the rule is true. A *refuter* is an
atom that never holds where the rule is true; it has to be exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from undertag.match.indexed.regex_literals import literal_groups
from undertag.model.expr import ANY, ONE, And, Expr, Not, Or, Test

MAX_GROUP: Final = 16_384
"""Larger groups cost more to scan for than they save."""
RAW: Final = "\0raw"
"""The field that stands for the record's bytes, where keywords are looked for."""
PLAIN: Final = frozenset({"eq", "contains", "startswith", "endswith"})
_SAFE = re.compile(r"[ !#$%()*+,\-.0-9:;=?@A-Z\[\]^_`a-z{|}~]+")
"""What every writer of JSON writes as it is. A slash may stand behind a backslash."""
_NUMERIC = re.compile(r"[0-9.e+\-]*")


class Atom(NamedTuple):
    """A literal (`text`, folded) in a field: `kind` is eq, contains, startswith, endswith or present."""

    field: str
    kind: str
    text: str


Group = frozenset[Atom]


class Needs(NamedTuple):
    """`groups` must all be met; a rule is refuted by any of `refuters`. Both empty: nothing is known.

    `brief`: one group that is rare by guess stands for all, and the condition has more to say. `guesses`: the guessed
    chances of the groups, where they are known beforehand.
    """

    groups: tuple[Group, ...]
    refuters: frozenset[Atom]
    brief: bool = False
    guesses: tuple[float, ...] = ()


def needs_of(expr: Expr, cost: Callable[[Group], float]) -> Needs:
    """The necessary groups and refuters of a bound condition; `cost` ranks groups (lower is rarer)."""
    groups: dict[Group, None] = {}
    refuters: set[Atom] = set()
    for part in _conjuncts(expr):
        if isinstance(part, Not):
            if isinstance(part.arg, Test):
                refuters.update(_exact(part.arg))
            continue
        for group in _groups(part, cost):
            groups[group] = None
    return Needs(groups=tuple(groups), refuters=frozenset(refuters))


def _conjuncts(expr: Expr) -> Iterable[Expr]:
    if isinstance(expr, And):
        for arg in expr.args:
            yield from _conjuncts(arg)
    elif isinstance(expr, Not) and isinstance(expr.arg, Or):
        for arg in expr.arg.args:
            yield from _conjuncts(Not(arg))
    elif isinstance(expr, Not) and isinstance(expr.arg, Not):
        yield from _conjuncts(expr.arg.arg)
    else:
        yield expr


def _groups(expr: Expr, cost: Callable[[Group], float]) -> list[Group]:
    if isinstance(expr, Test):
        return _necessary(expr)
    if isinstance(expr, And):
        return [group for arg in expr.args for group in _groups(arg, cost)]
    if isinstance(expr, Or):
        return _either(expr, cost)
    return []


def _either(expr: Or, cost: Callable[[Group], float]) -> list[Group]:
    """Groups of a disjunction: one atom of one group of each branch; per field where every branch has one there."""
    alike = _alike(expr)
    if alike is not None:
        return alike
    branches = []
    for arg in expr.args:
        groups = _groups(arg, cost)
        if not groups:
            return []
        branches.append(groups)
    if not branches:
        return []
    found = [frozenset().union(*(min(groups, key=cost) for groups in branches))]
    fields = set.intersection(*({f for g in groups if (f := single_field(g))} for groups in branches))
    for name in sorted(fields):
        parts = (min((g for g in groups if single_field(g) == name), key=cost) for groups in branches)
        found.append(frozenset().union(*parts))
    return [group for group in dict.fromkeys(found) if len(group) <= MAX_GROUP]


def _alike(expr: Or) -> list[Group] | None:
    """Groups of a disjunction of plain texts of one field, by far the commonest; None for any other."""
    name, atoms = None, []
    for arg in expr.args:
        if not isinstance(arg, Test) or arg.op not in PLAIN or arg.field is None:
            return None
        text = _foldable(arg.pattern, arg.cased)
        if not text or (name is not None and name != arg.field):
            return None
        name = arg.field
        atoms.append(Atom(name, arg.op, text))
    if name is None:
        return None
    present = frozenset((Atom(name, "present", ""),))
    return [frozenset(atoms), present] if len(atoms) <= MAX_GROUP else [present]


def single_field(group: Group) -> str | None:
    """The field of a group that lies on one field alone."""
    name = None
    for atom in group:
        if name is None:
            name = atom.field
        elif name != atom.field:
            return None
    return name


def _exact(test: Test) -> list[Atom]:
    if test.field is None or test.cased or test.op not in PLAIN or not test.pattern:
        return []
    return [Atom(test.field, test.op, test.pattern)]


def _necessary(test: Test) -> list[Group]:
    name = test.field
    if name is None:
        return _keyword_groups(test)
    if test.op in ("exists", "null"):  # a null is there, but scans take it for absent
        return []
    present = frozenset((Atom(name, "present", ""),))
    if test.op in PLAIN:
        text = _foldable(test.pattern, test.cased)
        if not text:
            return [present] if test.pattern or test.op != "eq" else []
        return [frozenset((Atom(name, test.op, text),)), present]
    if test.op == "glob":
        return [*_glob_groups(name, test), present]
    if test.op == "re":
        groups = literal_groups(test.pattern, test.flags)
        return [*(frozenset(Atom(name, "contains", text) for text in group) for group in groups), present]
    return [present]


def _glob_groups(name: str, test: Test) -> list[Group]:
    parts = test.pattern
    groups = []
    for index, part in enumerate(parts):
        if part in (ANY, ONE):
            continue
        text = _foldable(part, test.cased)
        if text:
            kind = "startswith" if index == 0 else "endswith" if index == len(parts) - 1 else "contains"
            groups.append(frozenset((Atom(name, kind, text),)))
    return groups


def _foldable(text: str, cased: bool) -> str:
    """The literal as the filter may look for it; a cased one outside ASCII may fold otherwise within its text."""
    if not cased:
        return text
    return text.lower() if text.isascii() else ""


def _keyword_groups(test: Test) -> list[Group]:
    """Groups on the record's bytes: parts of a keyword that no JSON, XML or CSV writer would spell otherwise."""
    if test.op in PLAIN:
        alternatives = [[test.pattern]]
    elif test.op == "glob":
        alternatives = [[part] for part in test.pattern if part not in (ANY, ONE)]
    elif test.op == "re":
        alternatives = [list(group) for group in literal_groups(test.pattern, test.flags)]
    else:
        return []
    groups = []
    for texts in alternatives:
        parts = [max(_SAFE.findall(text.lower()), key=len, default="") for text in texts]
        if all(len(part) > 2 and not _NUMERIC.fullmatch(part) for part in parts):
            groups.append(frozenset(Atom(RAW, "contains", part) for part in parts))
    return groups
