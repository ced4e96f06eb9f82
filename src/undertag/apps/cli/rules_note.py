"""Where a run's rules lie, as noted beside its output, so that `explain` finds them from anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from undertag.model.problem import printable

_SHOWN: Final = "rules"
_QUOTED: Final = "rules_quoted"


def note_rules(paths: Sequence[str]) -> dict[str, list[str]]:
    """The paths in full: to be read, and percent-encoded, for a path's bytes may be no text."""
    full = [str(Path(path).resolve()) for path in paths]
    return {
        _SHOWN: [printable(path) for path in full],
        _QUOTED: [quote(os.fsencode(path), safe="/\\: ") for path in full],
    }


def noted_rules(about: Mapping[str, Any]) -> list[str]:
    """The paths that a note names; one of an older run has them to be read only."""
    if _QUOTED in about:
        return [os.fsdecode(unquote_to_bytes(path)) for path in about[_QUOTED]]
    return list(about.get(_SHOWN, ()))
