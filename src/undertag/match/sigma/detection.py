"""A `detection:` selection → an expression. pySigma applies the modifiers; the linking is done here.

Contract, after the rules specification 2.1: the items of a mapping are all needed, those of a list any;
values of one item are any, or all with `|all`; what a modifier expands one value into is always any; `neq`
negates its item as a whole; an empty list of values means null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sigma.conditions import ConditionAND
from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetectionItem
from sigma.types import (
    Placeholder,
    SigmaExpansion,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaType,
    sigma_type,
    special_char_mapping,
)

from undertag.match.scalars import text_of
from undertag.match.sigma.codes import Rejected
from undertag.match.sigma.documents import Mapped
from undertag.match.sigma.modifiers import ANCHORS, ENCODINGS, MODIFIERS, POLICY, TEXTUAL
from undertag.match.sigma.trees import all_of, any_of, negate
from undertag.match.sigma.values import Target, expr_of
from undertag.model.expr import Expr

Placeholders = Mapping[str, Sequence[str]]

MAX_EXPANSION: Final = 20_000
"""Values that the placeholders of one value may expand into."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Where conversion stands: the search identifier, its line and the settings for placeholders."""

    name: str
    line: int
    placeholders: Placeholders


def convert(definition: Any, at: Selection) -> Expr:
    """Convert one selection.

    Raises:
        Rejected: UT210 to UT215.
    """
    if isinstance(definition, Mapping):
        if not definition:
            raise _empty(at)
        lines = definition.lines if isinstance(definition, Mapped) else {}
        return all_of(_item(key, value, at, lines.get(key, at.line)) for key, value in definition.items())
    if isinstance(definition, list):
        if not definition:
            raise _empty(at)
        if not any(isinstance(item, list | Mapping) for item in definition):
            return _item("", definition, at, at.line)
        return any_of(convert(item, at) for item in definition)
    if definition is None:
        raise _empty(at)
    return _item("", definition, at, at.line)


def _empty(at: Selection) -> Rejected:
    return Rejected(
        "UT215", f"selection '{at.name}' is empty", hint="give it a field or a keyword", line=at.line
    )


def _item(key: Any, values: Any, at: Selection, line: int) -> Expr:
    """One line of a selection: field, modifiers, values."""
    field, *names = str(key).split("|")
    unknown = [name for name in names if name not in MODIFIERS]
    if unknown:
        known = ", ".join(sorted(MODIFIERS))
        raise Rejected(
            "UT210", f"unknown modifier '{unknown[0]}' in '{key}'", hint=f"known: {known}", line=line
        )
    listed = values if isinstance(values, list) else [values]
    if not listed and not field:
        raise _empty(at)
    try:
        item = _apply(field or None, names, [_typed(value, names, key, line) for value in listed], at, line)
    except SigmaError as error:
        raise Rejected(_code(names), f"'{key}': {error.args[0]}", hint=_hint(names), line=line) from error
    target = Target(
        field=field or None,
        selection=at.name,
        line=line,
        cased="cased" in names,
        anchors=ANCHORS.intersection(names),
    )
    link = all_of if item.value_linking is ConditionAND else any_of
    tests = link([expr_of(value, target) for value in item.value or [SigmaNull()]])
    return negate(tests) if item.negated else tests


def _code(names: list[str]) -> str:
    return "UT213" if "cidr" in names else "UT212" if "re" in names else "UT211"


def _hint(names: list[str]) -> str:
    if "cidr" in names:
        return "give a network such as 10.0.0.0/8, without host bits"
    if "windash" in names:
        return "split it into several values with at most three dashes each"
    if {"lt", "lte", "gt", "gte"}.intersection(names):
        return "give a number, without quotes"
    if "exists" in names:
        return "give true or false, without quotes"
    return "see the modifier appendix of the Sigma specification"


def _typed(value: Any, names: list[str], key: Any, line: int) -> SigmaType:
    if isinstance(value, date):
        raise Rejected("UT211", f"'{key}': the value is a date", hint="quote the value", line=line)
    if isinstance(value, list | Mapping):
        hint = "write several values as one flat list"
        raise Rejected("UT215", f"'{key}': a value can't be a list or mapping", hint=hint, line=line)
    if value is None and not {"neq", "all"}.issuperset(names):
        raise Rejected("UT211", f"'{key}': null takes no modifier", hint="write `field: null`", line=line)
    if "re" in names:
        return SigmaString.from_str(text_of(value))
    if value is not None and not isinstance(value, str) and TEXTUAL.intersection(names):
        return SigmaString.from_str(text_of(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = SigmaNumber(value)
        number.number = value  # pySigma makes floats of integers beyond 2^53, and integers of whole floats
        return number
    return sigma_type(value)


def _apply(
    field: str | None, names: list[str], values: list[SigmaType], at: Selection, line: int
) -> SigmaDetectionItem:
    """Apply the modifiers; placeholders are filled in where `expand` stands, before anything is encoded."""
    if "re" in names:  # anchors on an expression are set by `values`, without pySigma's `.*`
        names = [name for name in names if name not in ANCHORS]
    if (
        ENCODINGS.intersection(names)
        and not {"base64", "base64offset"}.intersection(names)
        and "windash" in names
    ):
        raise Rejected("UT211", "`windash` can't follow an encoding", hint="put it first", line=line)
    if "expand" not in names:
        return _modified(field, names, values)
    cut = names.index("expand") + 1
    first = _modified(field, names[:cut], values)
    filled: list[SigmaType] = [SigmaExpansion(list(_filled(value, at, line))) for value in first.value]
    item = _modified(field, names[cut:], filled)
    if first.value_linking is ConditionAND:
        item.value_linking = ConditionAND
    item.negated = item.negated or first.negated
    return item


def _modified(field: str | None, names: list[str], values: list[SigmaType]) -> SigmaDetectionItem:
    return SigmaDetectionItem(field, [MODIFIERS[name] for name in names], values, policy=POLICY)


def _filled(value: SigmaType, at: Selection, line: int) -> Iterator[SigmaType]:
    """The values that one with placeholders stands for: each combination of the settings."""
    if isinstance(value, SigmaExpansion):
        for inner in value.values:
            yield from _filled(inner, at, line)
    elif isinstance(value, SigmaRegularExpression):
        for parts in _combinations(value.regexp.s, at, line, lambda text: [re.escape(text)]):
            expression = "".join(special_char_mapping.get(part, part) for part in parts)
            yield SigmaRegularExpression(expression, value.flags, POLICY)
    elif isinstance(value, SigmaString):
        for parts in _combinations(value.s, at, line, lambda text: list(SigmaString(text).s)):
            filled = type(value)()
            filled.s = parts
            yield filled._merge_strs()
    else:
        yield value


def _combinations(
    parts: list[Any], at: Selection, line: int, read: Callable[[str], list[Any]]
) -> list[list[Any]]:
    """Each way to fill the placeholders among `parts`; `read` turns a setting into parts."""
    made: list[list[Any]] = [[]]
    for part in parts:
        choices = [[part]]
        if isinstance(part, Placeholder):
            if part.name not in at.placeholders:
                raise Rejected(
                    "UT214",
                    f"placeholder %{part.name}% has no setting",
                    hint=f"set placeholders.{part.name} to a list of values",
                    line=line,
                )
            choices = [read(value) for value in at.placeholders[part.name]]
        made = [[*head, *choice] for head in made for choice in choices]
        if len(made) > MAX_EXPANSION:
            raise Rejected("UT223", f"placeholders expand to more than {MAX_EXPANSION} values", line=line)
    return made
