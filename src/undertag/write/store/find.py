"""One event of an output, by its uid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from undertag.model.problem import Place, Problem, ReadError, SettingsError
from undertag.write.store.parquet import EVENTS, RUN

_UID: Final = re.compile(r"[0-9a-f]{6,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An event as it was written: its uid, the record's bytes, and the `undertag` object."""

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
        found = list(_in_store(path, uid) if path.is_dir() else _in_lines(path, uid))
    except OSError as error:
        raise ReadError(
            Problem(code="UT101", message=f"can't read: {error.strerror}", place=Place(source=out))
        ) from error
    if not found:
        raise _wrong(f"no event {uid} in {out}", "`event_uid` stands in each event's undertag object")
    if len({one.uid for one in found}) > 1:
        raise _wrong(f"{len(found)} events start with {uid}", "give more digits")
    return found[0]


def _wrong(message: str, hint: str) -> SettingsError:
    return SettingsError(Problem(code="UT904", message=message, hint=hint))


def _in_lines(path: Path, uid: str) -> Iterator[Written]:
    mark = b'"event_uid":"' + uid.encode()
    with path.open("rb") as file:
        for line in file:
            if mark not in line:
                continue
            document = orjson.loads(line)
            undertag = document.pop("undertag", None)
            if not isinstance(undertag, dict) or not str(undertag.get("event_uid")).startswith(uid):
                continue
            original = undertag.get("raw")
            raw = orjson.dumps(document) if original is None else _as_object(document)
            yield Written(uid=undertag["event_uid"], raw=raw, undertag=undertag)


def _as_object(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document)


def _in_store(folder: Path, uid: str) -> Iterator[Written]:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    events = folder / EVENTS
    if not events.is_dir():
        raise ReadError(
            Problem(
                code="UT101",
                message="no output of undertag",
                place=Place(source=str(folder)),
                hint="name what --out wrote",
            )
        )
    files = sorted(str(path) for path in events.rglob("*.parquet") if not path.name.startswith("."))
    if not files:
        return
    table = ds.dataset(files, format="parquet").to_table(filter=pc.starts_with(ds.field("event_uid"), uid))
    for row in table.to_pylist():
        moment = row["time"]
        yield Written(
            uid=row["event_uid"],
            raw=row["raw"],
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
    path = Path(out)
    note = path / RUN if path.is_dir() else path.with_name(path.name + ".run.json")
    try:
        document = orjson.loads(note.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return document if isinstance(document, dict) else {}
