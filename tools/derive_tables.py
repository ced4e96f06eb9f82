"""Writes derived tables: sorted TSV, its defaults beside it, where it came from, and where tables disagree.

Contract: the same rows give the same bytes. A table is `<name>.tsv` (key, title, set, then what differs by row)
and `<name>.yml` (`defaults`, `sources`, `columns`, `sets`). What many rows share is factored: a row's `set` is
an index into `sets`, and the row has every value of that mapping. Keys are unique and sorted as text, so a
reader can search by halving. Rows of one key are merged, and how many were is recorded.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from undertag.catalogue.sources.schema import KEY

Row = dict[str, str]

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[A-Z]|[0-9]+")
_JOINED_BY: Final = "; "
KNOWLEDGE: Final = {"kind": "knowledge", "title": "Authors' knowledge, no document opened for it"}


def words(name: str) -> str:
    """A plain title from a program's name.

    >>> words("CreateDBInstance"), words("user.session_start"), words("listEC2Instances")
    ('Create DB instance', 'User session start', 'List EC2 instances')
    """
    found = _WORD.findall(name)
    text = " ".join(
        word if (len(word) > 1 and word.isupper()) or _is_code(word) else word.lower() for word in found
    )
    return text[:1].upper() + text[1:] if text else name


def _is_code(word: str) -> bool:
    return len(word) > 1 and word[:2].isupper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A table of facts as read: its rows, and what identifies it."""

    name: str
    rows: list[Row]
    sha256: str


def read_facts(folder: Path, name: str, needed: Iterable[str]) -> Input:
    """Reads a tab-separated table of facts.

    Raises:
        ValueError: a needed column is missing, or a row has more or fewer cells than the header.
    """
    data = (folder / name).read_bytes()
    lines = data.decode("utf-8").splitlines()
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(reader, [])
    missing = [column for column in needed if column not in header]
    if missing:
        raise ValueError(f"{name}: no column {', '.join(missing)}; it has {', '.join(header)}")
    rows = []
    for number, cells in enumerate(reader, start=2):
        if len(cells) != len(header):
            raise ValueError(f"{name}:{number}: {len(cells)} cells where the header has {len(header)}")
        rows.append(dict(zip(header, cells, strict=True)))
    return Input(name=name, rows=rows, sha256=hashlib.sha256(data).hexdigest())


@dataclass(slots=True, kw_only=True)
class Table:
    """A derived table being made; `factored` names the columns that go into `sets`."""

    name: str
    script: str
    defaults: Mapping[str, Any]
    sources: Mapping[str, Any]
    columns: Mapping[str, str]
    factored: Sequence[str] = ()
    rows: list[Row] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    taken_from: str = ""
    left_out: dict[str, int] = field(default_factory=dict)
    disagreements: list[dict[str, Any]] = field(default_factory=list)

    def add(self, key: str, title: str, **cells: str) -> None:
        """Adds a row; merged with others of the same key when the table is written."""
        self.rows.append({"key": key, "title": title, **cells})

    def leave_out(self, why: str, count: int = 1) -> None:
        """Counts rows of the input that become no entry."""
        self.left_out[why] = self.left_out.get(why, 0) + count


def merged(rows: Iterable[Row]) -> tuple[list[Row], int]:
    """Rows by key, sorted; cells of rows of one key are joined. The number is how many rows vanished so.

    >>> merged([{"key": "a/b", "x": "1"}, {"key": "a/b", "x": "2"}])
    ([{'key': 'a/b', 'x': '1; 2'}], 1)
    """
    by_key: dict[str, Row] = {}
    vanished = 0
    for row in rows:
        have = by_key.setdefault(row["key"], row)
        if have is row:
            continue
        vanished += 1
        for column, value in row.items():
            parts = have.get(column, "").split(_JOINED_BY) if have.get(column) else []
            if column == "title" and parts:
                continue
            new = [part for part in value.split(_JOINED_BY) if part and part not in parts]
            have[column] = _JOINED_BY.join(parts + new)
    return [by_key[key] for key in sorted(by_key)], vanished


