"""Times of all usual forms, as RFC 3339 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undertag.read.normalise.clock import shift_to, utc, utc_each

CASES: list[tuple[str, Any, str | None]] = [
    ("as it should be", "2019-04-27T15:57:25.868863Z", "2019-04-27T15:57:25.868863Z"),
    ("seven digits", "2019-04-27T15:57:25.8688631Z", "2019-04-27T15:57:25.868863Z"),
    ("no fraction", "2019-04-27T15:57:25Z", "2019-04-27T15:57:25Z"),
    ("a space", "2019-04-27 15:57:25.868", "2019-04-27T15:57:25.868000Z"),
    ("a zone", "2019-04-27T17:57:25+02:00", "2019-04-27T15:57:25Z"),
    ("a spaced zone", "2024-01-15 10:30:45 +0000", "2024-01-15T10:30:45Z"),
    ("a spaced zone in the west", "2024-01-15 10:30:45 -0500", "2024-01-15T15:30:45Z"),
    ("a spaced zone with a colon", "2024-01-15T10:30:45.5 -05:00", "2024-01-15T15:30:45.500000Z"),
    ("a spaced Z", "2024-01-15 10:30:45 Z", "2024-01-15T10:30:45Z"),
    ("a day and a zone", "2024-01-15 -0500", None),
    ("a span of days", "2024-01-15 -2024-01-16", None),
    ("a span of hours", "2024-01-15 10:30:45 -11:30:45", None),
    ("a span of hours that is no zone", "2024-01-15 10:30:45 -13:00", None),
    ("UTC in words", "2019-04-27 15:57:25 UTC", "2019-04-27T15:57:25Z"),
    ("seconds", 1556380645, "2019-04-27T15:57:25Z"),
    ("milliseconds", 1556380645868, "2019-04-27T15:57:25.868000Z"),
    ("seconds as text", "1556380645.5", "2019-04-27T15:57:25.500000Z"),
    ("the start of Windows", "1601-01-01T00:00:00.000000Z", "1601-01-01T00:00:00.000000Z"),
    ("the end of it", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ("no dot before the digits", "2019-04-27T15:57:2587000Z", None),
    ("a web server's", "27/Apr/2019:17:57:25 +0200", "2019-04-27T15:57:25Z"),
    ("one digit a day", "7/Apr/2019:17:57:25 +0200", "2019-04-07T15:57:25Z"),
    ("a console's", "27-Apr-2019 15:57:25", "2019-04-27T15:57:25Z"),
    ("CEF's", "Apr 27 2019 15:57:25 GMT+00:00", "2019-04-27T15:57:25Z"),
    ("CEF's with a fraction", "Apr 27 2019 15:57:25.868 UTC", "2019-04-27T15:57:25.868000Z"),
    ("a month in full", "October 11, 2019 13:15:40", "2019-10-11T13:15:40Z"),
    ("no month at all", "27/Abc/2019:17:57:25 +0200", None),
    ("a day too many", "31/Apr/2019:17:57:25 +0200", None),
    ("no such month", "2019-13-27T15:57:25.868863Z", None),
    ("year 10000", "10000-01-01T00:00:00Z", None),
    ("past the end by its zone", "9999-12-31T23:59:59-05:00", None),
    ("nothing", "", None),
    ("null", None, None),
    ("a boolean", True, None),
    ("a list", [1], None),
    ("words", "yesterday", None),
    ("infinite", float("inf"), None),
    ("no number", float("nan"), None),
    ("digits of another script", "2019-04-27T15:57:25.\u0661\u0662\u0663\u0664\u0665\u0666Z", None),
]


@pytest.mark.parametrize(
    ("written", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_utc(written: Any, expected: str | None) -> None:
    assert utc(written) == expected
    assert utc_each([written]) == [expected]


PLAIN = "2019-04-27T15:57:25.868863Z"


@pytest.mark.parametrize(
    "odd",
    [
        "2019-04-27T15:57:60.868863Z",
        "2019-04-27T15:60:25.868863Z",
        "2019-04-27T24:57:25.868863Z",
        "2019-02-29T15:57:25.868863Z",
        "0000-04-27T15:57:25.868863Z",
        "2019-04-27T15:57:25.86886Z",
        "2019-04-27T15:57:25.8688\u0666\u0663Z",
        f"{PLAIN}\n{PLAIN}",
        "",
        None,
        1556380645,
    ],
)
def test_an_odd_one_among_plain_ones_is_told_as_if_it_were_alone(odd: Any) -> None:
    assert utc_each([PLAIN, odd, PLAIN]) == [PLAIN, utc(odd), PLAIN]


def test_texts_that_only_together_look_plain_are_none() -> None:
    assert utc_each([PLAIN[:-2], PLAIN[-2:] + PLAIN]) == [utc(PLAIN[:-2]), None]


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_moment_comes_back(moment: datetime) -> None:
    text = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert utc_each([text]) == [text]


@given(st.one_of(st.text(max_size=70), st.floats(), st.integers()))
def test_anything_is_a_time_or_none(written: Any) -> None:
    found = utc(written)
    if found is not None:
        datetime.fromisoformat(found)
        assert utc(found) == found


@pytest.mark.parametrize(
    ("local", "received", "expected"),
    [
        ("2020-08-07 10:32:22", "2020-08-07T14:32:25.358Z", "2020-08-07T14:32:22Z"),
        ("2020-08-07 20:02:22", "2020-08-07T14:32:25Z", "2020-08-07T14:32:22Z"),
        ("2020-08-07 10:32:22", "2020-08-09T14:32:25Z", "2020-08-07T10:32:22Z"),
        ("2020-08-07T10:32:22Z", "2020-08-07T14:32:25Z", "2020-08-07T10:32:22Z"),
        ("2020-08-07T10:32:22+02:00", "2020-08-07T14:32:25Z", "2020-08-07T08:32:22Z"),
        ("2020-08-07 10:32:22 UTC", "2020-08-07T14:32:25Z", "2020-08-07T10:32:22Z"),
        ("7/Aug/2020:10:32:22 +0200", "2020-08-07T14:32:25Z", "2020-08-07T08:32:22Z"),
        ("20200807T1032+02:00", "2020-08-07T14:32:25Z", "2020-08-07T08:32:00Z"),
        (1596796342, "2020-08-07T14:32:25Z", "2020-08-07T10:32:22Z"),
        ("2020-08-07 10:32:22", "2020-08-07T16:32:25+02:00", "2020-08-07T14:32:22Z"),
        ("9999-12-31 23:50:00", "9999-12-31T23:59:59Z", "9999-12-31T23:50:00Z"),
        ("2020-08-07 10:32:22", None, "2020-08-07T10:32:22Z"),
        (None, "2020-08-07T14:32:25Z", "2020-08-07T14:32:25Z"),
        ({"a": 1}, ["b"], None),
    ],
    ids=["four hours", "India", "came days later", "in UTC already", "with its zone", "UTC in words", "a web server's",
         "19 characters with a zone", "seconds since 1970", "the arrival with a zone", "past the end",
         "no arrival", "no local time", "neither is a time"],
)  # fmt: skip
def test_shift_to(local: Any, received: Any, expected: str | None) -> None:
    assert shift_to(local, received) == expected
