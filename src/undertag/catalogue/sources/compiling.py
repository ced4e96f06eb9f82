"""Compiles the catalogue's files into the blocks of the artefact.

Contract: the same files give the same blocks. Keys are sorted; an entry's number is its place among them, and everything else speaks of
entries by number. Run by tools/build_catalogue.py and `sources check`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.catalogue.sources.artefact import CHUNK, FORMAT
from undertag.catalogue.sources.derived import DerivedTable, read_derived
from undertag.catalogue.sources.files import Read, read_curated, read_prerequisites
from undertag.catalogue.sources.merge import Group, make_entry
from undertag.catalogue.sources.needs import need_ids
from undertag.catalogue.sources.record import SourceEntry
from undertag.model.problem import Problem

_PATTERNS: Final = (
    "curated/**/*.yml",
    "prerequisites/**/*.yml",
    "derived/*.yml",
    "derived/*.tsv",
    "recognition.yml",
    "umbrellas.yml",
    "sigma.yml",
    "aliases.yml",
    "alias-corrections.yml",
    "attack/telemetry.json",
)
_NOT_INPUTS: Final = frozenset({"derived/PROVENANCE.yml", "derived/DISAGREEMENTS.yml"})

Record = tuple[int, Mapping[str, Any] | None, int, list[str] | None]
"""An entry as stored: number of its curated file or -1, what it says there, number of its table or -1, its cells there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The files as read, and the entries by key."""

    curated: Read
    prerequisites: Read
    tables: list[DerivedTable]
    problems: list[Problem]
    groups: list[Group]
    keys: list[str]
    records: list[Record]

    def entries(self) -> Iterator[SourceEntry]:
        """Every entry, in the order of keys."""
        for key, record in zip(self.keys, self.records, strict=True):
            yield entry_of(key, record, self.groups)


def entry_of(key: str, record: Sequence[Any], groups: Sequence[Group]) -> SourceEntry:
    """An entry from its stored form."""
    file, own, table, cells = record
    return make_entry(
        key,
        (groups[file], own) if own is not None else None,
        (groups[table], cells) if cells is not None else None,
    )


def digest(root: Path) -> str:
    """A hash over everything that the artefact is made from."""
    whole = hashlib.sha256(f"format {FORMAT}\n".encode())
    paths = sorted({path for pattern in _PATTERNS for path in root.glob(pattern)})
    for path in paths:
        name = path.relative_to(root).as_posix()
        if name not in _NOT_INPUTS:
            whole.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def read_parts(root: Path) -> Parts:
    """Reads all files and joins the two tiers."""
    curated = read_curated(root / "curated")
    prerequisites = read_prerequisites(root / "prerequisites")
    tables, problems = read_derived(root / "derived")
    audits = audit_prerequisites(prerequisites)
    groups = [
        *(Group(file.name, file.defaults, file.sources) for file in curated.files),
        *(
            Group(
                f"derived/{table.name}",
                table.defaults,
                table.sources,
                table.header,
                table.sets,
                audits if "audit" in table.columns else {},
            )
            for table in tables
        ),
    ]
    own: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, file in enumerate(curated.files):
        for key, entry in file.entries.items():
            own.setdefault(key, (number, entry))
    rows: dict[str, tuple[int, list[str]]] = {}
    for number, table in enumerate(tables, start=len(curated.files)):
        for key, cells in table.rows.items():
            rows.setdefault(key, (number, cells))
    keys = sorted(own.keys() | rows.keys())
    nothing = (-1, None)
    return Parts(
        curated=curated,
        prerequisites=prerequisites,
        tables=tables,
        problems=[*curated.problems, *prerequisites.problems, *problems],
        groups=groups,
        keys=keys,
        records=[(*own.get(key, nothing), *rows.get(key, nothing)) for key in keys],
    )


def audit_prerequisites(prerequisites: Read) -> dict[str, str]:
    """The prerequisite of each audit subcategory, by `category / subcategory` as tables name it."""
    return {
        f"{entry.get('category')} / {entry['title'].removeprefix('Audit ')}": key
        for _, key, entry in prerequisites.entries()
        if entry["kind"] == "audit-subcategory"
    }


def blocks(
    parts: Parts, entries: Sequence[SourceEntry], index: Mapping[str, Any], extra: Mapping[str, Any]
) -> dict[str, bytes]:
    """The blocks of the artefact; `extra` are named values to store as they are."""
    encode = msgspec.msgpack.encode
    found = {
        "keys": "\n".join(parts.keys).encode(),
        "titles": "\n".join(entry.title.replace("\n", " ") for entry in entries).encode(),
        "curated": encode(ranges(i for i, record in enumerate(parts.records) if record[1] is not None)),
        "groups": encode([group.stored() for group in parts.groups]),
        "prerequisites": encode(
            {key: {**entry, "file": file.name} for file, key, entry in parts.prerequisites.entries()}
        ),
        "index": encode(index),
        "relations": encode(relations_to(entries)),
        **{name: encode(value) for name, value in extra.items()},
    }
    for start in range(0, len(parts.records), CHUNK):
        found[f"entries/{start // CHUNK}"] = encode(parts.records[start : start + CHUNK])
    return found


def attribute_index(entries: Iterable[SourceEntry]) -> dict[str, dict[str, list[list[int]]]]:
    """Which entries (as ranges of numbers) have a value of an attribute that people look for."""
    found: dict[str, dict[str, list[int]]] = {
        name: {}
        for name in ("component", "data_source_2019", "sigma", "need", "difficulty", "channel", "technique")
    }
    for number, entry in enumerate(entries):
        for name, value in indexed(entry):
            numbers = found[name].setdefault(value, [])
            if not numbers or numbers[-1] != number:
                numbers.append(number)
    return {
        name: {value: ranges(numbers) for value, numbers in table.items()} for name, table in found.items()
    }


def indexed(entry: SourceEntry) -> Iterator[tuple[str, str]]:
    """What an entry is found by."""
    attack = entry.value("attack")
    if isinstance(attack, Mapping):
        yield from (("component", name) for name in attack.get("components", ()))
        yield from (("data_source_2019", name) for name in attack.get("data_sources_2019", ()))
        yield from (("technique", name) for name in attack.get("techniques", ()))
    for source in entry.value("sigma") or ():
        yield "sigma", "/".join(source.get(part) or "*" for part in ("product", "category", "service"))
    yield from (("need", name) for name in need_ids(entry.value("needs")))
    yield "difficulty", entry.difficulty
    channel = entry.value("channel")
    if channel:
        yield "channel", str(channel)


def relations_to(entries: Iterable[SourceEntry]) -> dict[str, list[list[str]]]:
    """Relations by the entry that they lead to: key → [[from, kind], …]."""
    found: dict[str, list[list[str]]] = {}
    for entry in entries:
        for relation in entry.value("relations") or ():
            found.setdefault(relation["to"], []).append([entry.key, relation["kind"]])
    return dict(sorted(found.items()))


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Rising numbers as ranges [first, after the last].

    >>> ranges([1, 2, 3, 7])
    [[1, 4], [7, 8]]
    """
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number:
            found[-1][1] = number + 1
        else:
            found.append([number, number + 1])
    return found
