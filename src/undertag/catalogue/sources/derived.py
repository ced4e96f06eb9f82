"""The derived tables as the scripts under `tools/` write them: rows, what rows share, and what the columns mean.

Contract: a row is a key, a title, the index of a set of shared cells, and cells of its own. A table with a malformed row is
still read: the row becomes a `Problem`. Run at build and by `sources check` only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.catalogue.sources import schema
from undertag.catalogue.sources.files import DATA
from undertag.catalogue.sources.strict_yaml import read_strict
from undertag.model.problem import CatalogueError, Place, Problem

_NOT_TABLES: Final = frozenset({"PROVENANCE", "DISAGREEMENTS"})


class Beside(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file beside a table."""

    defaults: schema.Facts
    sources: dict[str, schema.SourceDoc]
    columns: dict[str, str]
    sets: list[dict[str, str]] = []


@dataclass(slots=True, kw_only=True)
class DerivedTable:
    """One table: `rows` by key, each the cells after `key` as the header names them."""

    name: str
    defaults: dict[str, Any]
    sources: dict[str, Any]
    columns: dict[str, str]
    sets: list[dict[str, str]]
    header: list[str]
    rows: dict[str, list[str]] = field(default_factory=dict)

    def cells(self, key: str) -> dict[str, str]:
        """A row's cells by column, those of its set included; empty ones left out."""
        return cells(self.header, self.rows[key], self.sets)


def cells(header: list[str], row: list[str], sets: list[dict[str, str]]) -> dict[str, str]:
    """A row's cells by column, those of its set included; empty ones left out."""
    found = {name: value for name, value in zip(header, row, strict=True) if value}
    shared = found.pop("set", None)
    return {**sets[int(shared)], **found} if shared is not None else found


def read_derived(folder: Path = DATA / "derived") -> tuple[list[DerivedTable], list[Problem]]:
    """Reads `derived/*.tsv` with the file beside each."""
    tables: list[DerivedTable] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yml")):
        if path.stem in _NOT_TABLES:
            continue
        name = path.relative_to(folder.parent).as_posix()
        try:
            beside = read_strict(path.read_bytes(), name)
            schema.convert(beside, Beside)
        except CatalogueError as error:
            problems.append(error.problem)
            continue
        except msgspec.ValidationError as error:
            problems.append(Problem(code="UT302", message=str(error), place=Place(source=name)))
            continue
        table = DerivedTable(
            name=path.stem,
            defaults=beside["defaults"],
            sources=beside["sources"],
            columns=beside["columns"],
            sets=beside.get("sets", []),
            header=[],
        )
        _read_rows(path.with_suffix(".tsv"), table, problems)
        tables.append(table)
    return tables, problems


def _read_rows(path: Path, table: DerivedTable, problems: list[Problem]) -> None:
    name = f"{path.parent.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(code="UT317", message=f"can't be read: {error}", place=Place(source=name)))
        return
    first, *lines = text.removesuffix("\n").split("\n")
    head = first.split("\t")
    table.header = head[1:]
    unknown = [
        column for column in head if column not in table.columns and column not in ("key", "title", "set")
    ]
    if head[:2] != ["key", "title"] or unknown:
        problems.append(
            Problem(
                code="UT317",
                message=f"columns that the file beside doesn't explain: {', '.join(unknown)}"
                if unknown
                else "no key",
                place=Place(source=name, line=1),
            )
        )
    width, place_of_set = len(head), head.index("set") if "set" in head else None
    for number, line in enumerate(lines, start=2):
        row = line.split("\t")
        wrong = _wrong(row, width, place_of_set, table)
        if wrong:
            problems.append(
                Problem(
                    code="UT317", message=wrong, place=Place(source=name, line=number), excerpt=line[:200]
                )
            )
        else:
            table.rows[row[0]] = row[1:]


def _wrong(row: list[str], width: int, place_of_set: int | None, table: DerivedTable) -> str:
    if len(row) != width:
        return f"{len(row)} cells where the header has {width}"
    if not schema.KEY.fullmatch(row[0]):
        return f"malformed key {row[0]!r}"
    if row[0] in table.rows:
        return f"the key {row[0]} stands twice"
    if not row[1]:
        return f"{row[0]} has no title"
    if place_of_set is not None:
        number = row[place_of_set]
        if not (number.isascii() and number.isdigit() and int(number) < len(table.sets)):
            return f"{row[0]}: there is no set {number!r}"
    return ""
