"""A `condition:` → an expression over the selections. pySigma parses; the tree is walked here.

Contract: `1 of` and `any of` mean at least one, `all of` all; `them` and patterns pass over selections whose
name starts with an underscore; a pattern that fits nothing is an error, since it would vanish silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, cast

from sigma.conditions import (
    ConditionAND,
    ConditionIdentifier,
    ConditionItem,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    SigmaCondition,
)
from sigma.exceptions import SigmaConditionError
from sigma.rule import SigmaDetections

from undertag.match.patterns import glob_name
from undertag.match.sigma.codes import Rejected
from undertag.match.sigma.trees import all_of, any_of, count_tests, negate
from undertag.model.expr import Expr

MAX_CHARS: Final = 10_000
MAX_DEPTH: Final = 40
"""Open brackets, and `not`s in a row: pySigma's parser recurses on them."""
MAX_TESTS: Final = 100_000


def convert_condition(condition: Any, selections: Mapping[str, Expr], line: int) -> Expr:
    """Convert a condition, given its selections.

    Raises:
        Rejected: UT206, UT220 to UT223.
    """
    if not isinstance(condition, str):
        raise Rejected("UT206", "the condition is no text", hint="write `condition: selection`", line=line)
    if "|" in condition:
        hint = "use a correlation rule (Sigma 2) for counts over several events"
        raise Rejected("UT222", "aggregation by `|` in the condition", hint=hint, line=line)
    try:
        expr = _walk(_parse(condition), selections)
    except SigmaConditionError as error:
        hint = "operators are `and`, `or`, `not`, `1 of`, `all of`, in lower case"
        raise Rejected(
            "UT220", f"condition can't be parsed: {error.args[0]}", hint=hint, line=line
        ) from error
    except Rejected as rejected:
        rejected.line = rejected.line or line
        raise
    if count_tests(expr) > MAX_TESTS:
        raise Rejected("UT223", f"the condition expands to more than {MAX_TESTS} tests", line=line)
    return expr


@lru_cache(maxsize=4096)
def _parse(condition: str) -> ConditionItem:
    if len(condition) > MAX_CHARS:
        raise Rejected("UT220", f"condition of {len(condition)} characters; at most {MAX_CHARS}")
    depth = nots = 0
    for word in condition.replace("(", " ( ").replace(")", " ) ").split():
        depth += (word == "(") - (word == ")")
        nots = nots + 1 if word == "not" else 0
        if depth > MAX_DEPTH or nots > MAX_DEPTH:
            raise Rejected("UT220", f"condition nested deeper than {MAX_DEPTH}", hint="use more selections")
    unbound = cast(SigmaDetections, None)  # only postprocessing looks at the selections
    return cast(ConditionItem, SigmaCondition(condition, unbound).parse(postprocess=False))


def _walk(node: Any, selections: Mapping[str, Expr]) -> Expr:
    if isinstance(node, ConditionIdentifier):
        if node.identifier not in selections:
            raise Rejected(
                "UT221",
                f"condition names '{node.identifier}', which is no selection",
                hint=f"selections: {', '.join(selections)}",
            )
        return selections[node.identifier]
    if isinstance(node, ConditionSelector):
        return _select(node, selections)
    if isinstance(node, ConditionNOT):
        return negate(_walk(node.args[0], selections))
    if isinstance(node, ConditionAND):
        return all_of(_walk(arg, selections) for arg in node.args)
    if isinstance(node, ConditionOR):
        return any_of(_walk(arg, selections) for arg in node.args)
    raise Rejected("UT220", f"condition has an unknown part {type(node).__name__}")


def _select(node: ConditionSelector, selections: Mapping[str, Expr]) -> Expr:
    pattern = "*" if node.pattern == "them" else node.pattern
    chosen = [
        expr
        for name, expr in selections.items()
        if glob_name(pattern, name) and (pattern.startswith("_") or not name.startswith("_"))
    ]
    if not chosen:
        raise Rejected(
            "UT221",
            f"'{node.args[0]} of {node.pattern}' fits no selection",
            hint=f"selections: {', '.join(selections)}",
        )
    return all_of(chosen) if node.cond_class is ConditionAND else any_of(chosen)
