"""The catalogue's files as written: read, checked for their form, and kept as plain values for the build.

Contract: nothing is lost silently: each file, entry or prerequisite that is malformed is one `Problem` with its line,
and the rest of the file is still read. Run at build and by `sources check` only; look-ups never read these files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.catalogue.sources import book_schema, schema
from undertag.catalogue.sources.strict_yaml import Lines, read_strict
from undertag.model.problem import CatalogueError, Place, Problem

DATA: Final = Path(__file__).parent.parent / "data"


@dataclass(slots=True, kw_only=True)
class SourceFile:
    """One curated file: `defaults` and `entries` as written (plain values), and where each entry stands."""

    name: str
    defaults: dict[str, Any]
    sources: dict[str, Any]
    entries: dict[str, dict[str, Any]]
    """By key."""
    lines: dict[str, int]
    """The line of each entry, by key."""
    book: dict[str, Any] = field(default_factory=dict)
    """What the file says of an anti-virus product as a whole; empty for others."""

    def place(self, key: str) -> Place:
        """Where an entry stands."""
        return Place(source=self.name, line=self.lines.get(key))


@dataclass(slots=True, kw_only=True)
class Read:
    """All files of one kind, and what was wrong with them."""

    files: list[SourceFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def entries(self) -> Iterator[tuple[SourceFile, str, dict[str, Any]]]:
        """Every entry with its file and key."""
        for file in self.files:
            for key, entry in file.entries.items():
                yield file, key, entry


def read_curated(folder: Path = DATA / "curated") -> Read:
    """Reads `curated/**/*.yml`."""
    result = Read()
    for path in sorted(folder.rglob("*.yml")):
        name = path.relative_to(folder.parent).as_posix()
        document, lines = _document(path, name, {"defaults", "sources", "entries", "book"}, result.problems)
        if document is not None:
            result.files.append(_curated(name, document, lines, result.problems))
    return result


def read_prerequisites(folder: Path = DATA / "prerequisites") -> Read:
    """Reads `prerequisites/*.yml`; the entries are prerequisites, by id."""
    result = Read()
    for path in sorted(folder.rglob("*.yml")):
        name = path.relative_to(folder.parent).as_posix()
        document, lines = _document(path, name, {"sources", "prerequisites"}, result.problems)
        if document is None:
            continue
        file = SourceFile(
            name=name, defaults={}, sources=_sources(name, document, result.problems), entries={}, lines={}
        )
        for key, value in document.get("prerequisites", {}).items():
            file.lines[str(key)] = line = lines.get(("prerequisites", key), 0)
            if _fits(value, schema.Prerequisite, name, line, str(key), result.problems):
                file.entries[str(key)] = value
        result.files.append(file)
    return result


def _curated(name: str, document: Mapping[str, Any], lines: Lines, problems: list[Problem]) -> SourceFile:
    defaults = document.get("defaults", {})
    file = SourceFile(
        name=name, defaults=defaults, sources=_sources(name, document, problems), entries={}, lines={}
    )
    line = lines.get(("defaults",), 0)
    if not _fits(defaults, schema.Defaults, name, line, "defaults", problems):
        file.defaults = {
            "prefix": defaults.get("prefix", "unknown/unknown") if isinstance(defaults, dict) else "unknown"
        }
    book = document.get("book", {})
    if book and _fits(book, book_schema.Book, name, lines.get(("book",), 0), "book", problems):
        file.book = book
    prefix = str(file.defaults["prefix"]).rstrip("/")
    for part, value in document.get("entries", {}).items():
        key = f"{prefix}/{part}"
        file.lines[key] = line = lines.get(("entries", part), 0)
        if not schema.KEY.fullmatch(key):
            problems.append(
                Problem(
                    code="UT303",
                    message=f"malformed key {key!r}",
                    place=Place(source=name, line=line),
                    hint="a key is platform/…/name of [A-Za-z0-9._~:@+*=-]; write anything else as -",
                )
            )
        elif _fits(value, schema.CuratedEntry, name, line, str(part), problems):
            file.entries[key] = value
    return file


def _document(
    path: Path, name: str, allowed: set[str], problems: list[Problem]
) -> tuple[dict[str, Any] | None, Lines]:
    lines = Lines()
    try:
        document = read_strict(path.read_bytes(), name, lines)
    except CatalogueError as error:
        problems.append(error.problem)
        return None, lines
    if not isinstance(document, dict):
        problems.append(Problem(code="UT302", message="no mapping", place=Place(source=name, line=1)))
        return None, lines
    for key in document:
        if key not in allowed:
            problems.append(
                Problem(
                    code="UT302",
                    message=f"unknown key {key!r}",
                    place=Place(source=name, line=lines.get((key,))),
                    hint=f"a file has {', '.join(sorted(allowed))}",
                )
            )
        elif not isinstance(document[key], dict):
            problems.append(
                Problem(
                    code="UT302",
                    message=f"{key} is no mapping",
                    place=Place(source=name, line=lines.get((key,))),
                )
            )
            return None, lines
    return document, lines


def _sources(name: str, document: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    sources = document.get("sources", {})
    return {
        str(key): value
        for key, value in sources.items()
        if _fits(value, schema.SourceDoc, name, None, f"sources.{key}", problems)
    }


def _fits(value: Any, kind: Any, name: str, line: int | None, what: str, problems: list[Problem]) -> bool:
    try:
        schema.convert(value, kind)
    except msgspec.ValidationError as error:
        problems.append(
            Problem(
                code="UT302",
                message=f"{what}: {error}",
                place=Place(source=name, line=line or None),
                hint="see docs/reference/catalogue-format.md",
            )
        )
        return False
    return True
