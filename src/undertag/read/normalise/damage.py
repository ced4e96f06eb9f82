"""One record's JSON, damaged or not.

Contract: a record is decoded, mended and told (bad UTF-8), or left out and told; never lost without a word. Its bytes
stay what they are: only its object is made of the mended text.
"""

from __future__ import annotations

from typing import Any

import orjson

from undertag.model.problem import Problem
from undertag.model.source import mended
from undertag.read.faults import MENDED_HINT
from undertag.read.normalise.places import Places


def decode_record(places: Places, row: int, raw: bytes, problems: list[Problem]) -> tuple[Any, bool]:
    """A record's object, or None and a problem; and whether bad UTF-8 was mended for it, which is said too."""
    is_mended = False
    try:
        doc = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        is_mended, doc = _mend(raw)
        if not is_mended:
            problems.append(_damaged(places, row, raw, f"not valid JSON: {error}"))
            return None, False
        problems.append(
            Problem(
                code="UT112",
                severity="warning",
                message="invalid UTF-8, replaced by U+FFFD",
                place=places.of(row),
                hint=MENDED_HINT,
                excerpt=_excerpt(raw),
            )
        )
    if not isinstance(doc, dict):
        problems.append(_damaged(places, row, raw, f"an event is a JSON object, this is {_kind(doc)}"))
        return None, False
    return doc, is_mended


def _mend(raw: bytes) -> tuple[bool, Any]:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return True, orjson.loads(mended(raw))
        except orjson.JSONDecodeError:
            pass
    return False, None


def _kind(doc: Any) -> str:
    return {list: "an array", str: "a text", type(None): "null", bool: "a boolean"}.get(type(doc), "a number")


def _damaged(places: Places, row: int, raw: bytes, message: str) -> Problem:
    return Problem(
        code="UT111",
        message=message,
        place=places.of(row),
        hint="the record was left out, the rest was read",
        excerpt=_excerpt(raw),
    )


def _excerpt(raw: bytes) -> str:
    return raw[:512].decode("utf-8", "replace")
