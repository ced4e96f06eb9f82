"""What ATT&CK says would show a technique: data sources, then data components, then log sources.

Contract: the data file is read when first asked for. Before v9 techniques list data sources by name; from v9
to v17 data components detect them, each of a data source; since v18 analytics cite log sources, which are a
name and a channel (often prose) of a data component. v19 is thin: for it those of v18.1 are shown (`as_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from undertag.catalogue.attack.bundle import LogSourceRow
from undertag.catalogue.attack.facts import DATA
from undertag.catalogue.attack.releases import (
    data_folder,
    embedded_versions,
    imported_versions,
    known_version,
    load_release,
    read_stored,
    version_number,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueTelemetry:
    """What would show one technique, as one release says it."""

    as_of: str
    """The release that the facts are of; "" where none covers the technique."""
    data_sources: tuple[str, ...] = ()
    data_components: tuple[str, ...] = ()
    """Names; with the data source in front (`Process: Process Creation`) where the release has it."""
    log_sources: tuple[LogSourceRow, ...] = ()


def telemetry_of(attack_id: str, version: str) -> TechniqueTelemetry:
    """What would show a technique in a release.

    Raises:
        CatalogueError: UT344, there is no such release.
    """
    known = known_version(version)
    if known in imported_versions() and known not in embedded_versions():
        return _look_up(attack_id, known, read_stored(data_folder() / f"{known}.json")["telemetry"])
    document = _embedded()
    covered = {name for part in ("data_sources", "components", "log_sources") for name in document[part]}
    usable = [name for name in covered if version_number(name) <= version_number(known)]
    if not usable:
        return TechniqueTelemetry(as_of="")
    return _look_up(attack_id, max(usable, key=version_number), document)


def log_sources(version: str = "18.1") -> tuple[LogSourceRow, ...]:
    """All log sources of an embedded release that has them (v18.1), by component, name and channel."""
    return tuple(_row(row) for row in _embedded()["log_sources"].get(version, ()))


@cache
def _embedded() -> dict[str, Any]:
    import json

    document: dict[str, Any] = json.loads((DATA / "telemetry.json").read_bytes())
    return document


def _look_up(attack_id: str, version: str, document: Mapping[str, Any]) -> TechniqueTelemetry:
    sources = document["data_sources"].get(version)
    components = document["components"].get(version)
    rows = [_row(row) for row in document["log_sources"].get(version, ()) if attack_id in row[4]]
    names: list[str] = []
    if components:
        release = load_release(version, imported=version not in embedded_versions())
        objects = {name: release.object(owner) for name, owner in components["owners"].items()}
        owners = {name: owner.name for name, owner in objects.items() if owner is not None}
        names = [
            f"{owners[name]}: {name}" if name in owners else name
            for name in _names(components["techniques"], attack_id)
        ]
    elif rows:
        names = sorted({row.component for row in rows if row.component})
    return TechniqueTelemetry(
        as_of=version,
        data_sources=tuple(_names(sources, attack_id)) if sources else (),
        data_components=tuple(names),
        log_sources=tuple(rows),
    )


def _names(table: Mapping[str, Any], attack_id: str) -> list[str]:
    return [table["names"][number] for number in table["of"].get(attack_id, ())]


def _row(row: Any) -> LogSourceRow:
    component, name, channel, event_ids, techniques = row
    return LogSourceRow(
        component=component,
        name=name,
        channel=channel,
        event_ids=tuple(event_ids),
        techniques=tuple(techniques),
    )
