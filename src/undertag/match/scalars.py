"""How an event's values become text, numbers and dates: one place, so that every matcher agrees.

Contract: pure functions on single values. Text is what Sigma compares; a number or a date is read *from the
text*, so that `"4688"` and `4688` are the same value wherever they come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import ciso8601

from undertag.model.paths import values_at

Scalar: TypeAlias = str | int | float | bool

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_HEX: Final = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2}|$)|[0-9]{4}-[0-9]{3}|[0-9]{4}-W[0-9]{2}")
MAX_NUMBER_CHARS: Final = 128
"""Longer text is no number: no log writes one, and reading digits costs the square of their count."""
MAX_DATE_CHARS: Final = 64


def text_of(value: object) -> str:
    """The text that tests see: `true`/`false`, decimal integers, floats as `repr` less a trailing `.0`."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def fold(text: str) -> str:
    """Text as compared without regard to case.

    `str.lower`, so two spellings of a German eszett differ; but a small sigma at a word's end counts as any other, which
    `str.lower` makes of a capital by what stands beside it.
    """
    folded = text.lower()
    return folded if folded.isascii() else folded.replace("\u03c2", "\u03c3")


def parse_number(text: str) -> int | float | None:
    """Read decimal, float or `0x` hexadecimal text; None if it is no number.

    Integers stay exact at any size that fits `MAX_NUMBER_CHARS`. `nan`, `inf`, digit groups and surrounding
    space are no numbers.
    """
    if len(text) > MAX_NUMBER_CHARS:
        return None
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    if _HEX.fullmatch(text):
        return int(text, 16)
    return None


def parse_datetime(text: str) -> datetime | None:
    """Read an ISO 8601 date or date-time (`T` or space between, any fraction, any zone); None if it is none.

    The parts are taken as written: a zone is read over, never converted. Bare digits are no date, since they
    might be anything.
    """
    if len(text) > MAX_DATE_CHARS:
        return None
    text = text.upper()
    if not _DATE.match(text):
        return None
    try:
        return ciso8601.parse_datetime(text)
    except ValueError:
        return None


def date_part(text: str, part: str) -> int | None:
    """One part (`minute` … `year`; `week` is the ISO week) of a date-time text; None if it is no date."""
    when = parse_datetime(text)
    if when is None:
        return None
    if part == "week":
        return when.isocalendar().week
    value: int = getattr(when, part)
    return value


def scalars_of(value: Any) -> Iterator[Scalar | None]:
    """The scalars that a field's value stands for: an array counts as all of its own, an object as none."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from scalars_of(item)
    elif not isinstance(value, Mapping):
        yield value


def all_scalars(value: Any) -> Iterator[Scalar | None]:
    """Every scalar anywhere within a value, objects included; keys are no values."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from all_scalars(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from all_scalars(item)
    else:
        yield value


def field_values(event: Mapping[str, Any], field: str | None) -> list[Scalar | None] | None:
    """A field's values in an event; None if the field is absent, `[]` if it is there and holds no scalar.

    The exact key is looked for first, then the dotted path, walking objects and arrays of objects. `None` as
    `field` is a keyword's field: every scalar of the event.
    """
    if field is None:
        return list(all_scalars(event))
    found = values_at(event, field)
    return [scalar for value in found for scalar in scalars_of(value)] if found else None
