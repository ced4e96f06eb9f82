"""Values as text, numbers and dates."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undertag.match.scalars import all_scalars, date_part, field_values, parse_number, text_of

TEXTS = [
    ("x", "x"),
    ("", ""),
    (True, "true"),
    (False, "false"),
    (0, "0"),
    (-7, "-7"),
    (10**30, "1" + "0" * 30),
    (1.0, "1"),
    (-0.0, "-0"),
    (0.1, "0.1"),
    (1e22, "1e+22"),
    (1.5e-7, "1.5e-07"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_text_of(value: object, text: str) -> None:
    assert text_of(value) == text


NUMBERS: list[tuple[str, int | float | None]] = [
    ("0", 0),
    ("-12", -12),
    ("+5", 5),
    ("007", 7),
    ("1.50", 1.5),
    ("1.", 1.0),
    (".5", 0.5),
    ("1e3", 1000.0),
    ("-1.5E-2", -0.015),
    ("0x1F", 31),
    ("0XfF", 255),
    ("-0x10", -16),
    ("9007199254740993", 9007199254740993),
    *(
        (text, None)
        for text in (
            "",
            " 1",
            "1 ",
            "1_000",
            "1,5",
            "nan",
            "inf",
            "-Infinity",
            "0x",
            "0xg",
            "0o7",
            "1e",
            "e1",
        )
    ),
    *(
        (text, None)
        for text in (".", "+", "--1", "٣", "1e99999", "9" * 129, "true", "1.2.3", "0x1.8p3", "1\n")
    ),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_parse_number(text: str, number: int | float | None) -> None:
    parsed = parse_number(text)
    assert parsed == number
    assert type(parsed) is type(number)


DATES: list[tuple[str, str, int | None]] = [
    ("2024-12-30T23:05:09Z", "hour", 23),
    ("2024-12-30T23:05:09Z", "week", 1),
    ("2023-01-01", "week", 52),
    ("2024-12-30t23:05:09z", "minute", 5),
    ("2024-12-30 23:05:09.1234567", "minute", 5),
    ("2024-12-30T23:05:09-08:00", "hour", 23),
    ("2024-12-30T23:05", "day", 30),
    ("2024-02-29", "month", 2),
    ("2023-02-29", "month", None),
    ("2024-13-01", "month", None),
    ("20241230", "year", None),
    ("1735599909", "year", None),
    ("2024", "year", None),
    ("12/30/2024", "year", None),
    ("Mon Dec 30 23:05:09 2024", "year", None),
    ("2024-12-30 23:05:09 and more", "year", None),
    ("", "year", None),
    ("2024-12-30" + " " * 80, "year", None),
]


@pytest.mark.parametrize(("text", "part", "number"), DATES)
def test_date_part(text: str, part: str, number: int | None) -> None:
    assert date_part(text, part) == number


FIELDS: list[tuple[str, dict[str, Any], str | None, list[Any] | None]] = [
    ("absent", {}, "A", None),
    ("null", {"A": None}, "A", [None]),
    ("scalar", {"A": 0}, "A", [0]),
    ("array", {"A": [1, [2, None], {"x": 3}]}, "A", [1, 2, None]),
    ("object is there and has no scalar", {"A": {"x": 1}}, "A", []),
    ("path", {"A": {"b": {"c": 1}}}, "A.b.c", [1]),
    ("path through arrays", {"A": [{"b": 1}, {"c": 2}, {"b": [3, 4]}]}, "A.b", [1, 3, 4]),
    ("path that ends early", {"A": 1}, "A.b", None),
    ("path to null", {"A": {"b": None}}, "A.b", [None]),
    ("path into an empty array", {"A": []}, "A.b", None),
    ("exact key first", {"A.b": 1, "A": {"b": 2}}, "A.b", [1]),
    ("keyword", {"A": {"b": [1, {"c": "x"}]}, "d": None}, None, [1, "x", None]),
]


@pytest.mark.parametrize(("name", "event", "field", "values"), FIELDS, ids=[row[0] for row in FIELDS])
def test_field_values(name: str, event: dict[str, Any], field: str | None, values: list[Any] | None) -> None:
    assert field_values(event, field) == values


@given(st.text(max_size=200))
def test_any_text_is_read_or_not(text: str) -> None:
    number = parse_number(text)
    assert number is None or number == number
    assert date_part(text, "year") is None or text[:4].isdigit()


@given(st.dictionaries(st.text(), st.integers() | st.lists(st.text())))
def test_keyword_sees_every_value(event: dict[str, Any]) -> None:
    seen = list(all_scalars(event))
    expected = [item for value in event.values() for item in (value if isinstance(value, list) else [value])]
    assert seen == expected
