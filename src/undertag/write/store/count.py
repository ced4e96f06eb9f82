"""Counts of an output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from undertag.model.problem import Place, Problem, ReadError
from undertag.write.store.find import about_of, batches_of, written_lines


def count_output(out: str) -> dict[str, Any]:
    """Events, tagged events, systems, and counts by tag, entry and day of what `undertag tag --out` wrote.

    `complete` is whether the run ended well, None where the output doesn't say.

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
    except OSError as error:
        raise ReadError(
            Problem(code="UT101", message=f"can't read: {error.strerror or error}", place=Place(source=out))
        ) from error
    return {
        "events": events,
        "tagged": tagged,
        "systems": len(systems - {""}),
        "tags": dict(tags.most_common()),
        "entries": dict(entries.most_common()),
        "days": dict(sorted(days.items())),
        "complete": about_of(out).get("complete"),
    }


def _lines(path: Path) -> Iterator[tuple[str, str, str, list[str]]]:
    for written in written_lines(path):
        said = written.undertag
        yield (
            (said.get("time") or "unknown")[:10],
            said.get("system") or "",
            said.get("entry") or "",
            [tag["tag"] for tag in said.get("tags", ())],
        )


def _store(folder: Path) -> Iterator[tuple[str, str, str, list[str]]]:
    for batch in batches_of(folder, ["time", "system", "entry", "tags"]):
        for row in batch.to_pylist():
            yield (
                row["time"].strftime("%Y-%m-%d") if row["time"] else "unknown",
                row["system"],
                row["entry"],
                row["tags"] or [],
            )
