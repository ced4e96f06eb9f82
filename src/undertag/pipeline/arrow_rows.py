"""Arrow rows as events.

Contract: every column type gives something that JSON can say. Text, numbers, booleans, lists and structs are what they
are; times are ISO 8601 text (nanoseconds are cut to microseconds); a duration is a number of seconds; a decimal is its
digits as text; bytes are text where they are UTF-8, else hex digits; a month-day-nano interval is a list of the three.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """The rows as events that JSON has words for; what is null is left out."""
    for index, field in enumerate(table.schema):
        kind = _in_microseconds(field.type)
        if kind != field.type:
            table = table.set_column(index, field.name, table.column(index).cast(kind, safe=False))
    return [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]


def row_json(row: dict[str, Any]) -> bytes:
    """A row as JSON.

    Raises:
        TypeError: a value of a type that nothing is known of.
    """
    return orjson.dumps(row, default=_said, option=orjson.OPT_NON_STR_KEYS)


def _in_microseconds(kind: pa.DataType) -> pa.DataType:
    """The type with Python's resolution of time wherever it has a finer one."""
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if pa.types.is_duration(kind) and kind.unit == "ns":
        return pa.duration("us")
    if pa.types.is_list(kind):
        return pa.list_(_in_microseconds(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(_in_microseconds(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_in_microseconds(field.type)) for field in kind])
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
