"""`recognition.yml` and what anti-virus books say of their records: how a record's entry is found, checked and compiled.

Contract: `compile_recognition` gives plain values for `recognise`, which runs them; each rule that is malformed, or
whose templates lead to no entry at all, is a problem. Rules keep their order; those of anti-virus products come before the rest,
since they name more fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.catalogue.sources import schema
from undertag.catalogue.sources.book import targets
from undertag.catalogue.sources.files import SourceFile
from undertag.catalogue.sources.keys import key_part
from undertag.catalogue.sources.links import merged
from undertag.catalogue.sources.recognise import literal_start, parse_template
from undertag.catalogue.sources.selectors import Selection
from undertag.catalogue.sources.strict_yaml import read_strict
from undertag.model.problem import CatalogueError, Place, Problem

NAME: Final = "recognition.yml"
Scalar = str | int | bool


class JsonRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How JSON records of one log are known, and the templates of their entries' keys."""

    name: str
    where: dict[str, Scalar | list[Scalar]]
    keys: list[str]
    time: str = ""
    system: str | list[str] = ""


class TextRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same for lines of text; `line` is an expression of re2 whose named groups become fields."""

    name: str
    keys: list[str]
    where: dict[str, Scalar | list[Scalar]] = {}
    line: str = ""
    time: str = ""
    system: str | list[str] = ""


class RecognitionFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`recognition.yml`."""

    json: list[JsonRule]
    text: list[TextRule]


def compile_recognition(
    root: Path, books: Iterable[SourceFile], selection: Selection
) -> tuple[dict[str, Any], list[Problem]]:
    """The rules as stored, and what is wrong."""
    problems: list[Problem] = []
    try:
        file = schema.convert(read_strict((root / NAME).read_bytes(), NAME), RecognitionFile)
    except (CatalogueError, OSError, msgspec.ValidationError) as error:
        problem = error.problem if isinstance(error, CatalogueError) else None
        problems.append(problem or Problem(code="UT302", message=str(error), place=Place(source=NAME)))
        file = RecognitionFile(json=[], text=[])
    rules = {
        "json": [*_of_books(books), *(_stored(rule) for rule in file.json)],
        "text": [{**_stored(rule), "line": rule.line} for rule in file.text],
    }
    for rule in (*rules["json"], *rules["text"]):
        problems.extend(_wrong(rule, selection))
    return rules, problems


def reached(rules: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[str, ...]:
    """The beginnings of all keys that rules can lead to."""
    starts = {literal_start(key) for kind in ("json", "text") for rule in rules[kind] for key in rule["keys"]}
    return tuple(sorted(starts))


def _stored(rule: JsonRule | TextRule) -> dict[str, Any]:
    systems = [rule.system] if isinstance(rule.system, str) else rule.system
    return {
        "name": rule.name,
        "where": {path: _texts(value) for path, value in rule.where.items()},
        "keys": rule.keys,
        "time": rule.time,
        "system": [path for path in systems if path],
    }


def _texts(value: Scalar | list[Scalar]) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _of_books(books: Iterable[SourceFile]) -> Iterator[dict[str, Any]]:
    """The rules of anti-virus products: by the field that names the type of event, each type's entry said outright."""
    for book in books:
        prefix = str(book.defaults.get("prefix", "")).rstrip("/")
        by_name = targets(book)
        systems = dict.fromkeys(
            merged(book, entry).get("reads", {}).get("system", "") for entry in book.entries.values()
        )
        common = {"name": book.book.get("name", ""), "time": "", "system": [path for path in systems if path]}
        for rule in book.book.get("recognise", ()):
            where = {path: _texts(value) for path, value in rule["where"].items()}
            field, events = rule.get("event", ""), rule.get("events", {})

            def known(
                keys: str, more: dict[str, list[str]], common: dict[str, Any] = common
            ) -> dict[str, Any]:
                return {**common, "where": more, "keys": [keys]}

            for value, target in events.items():
                if value != "*":
                    yield known(by_name.get(target, f"{prefix}/{target}"), {**where, field: [value]})
            if "*" in events:
                yield known(by_name.get(events["*"], f"{prefix}/{events['*']}"), where)
            elif field:
                for event, key in _named_otherwise(book, prefix).items():
                    if event not in events:
                        yield known(key, {**where, field: [event]})
                yield known(f"{prefix}/{{{field}}}", {field: ["*"], **where})


def _unfit(rule: Mapping[str, Any]) -> Iterator[str]:
    """What a rule says in vain."""
    if not rule["keys"]:
        yield "it has no keys"
    if not rule["where"] and not rule.get("line"):
        yield "it fits every record: it has neither where nor line"
    for path, values in rule["where"].items():
        if not path:
            yield "a field of where has no name (events of a book need event)"
        for value in values:
            if "*" in value.strip("*"):
                yield f"{path}: {value!r} has a * within; it may stand at either end"


def _named_otherwise(book: SourceFile, prefix: str) -> dict[str, str]:
    """Entries of types that a template of the type alone doesn't lead to, by type."""
    found: dict[str, str] = {}
    for key, entry in book.entries.items():
        part, event = key.removeprefix(f"{prefix}/"), str(entry.get("event", ""))
        if event and "/" not in part and key_part(event).lower() != part.lower():
            found.setdefault(event, key)
    return found


def _wrong(rule: Mapping[str, Any], selection: Selection) -> Iterator[Problem]:
    place = Place(source=NAME)
    for message in _unfit(rule):
        yield Problem(code="UT302", message=f"{rule['name']}: {message}", place=place)
    for template in rule["keys"]:
        try:
            parse_template(template)
        except ValueError as error:
            yield Problem(code="UT302", message=f"{rule['name']}: {template!r}: {error}", place=place)
            continue
        start, end = selection.span(literal_start(template))
        if start == end:
            yield Problem(
                code="UT305",
                message=f"{rule['name']}: no entry begins with {literal_start(template)}",
                place=place,
            )
    line = rule.get("line")
    if line:
        import re2

        try:
            re2.compile(line)
        except re2.error as error:
            yield Problem(code="UT302", message=f"{rule['name']}: {error}", place=place)
