"""Counts of an output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from undertag.model.problem import Place, Problem, ReadError
from undertag.write.store.parquet import EVENTS


def count_output(out: str) -> dict[str, Any]:
    """Events, tagged events, systems, and counts by tag, entry and day of what `undertag tag --out` wrote.

    Raises:
        ReadError: there is no such output.
    """
    path = Path(out)
    events = tagged = 0
    systems: set[str] = set()
    tags: Counter[str] = Counter()
    entries: Counter[str] = Counter()
    days: Counter[str] = Counter()
    try:
        for day, system, entry, names in _store(path) if path.is_dir() else _lines(path):
            events += 1
            tagged += bool(names)
            systems.add(system)
            tags.update(names)
            entries[entry] += 1
            days[day] += 1
    except (OSError, orjson.JSONDecodeError) as error:
        raise ReadError(
            Problem(code="UT101", message=f"can't read: {error}", place=Place(source=out))
        ) from error
    return {
        "events": events,
        "tagged": tagged,
        "systems": len(systems - {""}),
        "tags": dict(tags.most_common()),
        "entries": dict(entries.most_common()),
        "days": dict(sorted(days.items())),
    }


def _lines(path: Path) -> Iterator[tuple[str, str, str, list[str]]]:
    with path.open("rb") as file:
        for line in file:
            said = orjson.loads(line).get("undertag", {})
            yield (
                (said.get("time") or "unknown")[:10],
                said.get("system") or "",
                said.get("entry") or "",
                [tag["tag"] for tag in said.get("tags", ())],
            )


def _store(folder: Path) -> Iterator[tuple[str, str, str, list[str]]]:
    import pyarrow.dataset as ds

    files = sorted(
        str(path) for path in (folder / EVENTS).rglob("*.parquet") if not path.name.startswith(".")
    )
    if not files:
        return
    for batch in ds.dataset(files, format="parquet").to_batches(columns=["time", "system", "entry", "tags"]):
        for row in batch.to_pylist():
            yield (
                row["time"].strftime("%Y-%m-%d") if row["time"] else "unknown",
                row["system"],
                row["entry"],
                row["tags"] or [],
            )
