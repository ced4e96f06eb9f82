"""The condition of a rule as a small pure tree: what the loader makes and both matchers read.

Contract of the leaves, the same for every matcher (match/reference.py is the truth):

* A `Test` looks at one field (`field=None` is a keyword: any value anywhere in the event).
* A field's values: absent, null, or one or more scalars (an array counts as all its scalars, an array of
  objects is walked). A test holds if it holds for *any* of the values. An absent field fails every test but
  `exists false` and `null`.
* Scalars are compared as text: `true`/`false` for booleans, integers in decimal, floats as `repr` without
  a trailing `.0`. Text is compared folded (`str.lower`) unless `cased`.
* `Not` is plain negation, so a negated test on an absent field is true.

Operators (`op`), with `pattern`:

| op | pattern | holds if |
| --- | --- | --- |
| `eq` | str | text equals |
| `contains`, `startswith`, `endswith` | str | text has it there |
| `glob` | tuple of str, `ANY` (`*`), `ONE` (`?`) | the whole text matches the parts |
| `re` | str, `flags` subset of "ims" | the expression is found anywhere (search); case counts unless `i` |
| `cidr` | str | text is an address in that network |
| `lt` `lte` `gt` `gte` | int or float | text is a number (decimal, float or 0x hex) that compares so |
| `minute` `hour` `day` `week` `month` `year` | int | text is a date-time whose part equals |
| `exists` | bool | the field is present (null counts as present) |
| `null` | None | the field is absent or null |
| `fieldref`, `fieldref_startswith`, … | other field's name | this text equals, starts with, … any of its texts |
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, Final, TypeAlias

ANY: Final = 0
"""A `*` within a glob."""
ONE: Final = 1
"""A `?` within a glob."""

TEXT_OPS: Final = frozenset({"eq", "contains", "startswith", "endswith", "glob", "re"})
COMPARE_OPS: Final = frozenset({"lt", "lte", "gt", "gte"})
DATE_OPS: Final = frozenset({"minute", "hour", "day", "week", "month", "year"})
REF_OPS: Final = frozenset({"fieldref", "fieldref_startswith", "fieldref_endswith", "fieldref_contains"})
OPS: Final = TEXT_OPS | COMPARE_OPS | DATE_OPS | REF_OPS | {"cidr", "exists", "null"}


@dataclass(frozen=True, slots=True)
class Test:
    """One test on one field. Patterns of text operators are stored folded unless `cased` (never for `re`)."""

    field: str | None
    op: str
    pattern: Any
    cased: bool = False
    flags: str = ""
    selection: str = attribute(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Plain negation."""

    arg: Expr


@dataclass(frozen=True, slots=True)
class And:
    """All of `args`; empty means true."""

    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of `args`; empty means false."""

    args: tuple[Expr, ...]


Expr: TypeAlias = Test | Not | And | Or

TRUE: Final = And(())
FALSE: Final = Or(())


def field_names(expr: Expr) -> set[str]:
    """Every field that a condition looks at; keywords look at none in particular."""
    if isinstance(expr, Test):
        names = set() if expr.field is None else {expr.field}
        return names | {expr.pattern} if expr.op in REF_OPS else names
    if isinstance(expr, Not):
        return field_names(expr.arg)
    return set().union(*map(field_names, expr.args))
