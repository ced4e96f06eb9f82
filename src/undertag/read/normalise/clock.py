"""A record's time as RFC 3339 in UTC.

Contract: `utc(text)` gives `YYYY-MM-DDTHH:MM:SS[.ffffff]Z`, or None where the text is no date between the years 1
and 9999. A time without a zone is taken as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import ciso8601

_FRACTION: Final = re.compile(r"(?:\.[0-9]+)?Z")
_WORDED: Final = re.compile(
    r"(?:(?P<day>[0-9]{1,2})[/ -](?P<month>[A-Z][a-z]{2,8})|(?P<month2>[A-Z][a-z]{2,8}) (?P<day2>[0-9]{1,2}),?)[/ -](?P<year>[0-9]{4})[: ]"
    r"(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?) ?(?P<zone>(?:GMT)?[+-][0-9]{2}:?[0-9]{2}|GMT|UTC|Z)?"
)
_ZONE_APART: Final = re.compile(r"(:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?) (?=-(?:0[0-9]|1[0-2]):?[0-9]{2}$|Z$)")
"""A blank between a clock's seconds and a zone west of Greenwich; a dash elsewhere may part two times."""
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_TICKS_PER_SECOND: Final = 10_000_000
_FILETIME_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_PLAIN: Final = b"0000-00-00T00:00:00.000000Z\n"


@lru_cache(maxsize=4_096)
def _second(text: str) -> str | None:
    """The first 19 characters as they are to be written, None if they are no date-time."""
    try:
        written = datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None
    return written if len(written) == 19 else None


def utc_each(texts: list[Any]) -> list[str | None]:
    """`utc` of each; the same list where all is written as it should be, with six digits."""
    return texts if _are_plain(texts) else [utc(text) for text in texts]


def _are_plain(texts: list[Any]) -> bool:
    """Whether each text is a time with six digits in UTC, told from all of them at once."""
    try:
        joined = "\n".join([*texts, ""]).encode("ascii", "replace")
    except TypeError:  # not all are texts
        return False
    if joined.translate(_DIGITS) != _PLAIN * len(texts):
        return False
    width = len(_PLAIN)
    if (joined[14::width] + joined[17::width]).strip(b"012345"):  # tens of minutes and of seconds
        return False
    return all(_second(hour + ":00:00") for hour in {text[:13] for text in texts})


def utc(text: Any) -> str | None:
    """A time of any usual form as RFC 3339 UTC: ISO 8601 text, or seconds, milliseconds or nanoseconds since 1970."""
    if text.__class__ is str:
        rest = text[19:]
        if rest == "Z" or (rest and _FRACTION.fullmatch(rest)):
            second = _second(text[:19])
            if second is not None:
                return second + (rest if len(rest) <= 8 else rest[:7] + "Z")
    when = _moment(text)
    return None if when is None else _write(when)


def _moment(value: Any) -> datetime | None:
    """A time of any usual form; without a zone where a text says none."""
    if value.__class__ is str:
        return _from_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _from_number(float(value))


def _from_text(text: str) -> datetime | None:
    text = text.strip()
    if not 8 <= len(text) <= 64:
        return _from_digits(text)
    worded = _WORDED.fullmatch(text)
    if worded is not None:
        return _from_words(worded.groupdict())
    bare = text.removesuffix(" UTC")
    zoned = _ZONE_APART.sub(r"\1", bare) if " " in bare else bare
    try:
        when = ciso8601.parse_datetime(zoned.replace(" +", "+").replace("/", "-"))
    except ValueError:
        return _from_digits(text)
    return when if bare is text or when.tzinfo is not None else when.replace(tzinfo=UTC)


def _from_words(parts: dict[str, str | None]) -> datetime | None:
    """A date with an English month, as web servers, ArcSight's CEF and consoles write it."""
    month = _MONTHS.get((parts["month"] or parts["month2"] or "")[:3].lower())
    if month is None:
        return None
    day, zone = int(parts["day"] or parts["day2"] or 0), parts["zone"]
    if zone is not None:
        zone = zone.removeprefix("GMT").removeprefix("UTC") or "Z"
    text = f"{parts['year']}-{month:02}-{day:02}T{parts['clock']}{zone or ''}"
    try:
        return ciso8601.parse_datetime(text)
    except ValueError:
        return None


def _from_digits(text: str) -> datetime | None:
    try:
        return _from_number(float(text)) if text[:1].isdigit() and len(text) < 32 else None
    except ValueError:
        return None


def _from_number(number: float) -> datetime | None:
    for unit in (1.0, 1e3, 1e6, 1e9):
        if abs(number) / unit < 2e10:
            try:
                return datetime.fromtimestamp(number / unit, UTC)
            except (ValueError, OverflowError, OSError):
                return None
    return None


def _write(when: datetime) -> str | None:
    try:
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except OverflowError:
        return None
    return when.isoformat().replace("+00:00", "Z")


def flat_time(doc: Mapping[str, Any]) -> Any:
    """When a flat event was: Sysmon's own UTC time before the header's, the collector's zone taken out."""
    for name in ("TimeCreated", "SystemTime", "UtcTime"):
        value = doc.get(name)
        if isinstance(value, str) and value:
            return value
    local, arrived = doc.get("EventTime"), doc.get("@timestamp")
    if local is not None and arrived is not None:
        return shift_to(local, arrived)
    return local or arrived or doc.get("timestamp")


def shift_to(local: Any, received: Any) -> str | None:
    """`local`, a wall-clock time, moved by the whole quarters of an hour that part it from `received`.

    Collectors such as nxlog write an event's local time beside the UTC time of its arrival; arrival is at most
    minutes later, so the distance, rounded to a quarter of an hour, is the zone. A `local` that says its own zone, or
    counts from 1970, is left as it is.
    """
    if local.__class__ is str and received.__class__ is str and len(local) == 19 and received[-1:] == "Z":
        return _shift(local, received[:19])  # bursts of events share their second
    return _shift.__wrapped__(local, received)


@lru_cache(maxsize=4_096)
def _shift(local: Any, received: Any) -> str | None:
    start = _moment(local)
    if start is None:
        return utc(received)
    end = utc(received) if start.tzinfo is None else None
    if end is None:
        return _write(start)
    start = start.replace(tzinfo=UTC)
    quarters = round((datetime.fromisoformat(end) - start) / timedelta(minutes=15))
    if abs(quarters) > 56:  # no zone is further than 14 hours from UTC: it came late, and nothing can be said
        return _write(start)
    try:
        return _write(start + timedelta(minutes=15) * quarters)
    except OverflowError:
        return _write(start)
