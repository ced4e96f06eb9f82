"""Whose a record is: rules of the catalogue applied to decoded JSON objects and to the fields of a line.

Contract: `Recogniser.find(doc)` gives the first rule that fits, in the rules' order, and the key that its templates make; None
where no rule fits. Linear in the record. Values are compared as text, case ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from undertag.catalogue.sources.fields import text_at, value_at
from undertag.catalogue.sources.keys import key_part

_PLACE: Final = re.compile(r"\{([^{}|]+)((?:\|[^{}|]+)*)\}")
_W3C: Final = ("cs_", "sc_", "c_", "s_")
_SHAPES: Final = 4096
_SHAPE_CHARACTERS: Final = 16_384
"""Shapes whose names are longer together aren't remembered: each record of a hostile source may have its own."""
_SET_MEMORY: Final = 64 << 20
Test = Callable[[str], bool]
Filter = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Recognised:
    """A rule that fits a record, and the keys that it proposes, the likeliest first."""

    name: str
    keys: tuple[str, ...]
    time: Any
    system: str


class Rule:
    """One rule, ready to be applied."""

    __slots__ = ("_asked", "_keys", "_line", "_memo", "_system", "_tests", "_time", "line", "name", "needs")

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.name: str = stored["name"]
        self._tests = [(tuple(path.split(".")), _any_of(values)) for path, values in stored["where"].items()]
        self._keys = [parse_template(template) for template in stored["keys"]]
        asked = {place[1] for template in stored["keys"] for place in _PLACE.finditer(template)}
        self._asked = [tuple(path.split(".")) for path in sorted(asked)]
        self._memo: dict[tuple[str | None, ...], tuple[str, ...]] = {}
        self._time = [tuple(path.split(".")) for path in stored["time"].split("+")] if stored["time"] else []
        self._system = [tuple(path.split(".")) for path in stored["system"]]
        self.line: str = stored.get("line", "")
        self._line = _expression(self.line)
        self.needs = [{path[0], ".".join(path)} for path, _ in self._tests]
        """Of each, one name must be among a record's own."""

    def apply(self, doc: Mapping[str, Any]) -> Recognised | None:
        """What the rule says of a record; None where it doesn't fit."""
        for path, test in self._tests:
            value = text_at(doc, path)
            if value is None or not test(value):
                return None
        keys = self._proposed(doc)
        if not keys:
            return None
        systems = (text_at(doc, path) for path in self._system)
        return Recognised(
            self.name,
            keys,
            self._when(doc),
            next((system for system in systems if system), ""),
        )

    def _proposed(self, doc: Mapping[str, Any]) -> tuple[str, ...]:
        """The keys that the templates make; records of one type say the same again and again."""
        said = tuple([text_at(doc, path) for path in self._asked])
        found = self._memo.get(said)
        if found is None:
            if len(self._memo) >= _SHAPES:
                self._memo.clear()
            keys = dict.fromkeys(template(doc) for template in self._keys)
            found = self._memo[said] = tuple(key for key in keys if key is not None)
        return found

    def _when(self, doc: Mapping[str, Any]) -> Any:
        """The time as written; of `date+time` both, if both are there."""
        if len(self._time) == 1:
            return value_at(doc, self._time[0])
        parts = [text_at(doc, path) for path in self._time]
        return " ".join(filter(None, parts)) if parts and None not in parts else None

    def groups(self, line: str) -> dict[str, str] | None:
        """The named groups of the rule's expression in a line, None where it isn't met; asked of rules that have one."""
        met = self._line.search(line)
        if met is None:
            return None
        return {_field(name): text for name, text in met.groupdict().items() if text is not None}


