"""The real recordings that the big corpora are made of, as lines of JSON in three shapes.

Contract: each function yields `Source`s in a fixed order (sorted paths, record order), so that the same
corpora give the same lines. Only the corpora folder is read; nothing is varied here (see `variation.py`).
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from undertag.catalogue.windows import windows_router

ROOT = Path(__file__).resolve().parent.parent
SHAPES = ("evtx-json", "flat", "flattened-labelled")
NO_LABEL = "none"
"""Label where no Sigma log source claims the event: unlike a missing one it lets the peer skip rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One recording: `lines` are JSON texts without the newline, in the order of the file."""

    name: str
    lines: list[bytes]


def corpora() -> Path:
    """The corpora folder (`UNDERTAG_CORPORA`, else `../shared/corpora` beside the repository)."""
    folder = Path(os.environ.get("UNDERTAG_CORPORA", ROOT.parent / "shared/corpora"))
    if not folder.is_dir():
        raise SystemExit(f"no corpora at {folder}: set UNDERTAG_CORPORA to the folder that holds them")
    return folder


def read_sources(shape: str, folder: Path) -> list[Source]:
    """All recordings of the corpora in `shape` (one of `SHAPES`)."""
    if shape == "flat":
        return list(_flat(folder / "security-datasets"))
    recordings = _evtx(folder / "evtx-attack-samples")
    if shape == "evtx-json":
        return list(recordings)
    labels = LogSourceLabels()
    return [
        Source(name=source.name, lines=[flatten(line, labels) for line in source.lines])
        for source in recordings
    ]


def evtx_files(folder: Path) -> list[Path]:
    """The EVTX recordings, sorted."""
    return sorted((folder / "evtx-attack-samples").rglob("*.evtx"))


def _evtx(folder: Path) -> Iterator[Source]:
    import evtx

    for path in sorted(folder.rglob("*.evtx")):
        records = evtx.PyEvtxParser(str(path), number_of_threads=1).records_json()
        yield Source(
            name=str(path.relative_to(folder)), lines=[r["data"].encode() for r in records if r is not None]
        )


def _flat(folder: Path) -> Iterator[Source]:
    for path in sorted(folder.glob("*windows*.zip")):
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                yield Source(name=f"{path.name}!{member}", lines=archive.read(member).splitlines())


class LogSourceLabels:
    """Sigma log source of a Windows event, one category at most, from the catalogue.

    rsigma 0.23 reads one string a dimension, and skips a rule that a label contradicts. An event that serves
    two categories (a registry value set serves `registry_set` and `registry_event`) keeps the narrower one,
    which favours rsigma's speed at the cost of some of its matches.
    """

    def label(self, event: dict[str, Any]) -> dict[str, Any]:
        """`product`, `service`, `category`, and the fields that the category knows under another name."""
        entry = windows_router().entry(
            event.get("Channel") or "", event.get("Provider_Name") or "", event["EventID"]
        )
        of_windows = [one for one in entry.services if one.logsource.product == "windows"]
        services = [one.logsource.service for one in of_windows if one.logsource.category is None]
        named = [one for one in of_windows if one.logsource.category is not None]
        named.sort(key=lambda one: one.logsource.category == "registry_event")
        labels: dict[str, Any] = {
            "product": "windows",
            "service": next(filter(None, services), NO_LABEL),
            "category": named[0].logsource.category if named else NO_LABEL,
        }
        renames = named[0].rename if named else {}
        return labels | {new: event[old] for new, old in renames.items() if old in event}


def flatten(line: bytes, labels: LogSourceLabels) -> bytes:
    """One event of one level, with Sigma's field names and log-source labels, from the nested EVTX form."""
    event = orjson.loads(line)["Event"]
    system = event["System"]
    event_id = system.get("EventID")
    flat: dict[str, Any] = {
        "Channel": system.get("Channel"),
        "EventID": event_id.get("#text") if isinstance(event_id, dict) else event_id,
        "Computer": system.get("Computer"),
        "EventRecordID": system.get("EventRecordID"),
        "Level": system.get("Level"),
    }
    provider = (system.get("Provider") or {}).get("#attributes", {})
    flat["Provider_Name"] = provider.get("Name")
    flat["SystemTime"] = system["TimeCreated"]["#attributes"]["SystemTime"]
    for part in ("EventData", "UserData"):
        _leaves(event.get(part), flat)
    clash = flat.keys() & {"product", "service", "category"}
    if clash:
        raise SystemExit(f"an event has fields named as log-source labels: {sorted(clash)}")
    return orjson.dumps(flat | labels.label(flat))


def _leaves(node: Any, into: dict[str, Any]) -> None:
    if not isinstance(node, dict):
        return
    for name, value in node.items():
        if name == "#attributes":
            continue
        if name == "Data" and isinstance(value, dict):
            into["Data"] = value.get("#text")
        elif isinstance(value, dict):
            _leaves(value, into)
        else:
            into[name] = value
