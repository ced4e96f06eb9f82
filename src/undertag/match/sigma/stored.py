"""The stored form of a rule set: msgpack of plain arrays, checked on the way back.

Contract: `decode_result(encode_result(result)) == result`. Anything else given to `decode_result` raises `ValueError`
(or msgspec's error). A rule's condition and its outline are packed by themselves (see `nodes`) and read when they are
first asked for: most rules of a run never are. What is wrong with one is told then, as `RuleError`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import msgspec

from undertag.match.indexed.chances import Guesses
from undertag.match.outline import Outline, OutlinedRule, ids_of, keywords_of, outline_of
from undertag.match.sigma.nodes import pack_condition, read_condition
from undertag.match.sigma.pause import collector_paused
from undertag.match.sigma.result import FilterUse, LoadResult
from undertag.model.problem import Place, Problem, RuleError, Severity
from undertag.model.rule import Level, LogSource, Rule


class _Rule(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    id: str
    title: str
    logsource: tuple[str | None, str | None, str | None]
    condition: bytes
    event_ids: frozenset[str] | None
    keywords: tuple[str, ...]
    outline: bytes
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
_OUTLINE: Final = msgspec.msgpack.Decoder(Outline)


class StoredRule(OutlinedRule):
    """A rule that was read back, its condition and outline not yet."""

    __slots__ = ("_outline",)

    def __new__(cls, **values: Any) -> Any:
        """Made of values (`dataclasses.replace` does that) it is a plain rule: what is stored says nothing of it."""
        return Rule(**values) if values else super().__new__(cls)

    def __getattr__(self, name: str) -> Any:
        """Asked for the attributes that `_rule` leaves unset, until they are set."""
        try:
            if name == "condition":
                value: Any = read_condition(self.stored)
            elif name == "outline":
                value = _OUTLINE.decode(self._outline)
            else:
                raise AttributeError(name)
        except (ValueError, RecursionError) as error:
            raise RuleError(
                Problem(
                    code="UT251",
                    message=f"the cached rule '{self.title}' ({self.id}) is damaged: {error}",
                    hint="empty the folder of cached rules",
                )
            ) from error
        object.__setattr__(self, name, value)
        return value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rule):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _ATTRIBUTES)

    __hash__ = None  # type: ignore[assignment]


_ATTRIBUTES: Final = tuple(one.name for one in dataclasses.fields(Rule))


def encode_result(result: LoadResult) -> bytes:
    """Store a result."""
    guesses = Guesses()
    return msgspec.msgpack.encode(
        [
            [_rule_row(rule, guesses) for rule in result.rules],
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


def _rule_row(rule: Rule, guesses: Guesses) -> list[Any]:
    source, ids = rule.logsource, ids_of(rule)
    return [
        rule.id,
        rule.title,
        [source.product, source.category, source.service],
        pack_condition(rule.condition),
        None if ids is None else sorted(ids),
        keywords_of(rule),
        msgspec.msgpack.encode(_outline_row(outline_of(rule, guesses))),
        rule.level,
        rule.status,
        rule.tags,
        rule.hash,
        rule.file,
        rule.pack,
        rule.falsepositives,
        rule.custom,
    ]


def _outline_row(outline: Outline) -> list[Any]:
    """Sets sorted, so that the same rules are stored as the same bytes."""
    needs = outline.needs
    groups = list(map(sorted, needs.groups))
    return [outline.fields, [groups, sorted(needs.refuters), needs.brief, needs.guesses]]


def decode_result(data: bytes) -> LoadResult:
    """Read a stored result back.

    Raises:
        ValueError: the data is not what `encode_result` writes. msgspec's errors are among these.
    """
    with collector_paused():
        return _result(_DECODER.decode(data))


def _result(stored: _Stored) -> LoadResult:
    sources: dict[tuple[str | None, str | None, str | None], LogSource] = {}
    rules: list[Rule] = []
    for row in stored.rules:
        product, category, service = row.logsource
        source = sources.get(row.logsource)
        if source is None:
            source = LogSource(product=product, category=category, service=service)
            sources[row.logsource] = source
        rules.append(_rule(row, source))
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


def _rule(row: _Rule, source: LogSource) -> StoredRule:
    """A rule whose condition and outline are left unset, for which `Rule(…)` has no word."""
    rule: StoredRule = StoredRule.__new__(StoredRule)
    put = object.__setattr__
    put(rule, "id", row.id)
    put(rule, "title", row.title)
    put(rule, "logsource", source)
    put(rule, "level", row.level)
    put(rule, "status", row.status)
    put(rule, "tags", row.tags)
    put(rule, "hash", row.hash)
    put(rule, "file", row.file)
    put(rule, "pack", row.pack)
    put(rule, "falsepositives", row.falsepositives)
    put(rule, "custom", row.custom)
    put(rule, "event_ids", row.event_ids)
    put(rule, "keywords", row.keywords)
    put(rule, "_outline", row.outline)
    put(rule, "stored", row.condition)
    return rule


def _problem(row: _Problem) -> Problem:
    place = None if row.source is None else Place(source=row.source, line=row.line)
    return Problem(code=row.code, message=row.message, severity=row.severity, place=place, hint=row.hint)
