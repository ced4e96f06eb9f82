"""Building flat `Expr` trees: the same meaning, less nesting."""

from __future__ import annotations

from collections.abc import Iterable

from undertag.model.expr import FALSE, TRUE, And, Expr, Not, Or, Test


def all_of(args: Iterable[Expr]) -> Expr:
    """All of `args`, flattened; a single one is itself."""
    flat: list[Expr] = []
    for arg in args:
        if isinstance(arg, And):
            flat.extend(arg.args)
        elif arg == FALSE:
            return FALSE
        else:
            flat.append(arg)
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def any_of(args: Iterable[Expr]) -> Expr:
    """At least one of `args`, flattened; a single one is itself."""
    flat: list[Expr] = []
    for arg in args:
        if isinstance(arg, Or):
            flat.extend(arg.args)
        elif arg == TRUE:
            return TRUE
        else:
            flat.append(arg)
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def negate(arg: Expr) -> Expr:
    """Not `arg`; a double negation is none."""
    if isinstance(arg, Not):
        return arg.arg
    if arg == TRUE:
        return FALSE
    if arg == FALSE:
        return TRUE
    return Not(arg)


def count_tests(expr: Expr) -> int:
    """How many tests a tree holds, each of its places counted."""
    if isinstance(expr, Test):
        return 1
    if isinstance(expr, Not):
        return count_tests(expr.arg)
    return sum(count_tests(arg) for arg in expr.args)
