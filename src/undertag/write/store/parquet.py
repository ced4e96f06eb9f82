"""Tagged events as Parquet, one folder a day, with a table of problems and a note of what made it.

Contract: `OUT/events/day=YYYY-MM-DD/part-*.parquet` (events without a time under `day=unknown`), `OUT/problems.parquet`,
`OUT/run.json`. A part is written under a name that starts with `.` and renamed when whole; `run.json` says
`"complete": false` until the run has ended well. No link in it is followed: what lies behind one is somebody else's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from undertag.model.batch import Batch
from undertag.model.output import Output
from undertag.model.problem import Place, Problem, StoreError
from undertag.model.source import mended
from undertag.write.events import NewUid, Tagged
from undertag.write.files import NOTHING, is_ours, store_error, sync, write_whole
from undertag.write.jsonl import as_object

ROWS_A_PART: Final = 50_000
EVENTS: Final = "events"
RUN: Final = "run.json"

EVENT_SCHEMA: Final = pa.schema(
    [
        ("event_uid", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("system", pa.string()),
        ("entry", pa.string()),
        ("tags", pa.list_(pa.string())),
        ("rules", pa.string()),
        ("tag_details", pa.string()),
        ("raw", pa.binary()),
        ("fields", pa.string()),
        ("attack_version", pa.string()),
    ]
)
PROBLEM_SCHEMA: Final = pa.schema(
    [(name, pa.string()) for name in ("code", "severity", "message", "hint", "excerpt", "source")]
    + [(name, pa.int64()) for name in ("record", "line", "offset")]
)


class Row(NamedTuple):
    """One event, its uid apart."""

    number: int
    uid: bytes
    time: str | None
    system: str
    entry: str
    tags: tuple[str, ...]
    rules: bytes
    details: bytes
    raw: bytes
    fields: bytes | None
    """The event as a JSON object, where the record is none itself, or none in UTF-8."""


class RowRenderer:
    """Collects rows."""

    def __init__(self, *, only_tagged: bool) -> None:
        self._only_tagged = only_tagged

    def start(self) -> list[Row]:
        """See `Renderer`."""
        return []

    def render(self, batch: Batch, tagged: Mapping[int, Tagged], rendered: list[Row]) -> None:
        """See `Renderer`."""
        key = batch.entry.key
        for row, number in enumerate(batch.rows):
            hit = tagged.get(row)
            if hit is None and self._only_tagged:
                continue
            names, rules, details = (hit.tags.names, hit.rules, hit.tags.json) if hit else ((), b"[]", b"[]")
            rendered.append(
                Row(
                    number,
                    batch.uids[row],
                    batch.times[row],
                    batch.systems[row],
                    key,
                    names,
                    rules,
                    details,
                    batch.raws[row],
                    _fields_of(batch, row),
                )
            )


def _fields_of(batch: Batch, row: int) -> bytes | None:
    if not batch.layout.json:
        return as_object(batch.event(row))
    return mended(batch.raws[row]) if batch.layout.mended else None


class StoreWriter:
    """Writes the parts of one worker; days are kept apart until there are enough rows."""

    def __init__(self, folder: Path, attack_version: str) -> None:
        self._folder = folder
        self._attack_version = attack_version
        self._days: dict[str, list[Row]] = {}
        self._held = 0
        self._parts = 0

    def size(self, rendered: list[Row]) -> int:
        """See `Writer`."""
        return 0

    def write(self, rendered: list[Row], offset: int, new_uids: Sequence[NewUid]) -> bytes:
        """See `Writer`."""
        changed = {new.number: new.new for new in new_uids}
        for row in rendered:
            day = row.time[:10] if row.time else "unknown"
            new = changed.get(row.number)
            self._days.setdefault(day, []).append(row if new is None else row._replace(uid=new))
        self._held += len(rendered)
        if self._held >= ROWS_A_PART:
            self._flush()
        return b""

    def close(self) -> None:
        """See `Writer`."""
        self._flush()

    def _flush(self) -> None:
        self._held = 0
        try:
            for day in sorted(self._days):
                self._part(day, self._days.pop(day))
        except OSError as error:
            raise store_error(self._folder, error) from error

    def _part(self, day: str, rows: list[Row]) -> None:
        folder = self._folder / EVENTS / f"day={day}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"part-{os.getpid()}-{self._parts}.parquet"
        self._parts += 1
        table = pa.table(
            {
                "event_uid": [row.uid.hex() for row in rows],
                "time": pa.array([_moment(row.time) for row in rows], EVENT_SCHEMA.field("time").type),
                "system": [row.system for row in rows],
                "entry": [row.entry for row in rows],
                "tags": pa.array([row.tags for row in rows], EVENT_SCHEMA.field("tags").type),
                "rules": [row.rules.decode() for row in rows],
                "tag_details": [row.details.decode() for row in rows],
                "raw": pa.array([row.raw for row in rows], pa.binary()),
                "fields": [row.fields and row.fields.decode() for row in rows],
                "attack_version": [self._attack_version] * len(rows),
            },
            schema=EVENT_SCHEMA,
        )
        _write_whole(table, folder / name)


def _write_whole(table: pa.Table, path: Path) -> None:
    """Writes a table so that it is there whole or not at all."""
    partial = path.with_name(f".{path.name}")
    try:
        partial.unlink(missing_ok=True)  # it may be a link to something else
        pq.write_table(table, partial, compression="zstd")
        sync(partial)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)


def _moment(time: str | None) -> datetime | None:
    return datetime.fromisoformat(time) if time is not None else None


def part_files(folder: Path) -> list[str]:
    """The parts of a store that are whole, sorted; no link is followed."""
    events = folder / EVENTS
    days = () if events.is_symlink() else (day for day in events.glob("day=*") if not day.is_symlink())
    parts = (part for day in days for part in day.glob("part-*.parquet"))
    return sorted(str(part) for part in parts if not part.is_symlink())


def _remove_events(folder: Path) -> None:
    """Removes the parts that an earlier run left, whole or not, and links in their place, and nothing else."""
    for day in list(folder.glob("day=*")):
        if day.is_symlink():
            day.unlink()
            continue
        for part in (*day.glob("part-*.parquet"), *day.glob(".part-*.parquet")):
            part.unlink()
        with suppress(OSError):  # somebody put something else there
            day.rmdir()


def _taken(folder: Path, message: str) -> StoreError:
    return StoreError(
        Problem(
            code="UT602",
            message=message,
            place=Place(source=str(folder)),
            hint="name an empty or new folder, or one that an earlier run wrote",
        )
    )


class StoreSink:
    """A folder of Parquet."""

    def __init__(self, folder: Path, *, attack_version: str, only_tagged: bool) -> None:
        self.folder = folder
        self._attack_version = attack_version
        self._only_tagged = only_tagged

    def output(self) -> Output:
        """See `Sink`. A folder that isn't ours is never taken, so nothing of anybody's can be lost in it."""
        return Output(name=str(self.folder), paths=frozenset((os.path.realpath(self.folder),)))

    def renderer(self) -> RowRenderer:
        """See `Sink`."""
        return RowRenderer(only_tagged=self._only_tagged)

    def writer(self) -> StoreWriter:
        """See `Sink`."""
        return StoreWriter(self.folder, self._attack_version)

    def open(self, about: Mapping[str, Any]) -> None:
        """Makes the folder; an older run of ours in it is replaced, anything else is left alone and refused."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if any(self.folder.iterdir()) and not is_ours(self.folder / RUN):
                raise _taken(self.folder, "the folder holds something else")
            if (self.folder / EVENTS).is_symlink():
                raise _taken(self.folder, f"its folder {EVENTS} is a link")
            write_whole(self.folder / RUN, orjson.dumps({**about, "complete": False}))
            _remove_events(self.folder / EVENTS)
            (self.folder / "problems.parquet").unlink(missing_ok=True)
            (self.folder / EVENTS).mkdir(exist_ok=True)
        except OSError as error:
            raise store_error(self.folder, error, NOTHING) from error

    def take(self, data: bytes) -> None:
        """Nothing comes back from a folder's writers."""

    def close(self, *, complete: bool, problems: Sequence[Problem], about: Mapping[str, Any]) -> None:
        """See `Sink`."""
        try:
            rows = [problem.row() for problem in problems]
            table = pa.Table.from_pylist(rows, schema=PROBLEM_SCHEMA)
            _write_whole(table, self.folder / "problems.parquet")
            write_whole(self.folder / RUN, orjson.dumps({**about, "complete": complete}))
        except OSError as error:
            raise store_error(self.folder, error) from error
