"""Umbrellas: the data sources and platforms that ATT&CK named in October 2019, each as entries of ours.

Contract: `compile_umbrellas` turns `umbrellas.yml` into ranges of entries, with the techniques that cited each name then. An
umbrella that resolves to no entry, relates to one that doesn't exist, or is missing is a problem (UT310).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from undertag.catalogue.sources import schema
from undertag.catalogue.sources.attack_names import data_sources, platforms
from undertag.catalogue.sources.compiling import ranges
from undertag.catalogue.sources.selectors import Selection
from undertag.catalogue.sources.strict_yaml import Lines, read_strict
from undertag.model.problem import CatalogueError, Place, Problem

RELEASE: Final = "6.0"
NAME: Final = "umbrellas.yml"


class UmbrellaRelation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an umbrella stands to another."""

    kind: Literal["same-as", "subset-of", "contains", "overlaps"]
    to: str
    why: str


class Umbrella(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One name of 2019 as written."""

    kind: Literal["data-source", "platform"]
    note: str
    entries: list[str | dict[str, str]]
    relations: list[UmbrellaRelation]
    better: str = ""
    difficulty: str = ""
    without: list[str | dict[str, str]] = []


def compile_umbrellas(root: Path, selection: Selection) -> tuple[dict[str, Any], list[Problem]]:
    """The umbrellas by name, as stored, and what is wrong with them."""
    lines = Lines()
    problems: list[Problem] = []
    try:
        document = read_strict((root / NAME).read_bytes(), NAME, lines)
        read = {
            name: schema.convert(value, Umbrella) for name, value in document.get("umbrellas", {}).items()
        }
    except (CatalogueError, OSError, msgspec.ValidationError, AttributeError) as error:
        problem = error.problem if isinstance(error, CatalogueError) else None
        return {}, [problem or Problem(code="UT302", message=str(error), place=Place(source=NAME))]
    cited = data_sources(RELEASE)
    found: dict[str, Any] = {}
    for name, umbrella in read.items():
        place = Place(source=NAME, line=lines.get(("umbrellas", name)))
        try:
            numbers = _numbers(name, read, selection, ())
        except CatalogueError as error:
            problems.append(Problem(code="UT310", message=f"{name}: {error.problem.message}", place=place))
            continue
        problems.extend(_wrong(name, umbrella, numbers, read, place))
        found[name] = {
            **msgspec.to_builtins(umbrella),
            "techniques": list(cited.get(name, ())),
            "ranges": ranges(numbers),
        }
    problems.extend(_unequal(found))
    expected = {**dict.fromkeys(cited, "data-source"), **dict.fromkeys(platforms(RELEASE), "platform")}
    for name, kind in expected.items():
        if name not in read or read[name].kind != kind:
            problems.append(
                Problem(
                    code="UT310", message=f"the {kind} {name!r} has no umbrella", place=Place(source=NAME)
                )
            )
    return found, problems


def unmatched(root: Path, selection: Selection) -> Iterator[tuple[str, Any]]:
    """Selectors that select nothing: (umbrella, selector)."""
    document = read_strict((root / NAME).read_bytes(), NAME)
    for name, value in document["umbrellas"].items():
        for selector in value["entries"]:
            if not (isinstance(selector, Mapping) and "umbrella" in selector) and not selection.numbers(
                selector
            ):
                yield name, selector


def _numbers(
    name: str, read: Mapping[str, Umbrella], selection: Selection, way: tuple[str, ...]
) -> list[int]:
    umbrella = read[name]
    numbers: set[int] = set()
    if umbrella.kind == "data-source":
        numbers.update(selection.numbers({"data_source_2019": name}))
    for selector in umbrella.entries:
        if isinstance(selector, Mapping) and "umbrella" in selector:
            other = selector["umbrella"]
            if other not in read or other in way or other == name:
                raise CatalogueError(
                    Problem(code="UT310", message=f"it can't take its entries from {other!r}")
                )
            numbers.update(_numbers(other, read, selection, (*way, name)))
        else:
            numbers.update(selection.numbers(selector))
    numbers.difference_update(selection.all(umbrella.without))
    return sorted(numbers)


def _wrong(
    name: str, umbrella: Umbrella, numbers: list[int], read: Mapping[str, Umbrella], place: Place
) -> Iterator[Problem]:
    if not numbers:
        yield Problem(code="UT310", message=f"the umbrella {name!r} resolves to no entry", place=place)
    for relation in umbrella.relations:
        if relation.to not in read or relation.to == name:
            yield Problem(
                code="UT310",
                message=f"{name!r} {relation.kind} {relation.to!r}, which is no other umbrella",
                place=place,
            )


def _unequal(found: Mapping[str, Any]) -> Iterator[Problem]:
    """Umbrellas that are said to be the same but have other entries."""
    for name, umbrella in found.items():
        for relation in umbrella["relations"]:
            other = found.get(relation["to"])
            if relation["kind"] == "same-as" and other and other["ranges"] != umbrella["ranges"]:
                yield Problem(
                    code="UT310",
                    message=f"{name!r} is said to be the same as {relation['to']!r}, but has other entries",
                    place=Place(source=NAME),
                )
