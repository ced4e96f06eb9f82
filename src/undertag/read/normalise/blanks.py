"""Fields whose names have blanks in the event, found under the names that collectors write instead.

Contract: `with_blanks` takes no field away; a field is added under the name that the catalogue has, where the event doesn't have that.
Channels whose names have no blanks cost one look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from undertag.catalogue.sources.lookup import load_catalogue
from undertag.catalogue.windows import event_key

_HEADERS: Final = ("SourceName", "ProcessID")
"""What flat records call parts of an event's header."""


def with_blanks(channel: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fields, and `Threat Name` where there is a `ThreatName` or a `Threat_Name`.

    Source: Elastic, "Windows Defender integration", example event 1117: the XML as it was and `winlog.event_data` beside it.
    """
    blanks = _blanks(channel)
    if not blanks:
        return fields
    return {**{blanks[name]: value for name, value in fields.items() if name in blanks}, **fields}


@lru_cache(maxsize=1_024)
def _blanks(channel: str) -> Mapping[str, str]:
    """A channel's names with blanks, by how else they are written."""
    spaced = load_catalogue().routes.spaced(event_key(channel, "", 0))
    return {written: name for written, name in spaced.items() if written not in _HEADERS}
