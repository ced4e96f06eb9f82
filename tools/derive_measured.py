"""Derives entries from recorded events that no table knows, and compares tables with recordings.

    python tools/derive_measured.py --corpora FOLDER --out src/undertag/catalogue/data/derived

FOLDER holds `evtx-attack-samples/` (EVTX files), `security-datasets/` (zipped JSON lines) and `aws-cloudtrail/`
(CloudTrail files). Run it after the scripts that derive from tables: an entry is measured only where those have
none. A recording shows the fields of its own Windows version; absent fields prove nothing.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.derive_measured_events import DATASETS, EVTX, Place, Seen, dataset_events, evtx_events, tally
from tools.derive_tables import (
    Input,
    Table,
    arguments,
    record_disagreements,
    write_table,
)

from undertag.catalogue.sources.keys import key_part
from undertag.catalogue.windows import windows_router

CLOUDTRAIL: Final = "aws-cloudtrail"
_ANY_EVENT: Final = frozenset({"Data", "ERROR_EVT_UNRESOLVED"})
COLUMNS: Final = {
    "channel": "channel as recorded",
    "provider": "provider as recorded",
    "basis": "measured: seen in a recording, in no table",
    "source": "corpora that it was seen in",
    "event_id": "event ID",
    "events": "how many were seen",
    "fields": "names of the event data that were seen",
}


def known_rows(out: Path, but: str) -> dict[str, dict[str, str]]:
    """The rows of all tables in a folder by key, their sets included."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(out.glob("*.tsv")):
        if path.stem == but:
            continue
        beside = yaml.load(path.with_suffix(".yml").read_bytes(), Loader=yaml.CSafeLoader)
        sets = beside.get("sets", [])
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines:
            row = dict(zip(head.split("\t"), line.split("\t"), strict=True))
            found[row["key"]] = {**row, **(sets[int(row["set"])] if "set" in row else {})}
    return found


def build(corpora: Path, out: Path) -> tuple[Table, list[dict[str, Any]]]:
    """The measured entries, and where tables and recordings disagree."""
    seen: dict[Place, Seen] = {}
    tally(evtx_events(corpora / EVTX), EVTX, seen)
    tally(dataset_events(corpora / DATASETS), DATASETS, seen)
    known = known_rows(out, "windows-measured")
    table = Table(
        name="windows-measured",
        script="tools/derive_measured.py",
        defaults=DEFAULTS,
        sources=SOURCES,
        columns=COLUMNS,
        factored=("channel", "provider", "basis", "source"),
        inputs=[_input(corpora / EVTX, "*.evtx"), _input(corpora / DATASETS, "windows*.zip")],
        taken_from="sbousseaden/EVTX-ATTACK-SAMPLES; OTRF/Security-Datasets",
    )
    disagreements: list[dict[str, Any]] = []
    route = windows_router()
    by_key: dict[str, tuple[Place, Seen]] = {}
    for place, what in sorted(seen.items()):
        _, whole = by_key.setdefault(route.entry(*place).key, (place, Seen()))
        whole.events += what.events
        whole.fields.update(what.fields)
        whole.corpora |= what.corpora
    for key, ((channel, provider, event_id), what) in sorted(by_key.items()):
        if key in known:
            disagreements.extend(unlisted_fields(key, known[key], what))
            continue
        table.add(
            key,
            f"{provider.removeprefix('Microsoft-Windows-')} {event_id}",
            channel=channel,
            provider=provider,
            basis="measured",
            source="; ".join(sorted(what.corpora)),
            event_id=str(event_id),
            events=str(what.events),
            fields=",".join(what.fields),
        )
    disagreements.extend(cloudtrail_disagreements(corpora / CLOUDTRAIL, known))
    return table, disagreements


def unlisted_fields(key: str, row: Mapping[str, str], what: Seen) -> Iterator[dict[str, Any]]:
    """Fields that recordings have and the manifests of later Windows don't."""
    if not row.get("fields_basis", "").startswith("manifest"):
        return
    listed = {name.lower() for name in row["fields"].split(",")}
    extra = sorted(name for name in what.fields if name.lower() not in listed and name not in _ANY_EVENT)
    if extra:
        yield {
            "subject": f"fields of {key}",
            "says": {"recordings only": extra, "windows-manifest-events": row["fields"].split(",")},
            "follows": "windows-manifest-events",
            "why": f"Recorded on other versions of Windows, or renamed by a collector ({', '.join(sorted(what.corpora))}).",
        }


def cloudtrail_disagreements(
    folder: Path, known: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, Any]]:
    """CloudTrail events whose recorded `readOnly` or category is not the table's, and those of no entry."""
    recorded: dict[str, Counter[tuple[str, str]]] = {}
    for path in sorted(folder.glob("*.json")):
        for record in json.loads(path.read_bytes())["Records"]:
            service = record["eventSource"].removesuffix(".amazonaws.com").lower()
            key = f"aws/cloudtrail/{key_part(service)}/{key_part(record['eventName'])}"
            read_only = {True: "yes", False: "no"}.get(record.get("readOnly"), "")
            category = str(record.get("eventCategory", "")).lower()
            recorded.setdefault(key, Counter())[read_only, category] += 1
    for key, forms in sorted(recorded.items()):
        row = known.get(key)
        if row is None:
            yield {
                "subject": key,
                "says": {"recordings": sum(forms.values()), "aws-cloudtrail": "no such event"},
                "follows": "no entry",
                "why": "Not in the table.",
            }
            continue
        for place, column in enumerate(("read_only", "category")):
            said = {form[place] for form in forms if form[place]}
            if said and said != {row[column]}:
                yield {
                    "subject": f"{column} of {key}",
                    "says": {"recordings": sorted(said), "aws-cloudtrail-events": row[column]},
                    "follows": "aws-cloudtrail-events",
                    "why": "The table tells it from the name or the API's model; what was recorded is what happens.",
                }


def _input(folder: Path, pattern: str) -> Input:
    whole = hashlib.sha256()
    names = sorted(folder.rglob(pattern))
    for path in names:
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return Input(name=folder.name, rows=[{"file": path.name} for path in names], sha256=whole.hexdigest())


DEFAULTS: Final[Mapping[str, Any]] = {
    "platform": "windows",
    "product": "Windows",
    "default": "unknown",
    "volume": "unknown",
    "cost": "unknown",
    "difficulty": "unknown",
    "sources": [EVTX],
}
SOURCES: Final[Mapping[str, Any]] = {
    EVTX: {"kind": "corpus", "title": "EVTX-ATTACK-SAMPLES (sbousseaden): recordings of attacks"},
    DATASETS: {"kind": "corpus", "title": "Security-Datasets (OTRF): recordings of attacks"},
}

if __name__ == "__main__":
    options = arguments(__doc__, corpora="folder of the recordings")
    measured, found = build(options.corpora, options.out)
    write_table(measured, options.out)
    record_disagreements(options.out, "recordings", found)
    print(f"recordings: {len(found)} disagreements")
