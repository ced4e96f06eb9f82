"""What ATT&CK itself called log sources, as the embedded facts have it: data sources of a release, log sources of v18.1.

Contract: read when asked for, once. The names are MITRE's; see data/attack/NOTICE.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from undertag.catalogue.attack.facts import DATA
from undertag.catalogue.attack.telemetry import log_sources


@cache
def data_sources(version: str) -> dict[str, tuple[str, ...]]:
    """Each data source of a release before v9 with the techniques that cited it then."""
    import json

    document: dict[str, Any] = json.loads((DATA / "telemetry.json").read_bytes())
    table = document["data_sources"][version]
    found: dict[str, list[str]] = {name: [] for name in table["names"]}
    for technique, numbers in table["of"].items():
        for number in numbers:
            found[table["names"][number]].append(technique)
    return {name: tuple(sorted(techniques)) for name, techniques in found.items()}


@cache
def platforms(version: str) -> tuple[str, ...]:
    """The platforms that the techniques of a release name."""
    from undertag.catalogue.attack import load_release

    release = load_release(version)
    return tuple(sorted({name for one in release.techniques() for name in one.platforms}))


@cache
def alias_pairs(version: str = "18.1") -> dict[tuple[str, str], tuple[str, ...]]:
    """The (name, channel) pairs of a release that has log sources, with the data components that list each."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in log_sources(version):
        components = found.setdefault((row.name, row.channel), [])
        if row.component and row.component not in components:
            components.append(row.component)
    return {pair: tuple(components) for pair, components in found.items()}
