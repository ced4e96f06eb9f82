"""ATT&CK through time: releases as facts, and where an id of one release stands in another.

Contract: importing reads nothing. The embedded releases are v4.0, v6.0, v8.2, v17.1, v18.1 and v19 (thin:
ids, names, tactics); the user may import others. Nothing here touches the network but `importing.fetch`,
which is called only for a URL that the user typed.
"""

from __future__ import annotations

from undertag.catalogue.attack.facts import (
    DEFAULT_VERSION,
    AttackObject,
    Release,
    Tactic,
    Technique,
    notice,
)
from undertag.catalogue.attack.releases import (
    embedded_versions,
    imported_versions,
    known_version,
    load_release,
    versions,
)
from undertag.catalogue.attack.resolution import Hop, Resolution, ResolutionState
from undertag.catalogue.attack.resolve import resolve_tag

__all__ = [
    "DEFAULT_VERSION",
    "AttackObject",
    "Hop",
    "Release",
    "Resolution",
    "ResolutionState",
    "Tactic",
    "Technique",
    "embedded_versions",
    "imported_versions",
    "known_version",
    "load_release",
    "notice",
    "resolve_tag",
    "versions",
]
