"""One pySigma value → the tests that mean the same. No modifier is applied here; that is done already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any, Final

from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from undertag.match.patterns import PatternError, compile_regex
from undertag.match.scalars import fold, text_of
from undertag.match.sigma.codes import Rejected
from undertag.match.sigma.trees import any_of
from undertag.model.expr import ANY, ONE, Expr, Test

_FLAGS: Final = {
    SigmaRegularExpressionFlag.IGNORECASE: "i",
    SigmaRegularExpressionFlag.MULTILINE: "m",
    SigmaRegularExpressionFlag.DOTALL: "s",
}
_COMPARE: Final = {
    CompareOperators.LT: "lt",
    CompareOperators.LTE: "lte",
    CompareOperators.GT: "gt",
    CompareOperators.GTE: "gte",
}
_OPERATORS: Final = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
_PART_RANGES: Final = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "week": (1, 53), "month": (1, 12)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a value is looked for."""

    field: str | None
    selection: str
    line: int
    cased: bool = False
    anchors: frozenset[str] = frozenset()
    """Those of `contains`, `startswith`, `endswith` that the key has."""


def expr_of(value: SigmaType, target: Target) -> Expr:
    """The tests for one value.

    Raises:
        Rejected: UT211, UT212 or UT213.
    """
    if isinstance(value, SigmaString):
        return _text(value, target)
    if isinstance(value, SigmaExpansion):
        return any_of(expr_of(item, target) for item in value.values)
    if isinstance(value, SigmaTimestampPart):
        return _test(target, value.timestamp_part.name.lower(), int(value.number))
    if isinstance(value, SigmaNumber):
        return _scalar(text_of(value.number), target)
    if isinstance(value, SigmaBool):
        return _scalar(text_of(value.boolean), target)
    if isinstance(value, SigmaRegularExpression):
        return _regex(value, target)
    if isinstance(value, SigmaCIDRExpression):
        return _test(target, "cidr", str(value.network))
    if isinstance(value, SigmaCompareExpression):
        return _compare(value, target)
    if target.field is None:
        raise Rejected("UT211", f"a keyword can't be {_kind(value)}", hint="name a field", line=target.line)
    if isinstance(value, SigmaNull):
        return _test(target, "null", None)
    if isinstance(value, SigmaExists):
        return _test(target, "exists", value.exists)
    if isinstance(value, SigmaFieldReference):
        return _fieldref(value, target)
    raise Rejected("UT211", f"values of type {type(value).__name__} can't be evaluated", line=target.line)


def _kind(value: SigmaType) -> str:
    kinds = {
        SigmaNull: "null",
        SigmaExists: "tested for existence",
        SigmaFieldReference: "compared with a field",
    }
    return kinds.get(type(value), type(value).__name__)


def _test(target: Target, op: str, pattern: Any, *, cased: bool = False, flags: str = "") -> Test:
    return Test(target.field, op, pattern, cased, flags, target.selection)


def _scalar(text: str, target: Target) -> Test:
    """A number or boolean; as a keyword it is looked for anywhere, like any keyword."""
    return _test(
        target, "eq" if target.field is not None else "contains", text if target.cased else fold(text)
    )


def _text(value: SigmaString, target: Target) -> Test:
    parts: list[Any] = []
    for part in value.s:
        if isinstance(part, str):
            text = part if target.cased else fold(part)
            if parts and isinstance(parts[-1], str):
                parts[-1] += text
            else:
                parts.append(text)
        elif part is SpecialChars.WILDCARD_MULTI:
            if not parts or parts[-1] != ANY:
                parts.append(ANY)
        elif part is SpecialChars.WILDCARD_SINGLE:
            parts.append(ONE)
        else:  # a placeholder, which `expand` has resolved unless it stood after an encoding
            raise Rejected("UT211", f"placeholder in {value}", hint="put `expand` first", line=target.line)
    if target.field is None and not target.anchors:  # a keyword stands anywhere in a value
        parts = [ANY, *(parts[1:] if parts[:1] == [ANY] else parts)]
        parts += [] if parts[-1] == ANY else [ANY]
    return _shaped(parts, target)


def _shaped(parts: list[Any], target: Target) -> Test:
    """The cheapest operator for a glob."""
    shape = tuple(part if part in (ANY, ONE) else "text" for part in parts)
    cased = target.cased
    if shape == ():
        return _test(target, "eq", "", cased=cased)
    if shape == ("text",):
        return _test(target, "eq", parts[0], cased=cased)
    if shape == ("text", ANY):
        return _test(target, "startswith", parts[0], cased=cased)
    if shape == (ANY, "text"):
        return _test(target, "endswith", parts[1], cased=cased)
    if shape == (ANY, "text", ANY):
        return _test(target, "contains", parts[1], cased=cased)
    return _test(target, "glob", tuple(parts), cased=cased)


def _regex(value: SigmaRegularExpression, target: Target) -> Test:
    """`contains` adds nothing to a search; `startswith` and `endswith` anchor it."""
    expression = str(value.regexp)
    flags = "".join(sorted(_FLAGS[flag] for flag in value.flags))
    starts, ends = "startswith" in target.anchors, "endswith" in target.anchors
    if (starts or ends) and "contains" not in target.anchors and not (starts and ends):
        start, end = ("(?-m:^)", "(?-m:$)") if "m" in flags else ("^", "$")
        expression = f"{start}(?:{expression})" if starts else f"(?:{expression}){end}"
    fault = _regex_fault(expression, flags)
    if fault:
        raise Rejected(
            "UT212", f"regular expression not valid: {fault}", hint="see PCRE's syntax", line=target.line
        )
    return _test(target, "re", expression, flags=flags)


@lru_cache(maxsize=4096)
def _regex_fault(expression: str, flags: str) -> str:
    try:
        compile_regex(expression, flags)
    except PatternError as error:
        return str(error)
    return ""


def _compare(value: SigmaCompareExpression, target: Target) -> Expr:
    number, op = value.number, _COMPARE[value.op]
    if not isinstance(number, SigmaTimestampPart):
        return _test(target, op, number.number)
    part = number.timestamp_part.name.lower()
    if part not in _PART_RANGES:
        raise Rejected(
            "UT211", f"`{part}` can't be compared with `{op}`", hint="list the years", line=target.line
        )
    low, high = _PART_RANGES[part]
    limit = number.number
    compare = _OPERATORS[op]
    return any_of(_test(target, part, at) for at in range(low, high + 1) if compare(at, limit))


def _fieldref(value: SigmaFieldReference, target: Target) -> Test:
    if value.starts_with and value.ends_with:
        op = "fieldref_contains"
    elif value.starts_with:
        op = "fieldref_startswith"
    elif value.ends_with:
        op = "fieldref_endswith"
    else:
        op = "fieldref"
    return _test(target, op, value.field, cased=target.cased)


__all__ = ["Target", "expr_of"]
