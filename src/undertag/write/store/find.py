"""One event of an output, by its uid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from undertag.model.problem import Place, Problem, ReadError, SettingsError, printable
from undertag.write.files import RUN as NOTE
from undertag.write.files import followed
from undertag.write.store.parquet import EVENT_SCHEMA, EVENTS, RUN, part_files

_KEY: Final = b'"undertag":'
_UID: Final = re.compile(r"[0-9a-f]{6,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An event as it was written: its uid, the record (as an object where it was none), the `undertag` object."""

    uid: str
    raw: bytes
    undertag: dict[str, Any]


def find_event(out: str, uid: str) -> Written:
    """The event whose uid starts with `uid`.

    Raises:
        SettingsError: `uid` is no uid, is there twice, or isn't there.
        ReadError: `out` can't be read.
    """
    uid = uid.lower()
    if not _UID.fullmatch(uid):
        raise _wrong(f"{uid!r} is no event uid", "at least its first 6 hex digits")
    path = Path(out)
    try:
        found = list(_in_store(path, uid) if path.is_dir() else written_lines(path, uid))
    except OSError as error:
        raise ReadError(
            Problem(code="UT101", message=f"can't read: {error.strerror or error}", place=Place(source=out))
        ) from error
    if not found:
        raise _wrong(
            f"no event {uid} in {printable(out)}", "`event_uid` stands in each event's undertag object"
        )
    if len({one.uid for one in found}) > 1:
        raise _wrong(f"{len(found)} events start with {uid}", "give more digits")
    return found[0]


def _wrong(message: str, hint: str) -> SettingsError:
    return SettingsError(Problem(code="UT904", message=message, hint=hint))


def written_lines(path: Path, uid: str = "") -> Iterator[Written]:
    """The events of a file of JSON lines whose uid starts with `uid`.

    Raises:
        ReadError: a line is none that undertag wrote.
        OSError: the file can't be read.
    """
    mark = b'"event_uid":"' + uid.encode()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if uid and mark not in line:
                continue
            written = _written(line)
            if written is None:
                raise _no_output(path, number)
            if written.uid.startswith(uid):
                yield written


def _written(line: bytes) -> Written | None:
    """A line taken apart where it was put together: its last `undertag` key, which no text within can look like."""
    at = line.rfind(_KEY)
    if at < 0:
        return None
    try:
        undertag = orjson.loads(line[at + len(_KEY) :].rstrip()[:-1])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(undertag, dict) or not isinstance(undertag.get("event_uid"), str):
        return None
    raw = line[:at].removesuffix(b",") + b"}"
    return Written(uid=undertag["event_uid"], raw=raw, undertag=undertag)


def _no_output(path: Path, line: int | None = None) -> ReadError:
    return ReadError(
        Problem(
            code="UT101",
            message="no output of undertag, or damaged",
            place=Place(source=str(path), line=line),
            hint="name what --out wrote",
        )
    )


def batches_of(folder: Path, columns: list[str] | None = None, filter_by: Any = None) -> Iterator[Any]:
    """The events in a folder as Arrow batches.

    Raises:
        ReadError: no run of undertag wrote the folder, or a part of it is damaged.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    events = folder / EVENTS
    if events.is_symlink() or not events.is_dir():
        raise _no_output(folder)
    try:
        dataset = ds.dataset(part_files(folder), schema=EVENT_SCHEMA, format="parquet")
        yield from dataset.to_batches(columns=columns, filter=filter_by)
    except pa.ArrowInvalid as error:
        raise _no_output(folder) from error


def _in_store(folder: Path, uid: str) -> Iterator[Written]:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    asked = pc.starts_with(ds.field("event_uid"), uid)
    for row in (row for batch in batches_of(folder, filter_by=asked) for row in batch.to_pylist()):
        moment = row["time"]
        fields = row["fields"]
        yield Written(
            uid=row["event_uid"],
            raw=row["raw"] if fields is None else fields.encode(),
            undertag={
                "event_uid": row["event_uid"],
                "time": moment.isoformat().replace("+00:00", "Z") if moment else None,
                "system": row["system"],
                "entry": row["entry"],
                "rules": orjson.loads(row["rules"]),
                "tags": orjson.loads(row["tag_details"]),
                "attack_version": row["attack_version"],
            },
        )


def about_of(out: str) -> dict[str, Any]:
    """What made an output; empty where it doesn't say."""
    path = followed(Path(out))
    note = path / RUN if path.is_dir() else path.with_name(path.name + NOTE)
    try:
        document = orjson.loads(note.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return document if isinstance(document, dict) else {}