class Recogniser:
    """Rules in their order, those that can't fit a record's shape left out beforehand."""

    def __init__(self, stored: Iterable[Mapping[str, Any]]) -> None:
        self._rules = [Rule(one) for one in stored]
        self._by_shape: dict[tuple[str, ...], list[Rule]] = {}
        self._lined = [rule for rule in self._rules if rule.line]
        self._lines = _set_of([rule.line for rule in self._lined])

    def find(
        self, doc: Mapping[str, Any], line: str | None = None
    ) -> tuple[Recognised, dict[str, str]] | None:
        """The first rule that fits, and the fields that its expression finds in `line`."""
        shape = tuple(doc)
        rules = self._by_shape.get(shape)
        if rules is None:
            names = set(shape)
            rules = [rule for rule in self._rules if all(not need.isdisjoint(names) for need in rule.needs)]
            if sum(map(len, shape)) <= _SHAPE_CHARACTERS:
                if len(self._by_shape) >= _SHAPES:
                    self._by_shape.clear()
                self._by_shape[shape] = rules
        met = self._met(line)
        for rule in rules:
            groups: dict[str, str] = {}
            if rule.line:
                if line is None or rule not in met:
                    continue
                found = rule.groups(line)
                if found is None:
                    continue
                groups = found
            recognised = rule.apply({**doc, **groups} if groups else doc)
            if recognised is not None:
                return recognised, groups
        return None

    def _met(self, line: str | None) -> set[Rule]:
        """The rules whose expression a line meets: one search for all, since a line meets few."""
        if self._lines is None or line is None:
            return set()
        return {
            self._lined[number] for number in self._lines.Match(line.encode("utf-8", "surrogatepass")) or ()
        }


def parse_template(text: str) -> Callable[[Mapping[str, Any]], str | None]:
    """A function that makes a key of a record, None where a value is missing.

    Raises:
        ValueError: an unknown filter, or braces that don't close.
    """
    pieces: list[str | tuple[tuple[str, ...], list[Filter]]] = []
    end = 0
    for place in _PLACE.finditer(text):
        pieces.append(text[end : place.start()])
        pieces.append((tuple(place[1].split(".")), [_filter(one) for one in place[2].split("|")[1:]]))
        end = place.end()
    pieces.append(text[end:])
    if any(isinstance(piece, str) and ("{" in piece or "}" in piece) for piece in pieces):
        raise ValueError("a brace doesn't close")

    def make(doc: Mapping[str, Any]) -> str | None:
        made = []
        for piece in pieces:
            if isinstance(piece, str):
                made.append(piece)
                continue
            path, filters = piece
            value = text_at(doc, path)
            for change in filters if value else ():
                value = change(value or "")
            if not value:
                return None
            made.append(key_part(value))
        return "".join(made)

    return make


def literal_start(template: str) -> str:
    """What every key of a template begins with."""
    return template.partition("{")[0]


def _field(group: str) -> str:
    """A group's name as a field: re2 has no `-` in names, the extended log format of W3C has (`cs-uri-stem`)."""
    return group.replace("_", "-") if group.startswith(_W3C) else group


def _filter(text: str) -> Filter:
    name, _, rest = text.partition(" ")
    if text == "lower":
        return str.lower
    if text.startswith("-"):
        return lambda value: value.removesuffix(text[1:])
    if name == "first" and rest:
        return lambda value: value.partition(rest)[0]
    if name == "rest" and rest:
        return lambda value: value.partition(rest)[2]
    if name == "last" and rest:
        return lambda value: value.rpartition(rest)[2]
    old, _, new = rest.partition(" ")
    if name == "swap" and old:
        return lambda value: value.replace(old, new)
    raise ValueError(f"there is no filter {text!r}")


def _any_of(values: Sequence[str]) -> Test:
    if "*" in values:
        return lambda text: True
    exact = frozenset(value.lower() for value in values if "*" not in value)
    tests = [_test(value.lower()) for value in values if "*" in value]
    if not tests:
        return lambda text: text.lower() in exact

    def test(text: str) -> bool:
        folded = text.lower()
        return folded in exact or any(one(folded) for one in tests)

    return test


def _test(wanted: str) -> Test:
    inner = wanted.strip("*")
    if wanted.startswith("*") and wanted.endswith("*"):
        return lambda text: inner in text
    if wanted.startswith("*"):
        return lambda text: text.endswith(inner)
    return lambda text: text.startswith(inner)


def _expression(text: str) -> Any:
    if not text:
        return None
    import re2

    return re2.compile(text)


def _set_of(lines: Sequence[str]) -> Any:
    """One automaton for the expressions of all rules, None where there are none.

    A line on which it would outgrow its memory counts as met by none: the event stays, its log source unknown.
    """
    if not lines:
        return None
    import re2

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _SET_MEMORY
    found = re2.Set.SearchSet(options)
    for line in lines:
        found.Add(line)
    found.Compile()
    return found
