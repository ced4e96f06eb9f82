"""The stored form of a condition: plain arrays, checked on the way back.

Contract: `read_condition(pack_condition(expr)) == expr`. Anything else given to `read_condition` raises `ValueError` (or
msgspec's error): operators, patterns, depth and size are checked as the loader would have.

Nodes: `[0, field, op, pattern, cased, flags, selection]`, `[1, arg]`, `[2, args]` (and), `[3, args]` (or);
integers beyond 64 bits stand as text.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from undertag.match.patterns import compile_text_test
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

MAX_DEPTH: Final = 200
MAX_TESTS: Final = 100_000
_MAX_BITS: Final = 63
_INTEGER: Final = re.compile(r"-?[0-9]{1,400}")
_NUMERIC: Final = COMPARE_OPS | DATE_OPS
_TEXT_PATTERN: Final = frozenset({"eq", "contains", "startswith", "endswith", "re", "cidr"}) | REF_OPS
_NODES: Final = msgspec.msgpack.Decoder(list[Any])


def pack_condition(expr: Expr) -> bytes:
    """Store a condition."""
    return msgspec.msgpack.encode(_node(expr))


def _node(expr: Expr) -> list[Any]:
    if isinstance(expr, Test):
        pattern = expr.pattern
        if type(pattern) is int and pattern.bit_length() > _MAX_BITS:
            pattern = str(pattern)  # msgpack's integers end at 64 bits
        return [0, expr.field, expr.op, pattern, expr.cased, expr.flags, expr.selection]
    if isinstance(expr, Not):
        return [1, _node(expr.arg)]
    return [2 if isinstance(expr, And) else 3, [_node(arg) for arg in expr.args]]


def read_condition(packed: bytes) -> Expr:
    """Read a condition back.

    Raises:
        ValueError: the data is not what `pack_condition` writes.
        RecursionError: its arrays are nested too deep even to look at.
    """
    return _Reader().expr(_NODES.decode(packed), 0)


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
