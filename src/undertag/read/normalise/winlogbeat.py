"""What Winlogbeat writes in words or under numbers, as it is in the event.

Source: Microsoft, winmeta.xml of the Windows SDK (levels, keywords).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_PARAM: Final = re.compile(r"param([1-9][0-9]{0,3})")
_LEVELS: Final = {"critical": 1, "error": 2, "warning": 3, "information": 4, "verbose": 5}
_MASKS: Final = {"Audit Failure": "0x8010000000000000", "Audit Success": "0x8020000000000000"}


def level_of(doc: Mapping[str, Any]) -> int | None:
    """An event's level, from `{"log": {"level": …}}` or `{"log.level": …}`."""
    log = doc.get("log")
    word = log.get("level") if isinstance(log, Mapping) else doc.get("log.level")
    return _LEVELS.get(word) if isinstance(word, str) else None


def masks(keywords: Any) -> Any:
    """Keywords in words, and those that the Security log is searched for as the numbers that they are in the event."""
    if not isinstance(keywords, list):
        return keywords
    return [*keywords, *(_MASKS[word] for word in keywords if isinstance(word, str) and word in _MASKS)]


def unname(fields: dict[str, Any]) -> None:
    """Winlogbeat calls data without names param1, param2, …: where that is all there is, its texts are `Data` too.

    Where a manifest has those very names (System's 7036) they are kept, so that rules find either.
    """
    numbers = {}
    for name in fields:
        found = _PARAM.fullmatch(name)
        if found is not None:
            numbers[int(found[1])] = name
        elif name != "Binary":
            return
    if numbers:
        texts = [fields[numbers[number]] for number in sorted(numbers)]
        fields["Data"] = texts if len(texts) > 1 else texts[0]
