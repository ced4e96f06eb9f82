"""One record's JSON, damaged or not.

Contract: a record is decoded, mended and told (bad UTF-8), or left out and told; never lost without a word.
"""

from __future__ import annotations

from typing import Any

import orjson

from undertag.model.problem import Problem
from undertag.read.normalise.places import Places


def decode_record(places: Places, row: int, raw: bytes, problems: list[Problem]) -> tuple[bytes, Any]:
    """A record's object, or None and a problem; bad UTF-8 is mended, and said."""
    try:
        doc = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        mended = _mend(raw)
        if mended is None:
            problems.append(_damaged(places, row, raw, f"not valid JSON: {error}"))
            return raw, None
        raw, doc = mended
        problems.append(
            Problem(
                code="UT112",
                severity="warning",
                message="invalid UTF-8, replaced by U+FFFD",
                place=places.of(row),
                excerpt=_excerpt(raw),
            )
        )
    if not isinstance(doc, dict):
        problems.append(_damaged(places, row, raw, f"an event is a JSON object, this is {_kind(doc)}"))
        return raw, None
    return raw, doc


def _mend(raw: bytes) -> tuple[bytes, Any] | None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        mended = raw.decode("utf-8", "replace").encode()
        try:
            return mended, orjson.loads(mended)
        except orjson.JSONDecodeError:
            return None
    return None


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
