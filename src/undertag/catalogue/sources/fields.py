"""Fields of a decoded record by path, as rules of recognition name them.

Contract: linear in the record; no record raises. A path is the names on the way, from the outermost in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

_MAX_VALUE: Final = 1024
"""Characters of a value that are looked at: no key is longer."""


def value_at(doc: Any, path: Sequence[str]) -> Any:
    """The value at a path. In an array a number is an index, else the first element is taken; a text that holds a JSON object or
    array is stepped into; names with dots in them are tried whole."""
    if len(path) == 1 and doc.__class__ is dict:  # by far the commonest
        value = doc.get(path[0])
        if value.__class__ is not list:
            return value
    elif isinstance(doc, Mapping):
        whole = _first(doc.get(".".join(path)))
        if whole is not None:
            return whole
    for name in path:
        doc = _opened(doc)
        if isinstance(doc, list) and name.isdecimal():
            doc = doc[int(name)] if len(name) < 6 and int(name) < len(doc) else None
            continue
        doc = _opened(_first(doc))
        if not isinstance(doc, Mapping):
            return None
        doc = doc.get(name)
    return _first(doc)


def _first(value: Any) -> Any:
    """The first element of arrays within arrays, None of an empty one; whatever else as it is."""
    while isinstance(value, list):
        value = value[0] if value else None
    return value


def _opened(value: Any) -> Any:
    """The JSON object or array that a text holds; whatever else as it is."""
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def text_at(doc: Any, path: Sequence[str]) -> str | None:
    """The value at a path as text; None where there is none. An object is there, but says nothing."""
    value = value_at(doc, path)
    if value is None:
        return None
    if value.__class__ is str:
        return str(value[:_MAX_VALUE])
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ""
    return str(value)[:_MAX_VALUE]
