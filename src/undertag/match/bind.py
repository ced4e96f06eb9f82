"""A rule bound to an entry: the entry's own field names, its restrictions, its constants folded in.

Contract: for every event of the entry, the bound condition is true exactly where the rule applies and its
condition is true. `FALSE` means that the rule can't be true there, `TRUE` that it always is.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

from undertag.match.patterns import compile_text_test
from undertag.match.scalars import fold as fold_text
from undertag.model.entry import Entry, Service, derived_name
from undertag.model.expr import FALSE, TEXT_OPS, TRUE, And, Expr, Not, Or, Test
from undertag.model.rule import Rule

_NO_FIELD: Final = frozenset({None})
"""The field that keywords have."""


def bind(rule: Rule, entry: Entry) -> Expr:
    """The condition of `rule` on events of `entry`; `FALSE` where its log source is another one."""
    service = entry.serving(rule.logsource)
    if service is None:
        return FALSE
    condition = rule.condition
    if service.rename or service.derive:
        condition = _rename(condition, service)
    if service.where:
        condition = And((*_limits(service), condition))
    return fold(condition, entry.constants) if names_any(condition, entry.constants) else condition


def limit_of(service: Service, entry: Entry) -> Expr:
    """What holds of every event that any rule of a log source is asked of; `FALSE` where there is none in the entry."""
    return fold(And(_limits(service)), entry.constants)


def _limits(service: Service) -> tuple[Expr, ...]:
    return tuple(
        Or(tuple(Test(name, "eq", fold_text(value), selection="logsource") for value in values))
        for name, values in service.where.items()
    )


def names_any(expr: Expr, fields: Container[str | None]) -> bool:
    """Whether a condition has a test on one of these fields."""
    if isinstance(expr, Test):
        return expr.field in fields
    if isinstance(expr, Not):
        return names_any(expr.arg, fields)
    for arg in expr.args:  # noqa: SIM110  # asked of every rule for every entry
        if names_any(arg, fields):
            return True
    return False


def has_keywords(expr: Expr) -> bool:
    """Whether a condition has a test on no field in particular."""
    return names_any(expr, _NO_FIELD)


def _rename(expr: Expr, service: Service) -> Expr:
    if isinstance(expr, Not):
        return Not(_rename(expr.arg, service))
    if isinstance(expr, And):
        return And(tuple(_rename(arg, service) for arg in expr.args))
    if isinstance(expr, Or):
        return Or(tuple(_rename(arg, service) for arg in expr.args))
    if expr.field is None:
        return expr
    pattern = expr.pattern
    if expr.op.startswith("fieldref"):
        pattern = bound_name(pattern, service)
    name = bound_name(expr.field, service)
    if name == expr.field and pattern == expr.pattern:
        return expr
    return Test(name, expr.op, pattern, expr.cased, expr.flags, expr.selection)


def bound_name(name: str, service: Service) -> str:
    """What the entry calls a field of Sigma's."""
    if name in service.derive:
        return derived_name(service.logsource.category, name)
    return service.rename.get(name, name)


def fold(expr: Expr, constants: Mapping[str, str]) -> Expr:
    """`expr` with every test on a constant field decided and the tree flattened."""
    if isinstance(expr, Test):
        return _decide(expr, constants)
    if isinstance(expr, Not):
        arg = fold(expr.arg, constants)
        if arg == TRUE:
            return FALSE
        if arg == FALSE:
            return TRUE
        return arg.arg if isinstance(arg, Not) else Not(arg)
    same, dead = (And, FALSE) if isinstance(expr, And) else (Or, TRUE)
    args: list[Expr] = []
    for child in expr.args:
        done = fold(child, constants)
        if done == dead:
            return dead
        if isinstance(done, same):
            args.extend(done.args)
        else:
            args.append(done)
    return args[0] if len(args) == 1 else same(tuple(args))


def _decide(test: Test, constants: Mapping[str, str]) -> Expr:
    text = constants.get(test.field) if test.field is not None else None
    if text is None:
        return test
    if test.op == "exists":
        return TRUE if test.pattern else FALSE
    if test.op == "null":
        return FALSE
    if test.op in TEXT_OPS or not test.op.startswith("fieldref"):
        holds = compile_text_test(test)(text if test.cased or test.op == "re" else fold_text(text))
        return TRUE if holds else FALSE
    return test


def event_ids(expr: Expr) -> frozenset[str] | None:
    """The event IDs that a condition can be true for, None where it names none: a cheap look before `bind`."""
    if isinstance(expr, Test):
        return frozenset((expr.pattern,)) if expr.field == "EventID" and expr.op == "eq" else None
    if isinstance(expr, Not):
        return None
    known = [event_ids(arg) for arg in expr.args]
    if isinstance(expr, Or):
        some = [ids for ids in known if ids is not None]
        return frozenset().union(*some) if len(some) == len(known) and some else None
    return min((ids for ids in known if ids is not None), key=len, default=None)