def write_table(table: Table, out: Path) -> int:
    """Writes the table, its defaults and its records; returns the number of entries.

    Raises:
        ValueError: a key is malformed, two keys differ only in case, or a cell holds a tab or a line break.
    """
    out.mkdir(parents=True, exist_ok=True)
    rows, vanished = merged(table.rows)
    _check(table.name, rows)
    sets: dict[tuple[str, ...], int] = {}
    for shared in sorted({tuple(row.get(column, "") for column in table.factored) for row in rows}):
        sets[shared] = len(sets)
    varying = [column for column in table.columns if column not in table.factored]
    head = ["key", "title", *(["set"] if table.factored else []), *varying]
    lines = ["\t".join(head)]
    for row in rows:
        index = [str(sets[tuple(row.get(column, "") for column in table.factored)])] if table.factored else []
        lines.append("\t".join([row["key"], row["title"], *index, *(row.get(name, "") for name in varying)]))
    (out / f"{table.name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    beside: dict[str, Any] = {
        "defaults": dict(table.defaults),
        "sources": dict(table.sources),
        "columns": dict(table.columns),
    }
    if table.factored:
        named = ({n: v for n, v in zip(table.factored, shared, strict=True) if v} for shared in sets)
        beside["sets"] = list(named)
    _dump(
        out / f"{table.name}.yml",
        f"What the entries of {table.name}.tsv share; made by {table.script}.",
        beside,
    )
    _record(table, rows, vanished, out)
    print(
        f"{table.name}: {len(rows)} entries, {vanished} rows merged, {sum(table.left_out.values())} left out"
    )
    return len(rows)


def _check(name: str, rows: Iterable[Row]) -> None:
    folded: dict[str, str] = {}
    for row in rows:
        key = row["key"]
        if not KEY.fullmatch(key):
            raise ValueError(f"{name}: malformed key {key!r}")
        other = folded.setdefault(key.lower(), key)
        if other != key:
            raise ValueError(f"{name}: keys {other!r} and {key!r} differ only in case")
        for column, value in row.items():
            if "\t" in value or "\n" in value or "\r" in value:
                raise ValueError(f"{name}: {key}: column {column} holds a tab or a line break")


def _record(table: Table, rows: Sequence[Row], vanished: int, out: Path) -> None:
    entry: dict[str, Any] = {
        "script": table.script,
        "inputs": {i.name: {"sha256": i.sha256, "rows": len(i.rows)} for i in table.inputs},
        "from": table.taken_from,
        "entries": len(rows),
        "rows_merged": vanished,
        "rows_left_out": dict(sorted(table.left_out.items())),
        "sha256": hashlib.sha256((out / f"{table.name}.tsv").read_bytes()).hexdigest(),
    }
    provenance = _load(out / "PROVENANCE.yml")
    before = dict(provenance.get(table.name, {}))
    made = before.pop("date", None)
    entry["date"] = made if made and before == entry else date.today().isoformat()
    provenance[table.name] = entry
    _dump(out / "PROVENANCE.yml", "Which script made each table from what.", dict(sorted(provenance.items())))
    record_disagreements(out, table.name, table.disagreements)


def record_disagreements(out: Path, about: str, found: Iterable[dict[str, Any]]) -> None:
    """Replaces what DISAGREEMENTS.yml says about one table or comparison."""
    disagreements = _load(out / "DISAGREEMENTS.yml")
    disagreements.pop(about, None)
    items = sorted(found, key=lambda item: str(item["subject"]))
    if items:
        disagreements[about] = items
    _dump(
        out / "DISAGREEMENTS.yml",
        "Where two tables disagree: what each says, which one the entries follow, and why.",
        dict(sorted(disagreements.items())),
    )


def _load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


class _Dumper(yaml.SafeDumper):
    """Writes repeated values out instead of as anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dump(path: Path, comment: str, content: Mapping[str, Any]) -> None:
    text = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=160, default_flow_style=None
    )
    path.write_text(f"# {comment}\n{text}", encoding="utf-8", newline="\n")


def arguments(doc: str | None, **folders: str) -> argparse.Namespace:
    """The options of a script: `--out`, and the folders named in `folders` (name → help), `--facts` by default."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the derived tables")
    for name, text in (folders or {"facts": "folder of the tables of facts"}).items():
        parser.add_argument(f"--{name}", type=Path, required=True, help=text)
    return parser.parse_args()
