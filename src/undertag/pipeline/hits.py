"""Hits as JSON: which rule, which selection, which field, operator, pattern and value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from undertag.match.indexed.asked import Reason
from undertag.match.indexed.evidence import Fact
from undertag.match.indexed.plan import Found
from undertag.model.expr import ANY, ONE, Test
from undertag.model.rule import Rule

MAX_VALUE: Final = 1024
"""Characters of a value that evidence shows; the record holds it whole."""


class HitWriter:
    """Writes hits; what is the same for every event is written once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._heads: dict[int, bytes] = {}
        self._tests: dict[int, tuple[Test, bytes]] = {}

    def hit(self, number: int, reason: Reason, found: Found) -> bytes:
        """One of the hits on an event."""
        head = self._heads.get(number)
        if head is None:
            head = self._heads[number] = self._head(self._rules[number])
        said = reason.said
        if said is None:
            said = reason.said = b",".join(map(self._fact, reason.facts(found.event)))
        return head + said + b"]}"

    def _head(self, rule: Rule) -> bytes:
        said: dict[str, Any] = {
            "id": rule.id,
            "title": rule.title,
            "level": rule.level,
            "hash": rule.hash,
        }
        own = [tag for tag in rule.tags if not tag.startswith("attack.")]
        if own and not rule.pack:
            said["tags"] = own
        return orjson.dumps(said)[:-1] + b',"evidence":['

    def _fact(self, fact: Fact) -> bytes:
        test, value = fact
        known = self._tests.get(id(test))
        if known is None:
            said = {
                "selection": test.selection,
                "field": field_name(test),
                "operator": operator_of(test),
                "pattern": pattern_of(test),
            }
            known = self._tests[id(test)] = (test, orjson.dumps(said)[:-1] + b',"value":')
        return known[1] + orjson.dumps(value[:MAX_VALUE]) + b"}"


def field_name(test: Test) -> str | None:
    """The field as its entry names it, a derived one as Sigma does; None for a keyword."""
    if test.field is not None and test.field.startswith("~"):
        return test.field.partition(".")[2]
    return test.field


def operator_of(test: Test) -> str:
    """The operator with what bears on it, as a rule would write it: `re|i`, `contains|cased`."""
    return "|".join([test.op, *test.flags, *["cased"] * test.cased])


def pattern_of(test: Test) -> Any:
    """The pattern as a rule would write it."""
    if test.op != "glob":
        return test.pattern
    escaped = {ANY: "*", ONE: "?"}
    return "".join(
        escaped[part] if part in escaped else part.replace("*", "\\*").replace("?", "\\?")
        for part in test.pattern
    )
