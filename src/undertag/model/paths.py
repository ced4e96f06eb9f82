"""Field names with dots: paths through objects and arrays of objects.

Contract: one walk for everything that looks fields up, so that all see the same values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def values_at(event: Mapping[str, Any], name: str) -> list[Any]:
    """The values under `name`, nulls among them: of the exact key if there is one, else of the dotted path.

    Empty where the field is absent.
    """
    if name in event:
        return [event[name]]
    return list(_walk(event, name.split("."), 0)) if "." in name else []


def _walk(value: Any, path: list[str], at: int) -> Iterator[Any]:
    if at == len(path):
        yield value
    elif isinstance(value, Mapping):
        if path[at] in value:
            yield from _walk(value[path[at]], path, at + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item, path, at)
