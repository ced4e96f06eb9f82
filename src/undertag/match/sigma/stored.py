"""The stored form of a rule set: msgpack of plain arrays, checked on the way back.

Contract: `decode_result(encode_result(result)) == result`. Anything else given to `decode_result` raises
`ValueError` (or msgspec's error): operators, patterns, depth and size are checked as the loader would have.

Nodes: `[0, field, op, pattern, cased, flags, selection]`, `[1, arg]`, `[2, args]` (and), `[3, args]` (or);
integers beyond 64 bits stand as text.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from undertag.match.patterns import compile_text_test
from undertag.match.sigma.pause import collector_paused
from undertag.match.sigma.result import FilterUse, LoadResult
from undertag.model.expr import (
    ANY,
    COMPARE_OPS,
    DATE_OPS,
    ONE,
    OPS,
    REF_OPS,
    And,
    Expr,
    Not,
    Or,
    Test,
)
from undertag.model.problem import Place, Problem, Severity
from undertag.model.rule import Level, LogSource, Rule

MAX_DEPTH: Final = 200
MAX_TESTS: Final = 100_000
_MAX_BITS: Final = 63
_INTEGER: Final = re.compile(r"-?[0-9]{1,400}")
_NUMERIC: Final = COMPARE_OPS | DATE_OPS
_TEXT_PATTERN: Final = frozenset({"eq", "contains", "startswith", "endswith", "re", "cidr"}) | REF_OPS


class _Rule(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    id: str
    title: str
    logsource: tuple[str | None, str | None, str | None]
    condition: list[Any]
    level: Level
    status: str
    tags: tuple[str, ...]
    hash: str
    file: str
    pack: bool
    falsepositives: tuple[str, ...]
    custom: dict[str, Any]


class _Problem(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    code: str
    message: str
    severity: Severity
    source: str | None
    line: int | None
    hint: str


class _Filter(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    title: str
    id: str
    file: str
    rules: tuple[str, ...]


class _Stored(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    rules: list[_Rule]
    problems: list[_Problem]
    filters: list[_Filter]
    files: int
    correlations: int
    others: int


_DECODER: Final = msgspec.msgpack.Decoder(_Stored)


def encode_result(result: LoadResult) -> bytes:
    """Store a result."""
    return msgspec.msgpack.encode(
        [
            [_rule_row(rule) for rule in result.rules],
            [
                [
                    problem.code,
                    problem.message,
                    problem.severity,
                    problem.place.source if problem.place else None,
                    problem.place.line if problem.place else None,
                    problem.hint,
                ]
                for problem in result.problems
            ],
            [[use.title, use.id, use.file, use.rules] for use in result.filters],
            result.files,
            result.correlations,
            result.others,
        ]
    )


def _rule_row(rule: Rule) -> list[Any]:
    source = rule.logsource
    return [
        rule.id,
        rule.title,
        [source.product, source.category, source.service],
        _node(rule.condition),
        rule.level,
        rule.status,
        rule.tags,
        rule.hash,
        rule.file,
        rule.pack,
        rule.falsepositives,
        rule.custom,
    ]


def _node(expr: Expr) -> list[Any]:
    if isinstance(expr, Test):
        pattern = expr.pattern
        if type(pattern) is int and pattern.bit_length() > _MAX_BITS:
            pattern = str(pattern)  # msgpack's integers end at 64 bits
        return [0, expr.field, expr.op, pattern, expr.cased, expr.flags, expr.selection]
    if isinstance(expr, Not):
        return [1, _node(expr.arg)]
    return [2 if isinstance(expr, And) else 3, [_node(arg) for arg in expr.args]]


def decode_result(data: bytes) -> LoadResult:
    """Read a stored result back.

    Raises:
        ValueError: the data is not what `encode_result` writes. msgspec's errors are among these.
    """
    with collector_paused():
        return _result(_DECODER.decode(data))


def _result(stored: _Stored) -> LoadResult:
    sources: dict[tuple[str | None, str | None, str | None], LogSource] = {}
    rules = []
    for row in stored.rules:
        product, category, service = row.logsource
        source = sources.get(row.logsource)
        if source is None:
            source = LogSource(product=product, category=category, service=service)
            sources[row.logsource] = source
        rules.append(
            Rule(
                id=row.id,
                title=row.title,
                logsource=source,
                condition=_Reader().expr(row.condition, 0),
                level=row.level,
                status=row.status,
                tags=row.tags,
                hash=row.hash,
                file=row.file,
                pack=row.pack,
                falsepositives=row.falsepositives,
                custom=row.custom,
            )
        )
    if len({rule.id for rule in rules}) != len(rules):
        raise ValueError("two rules with one id")
    return LoadResult(
        rules=rules,
        problems=[_problem(row) for row in stored.problems],
        filters=[
            FilterUse(title=row.title, id=row.id, file=row.file, rules=row.rules) for row in stored.filters
        ],
        files=stored.files,
        correlations=stored.correlations,
        others=stored.others,
    )


def _problem(row: _Problem) -> Problem:
    place = None if row.source is None else Place(source=row.source, line=row.line)
    return Problem(code=row.code, message=row.message, severity=row.severity, place=place, hint=row.hint)


class _Reader:
    """Reads the condition of one rule."""

    __slots__ = ("tests",)

    def __init__(self) -> None:
        self.tests = 0

    def expr(self, node: Any, depth: int) -> Expr:
        if type(node) is not list or not node:
            raise ValueError("no node")
        kind = node[0]
        if kind == 0:
            self.tests += 1
            if self.tests > MAX_TESTS:
                raise ValueError("too many tests")
            return _test(node)
        if depth >= MAX_DEPTH or len(node) != 2:
            raise ValueError("nested too deep, or no node")
        if kind == 1:
            return Not(self.expr(node[1], depth + 1))
        if kind not in (2, 3) or type(node[1]) is not list:
            raise ValueError("unknown node")
        args = tuple([self.expr(arg, depth + 1) for arg in node[1]])
        return And(args) if kind == 2 else Or(args)


def _test(node: list[Any]) -> Test:
    _, field, op, pattern, cased, flags, selection = node
    if type(op) is not str:
        raise ValueError("no test")
    if op == "glob" and type(pattern) is list:
        pattern = tuple(pattern)
    elif op in _NUMERIC and type(pattern) is str:
        pattern = int(pattern) if _INTEGER.fullmatch(pattern) else None
    well_formed = (
        (field is None or type(field) is str)
        and op in OPS
        and type(cased) is bool
        and type(flags) is str
        and (not flags or (op == "re" and set(flags) <= set("ims")))
        and type(selection) is str
        and _fits(op, pattern)
    )
    if not well_formed:
        raise ValueError("no test")
    test = Test(field, op, pattern, cased, flags, selection)
    if op in ("re", "cidr"):
        compile_text_test(test)  # raises PatternError, a ValueError
    return test


def _fits(op: str, pattern: Any) -> bool:
    """Whether a pattern is of the type that its operator takes."""
    if op in _TEXT_PATTERN:
        return type(pattern) is str
    if op == "glob":
        return type(pattern) is tuple and all(type(part) is str or part in (ANY, ONE) for part in pattern)
    if op in COMPARE_OPS:
        return type(pattern) in (int, float)
    if op in DATE_OPS:
        return type(pattern) is int
    return type(pattern) is bool if op == "exists" else pattern is None
