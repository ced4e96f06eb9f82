"""Arrow rows as events.

Contract: every column type gives something that JSON can say, and no value costs the table. Text, numbers, booleans,
lists and structs are what they are; a map is a list of pairs; dictionaries, runs and unions are the values in them.
Times are ISO 8601 text (nanoseconds are cut to microseconds); a duration is a number of seconds; a decimal is its
digits as text; bytes are text where they are UTF-8, else hex digits; a month-day-nano interval is a list of the three.
What Python can't hold (a year beyond 9999, an unknown time zone) is the text that Arrow has for it.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import orjson
import pyarrow as pa

_UNHELD: Final = (ValueError, OverflowError)  # Arrow's own errors for values are ValueErrors
_UNITS: Final = {"s": 1, "ms": 1_000}  # of durations that are too long for Python


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as events that JSON has words for; what is null is left out."""
    rows: list[dict[str, Any]] = [{} for _ in range(len(table))]
    for name, column in zip(table.column_names, table.columns, strict=True):
        for row, value in zip(rows, _values(column), strict=True):
            if value is not None:
                row[name] = value
    return rows


def row_json(row: dict[str, Any]) -> bytes:
    """A row as JSON.

    Raises:
        TypeError: a value of a type that nothing is known of.
    """
    return orjson.dumps(row, default=_said, option=orjson.OPT_NON_STR_KEYS)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column; one by one where Arrow can't give them all at once."""
    kind = _in_microseconds(column.type)
    if not (pa.types.is_nested(kind) or pa.types.is_dictionary(kind)):
        try:
            column = column if kind == column.type else column.cast(kind, safe=False)
            return list(column.to_pylist())
        except _UNHELD:
            pass
    return [_value(one) for one in column]


def _value(one: pa.Scalar) -> Any:
    """One value, with those in it."""
    if not one.is_valid:
        return None
    match one:
        case pa.MapScalar():
            return [[_value(pair["key"]), _value(pair["value"])] for pair in one.values]
        case pa.ListScalar():
            return [_value(inner) for inner in one.values]
        case pa.StructScalar():
            names = [field.name for field in one.type]
            return {name: _value(one[number]) for number, name in enumerate(names)}
        case pa.DictionaryScalar() | pa.RunEndEncodedScalar() | pa.UnionScalar():
            return _value(one.value)
    kind = _in_microseconds(one.type)
    try:
        return (one if kind == one.type else one.cast(kind, safe=False)).as_py()
    except _UNHELD:
        return _value(one.value) if isinstance(one, pa.ExtensionScalar) else _text(one)


def _text(one: pa.Scalar) -> Any:
    """A value that Python can't hold; text that is no UTF-8 stays bytes, a duration a number."""
    kind = one.type
    if isinstance(one, pa.BinaryScalar):
        return one.as_buffer().to_pybytes()
    if pa.types.is_duration(kind):
        return one.cast(pa.int64()).as_py() / _UNITS[kind.unit]
    try:
        return one.cast(pa.string()).as_py()
    except _UNHELD:  # a time zone that nobody knows: Arrow's times are UTC beneath
        return one.cast(pa.timestamp(kind.unit)).cast(pa.string()).as_py() + "Z"


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    """The type, with Python's resolution of time where it is a time of a finer one."""
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    return kind


def _said(value: Any) -> Any:
    match value:
        case bytes():
            try:
                return value.decode()
            except UnicodeDecodeError:
                return value.hex()
        case Decimal():
            return str(value)
        case timedelta():
            return value.total_seconds()
        case tuple():
            return list(value)
    raise TypeError(f"Type is not JSON serializable: {type(value).__name__}")
