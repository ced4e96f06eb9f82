"""CSV and its kin: a header line, then rows.

Contract: each row is a record under the header's names; a row's raw is its text, line breaks inside quotes
included. Missing columns are absent, surplus ones are listed under `_extra`. Quotes count only where a
field begins with one, as in RFC 4180; a row whose quotes aren't closed before the end or the bound ends with
its line, and is told. Everything runs in time linear in the input.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from undertag.model.source import Records, Unit
from undertag.read import faults
from undertag.read.formats.text import is_utf8
from undertag.read.limits import MAX_RECORD_BYTES
from undertag.read.source import Source, unit_data

DELIMITERS: Final = ",;\t|"
_COLUMN: Final = re.compile(r"[^\W\d][\w .@/#()%:$&*\\-]{0,79}|@[\w.]{1,79}|#\w{0,79}")
_MAX_HEADER: Final = 64 << 10
EXTRA: Final = "_extra"


def csv_delimiter(head: bytes) -> str | None:
    """The delimiter of a table with a header, None if the text is no such table."""
    first, _, rest = head[_header_at(head) :].partition(b"\n")
    if not rest.strip() or len(first) > _MAX_HEADER or not is_utf8(first):
        return None
    for delimiter in sorted(DELIMITERS, key=lambda one: -first.count(one.encode())):
        names = _row(first.rstrip(b"\r"), delimiter)
        if (
            names is None
            or len(names) < 2
            or not all(map(_COLUMN.fullmatch, names))
            or len(set(names)) < len(names) - 1
        ):
            continue
        if _fit(rest, len(names), delimiter) or _fit(_after_open_row(rest, delimiter), len(names), delimiter):
            return delimiter
    return None


def _fit(rest: bytes, columns: int, delimiter: str) -> bool:
    """Whether rows have as many columns as the header."""
    rows = [_row(row, delimiter) for row in _sample(rest, delimiter)]
    widths = [len(row) for row in rows if row]
    if widths and all(width == columns for width in widths[:2]):
        return True
    # The Windows event viewer gives the message's column no name.
    return columns > 3 and bool(widths) and all(width in (columns, columns + 1) for width in widths)


def _after_open_row(rest: bytes, delimiter: str) -> bytes:
    """What follows the first line, if that opens quotes that nothing closes; else nothing."""
    row = next(_rows(rest, 0, delimiter), None)
    return b"" if row is None or row[2] else rest.partition(b"\n")[2]


def _header_at(head: bytes) -> int:
    """Where the header line begins: after blank lines and PowerShell's line that names a type."""
    at = len(head) - len(head.lstrip(b" \t\r\n"))
    if head.startswith(b"#TYPE ", at):
        at = head.find(b"\n", at) + 1 or len(head)
    return at


def _sample(rest: bytes, delimiter: str) -> list[bytes]:
    """The first rows, without the last one unless it is the only one: it may be cut."""
    rows = []
    for at, row, is_closed in _rows(rest, 0, delimiter):
        if not is_closed:
            rows.append(rest[at:])
            break
        if row.strip():
            rows.append(row)
        if len(rows) > 8:
            break
    return rows[:-1] if len(rows) > 1 else rows


class Delimited:
    """Reader of `csv`."""

    what = "CSV with a header line; comma, semicolon, tab or bar"

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        """See `registry.Format`."""
        head = source.head()
        delimiter = csv_delimiter(head) or ","
        at = _header_at(head)
        end = head.find(b"\n", at) + 1 or len(head)
        source.stream.read(end)
        header = delimiter.encode() + head[at:end].rstrip(b"\r\n")
        for start, data in _runs(source, source.start + end, delimiter, unit_bytes):
            yield source.inline("csv", data, start, header=header)

    def records(self, unit: Unit) -> Records:
        """See `registry.Format`."""
        result = Records(raws=[], docs=[])
        delimiter = unit.header[:1].decode()
        names = _names(unit.header[1:], delimiter)
        for offset, raw, is_closed in _rows(unit_data(unit), unit.offset, delimiter):
            if not raw.strip():
                continue
            if len(raw) > MAX_RECORD_BYTES:
                result.problems.append(faults.too_long(unit.source, offset, len(raw), MAX_RECORD_BYTES))
                continue
            if not is_closed:
                result.problems.append(faults.open_quotes(unit.source, offset, raw))
            values = _row(raw, delimiter)
            if values is None:
                result.problems.append(faults.bad_record(unit.source, "not a row of CSV", raw, offset=offset))
                continue
            _keep(unit, result, names, raw, values, offset)
        return result

    def locate(self, unit: Unit, index: int) -> int:
        """See `registry.Format`."""
        offsets = self.records(unit).offsets
        return offsets[index] if index < len(offsets) else -1


def _keep(unit: Unit, result: Records, names: list[str], raw: bytes, values: list[str], offset: int) -> None:
    assert result.docs is not None
    number = len(result.raws)
    doc: dict[str, Any] = dict(zip(names, values, strict=False))
    if len(values) != len(names):
        result.problems.append(faults.uneven_row(unit.source, number, offset, len(values), len(names)))
        if len(values) > len(names):
            doc[EXTRA] = values[len(names) :]
    if not raw.isascii() and not is_utf8(raw):
        message = "invalid UTF-8, replaced by U+FFFD"
        result.problems.append(faults.mended_text(unit.source, message, record=number, offset=offset))
    result.raws.append(raw)
    result.docs.append(doc)
    result.offsets.append(offset)


def _names(header: bytes, delimiter: str) -> list[str]:
    """The columns' names, repeated ones numbered."""
    counts: dict[str, int] = {}
    names = []
    for name in _row(header, delimiter) or []:
        name = name.strip()
        count = counts[name] = counts.get(name, 0) + 1
        names.append(name if count == 1 else f"{name}_{count}")
    return names


def _row(raw: bytes, delimiter: str) -> list[str] | None:
    """A row's values, None if the reader can't make sense of it."""
    text = raw.decode("utf-8", "replace")
    if '"' not in text:
        return text.split(delimiter)
    csv.field_size_limit(MAX_RECORD_BYTES)
    try:
        return next(csv.reader((text,), delimiter=delimiter), [])
    except csv.Error:
        return None


@cache
def _patterns(delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """One for a line from its beginning, one for a line that begins inside quotes: each matches up to the
    line's end, or to where quotes begin that the line doesn't close."""
    mark = re.escape(delimiter).encode()
    field = rb'(?:"(?:[^"]++|"")*+"[^' + mark + rb']*+|(?!")[^' + mark + rb"]*+)"
    more = rb"(?:" + mark + field + rb")*+"
    return re.compile(field + more), re.compile(rb'(?:[^"]++|"")*+"[^' + mark + rb"]*+" + more)


def _still_open(line: bytes, delimiter: str, is_open: bool) -> bool:
    """Whether quotes are open at the end of a line."""
    if b'"' not in line:
        return is_open
    found = _patterns(delimiter)[is_open].match(line)
    return found is None or found.end() < len(line)


def _rows(data: bytes, offset: int, delimiter: str) -> Iterator[tuple[int, bytes, bool]]:
    """The rows of whole data: (offset, bytes without the line's end, whether its quotes are closed).

    Where quotes stay open up to the end or the bound, no line on the way there closes any, so that each of them is a row
    alone: none is read three times.
    """
    start = at = alone = 0
    is_open = False
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        line = data[at:end].removesuffix(b"\r")
        at = end + 1
        is_open = _still_open(line, delimiter, is_open)
        if is_open and start >= alone:
            if at < len(data) and at - start <= MAX_RECORD_BYTES:
                continue
            alone = at
            first = data.find(b"\n", start, end)
            end = end if first < 0 else first
            at = end + 1
        yield offset + start, data[start:end].removesuffix(b"\r"), not is_open
        start, is_open = at, False


def _runs(source: Source, offset: int, delimiter: str, unit_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Runs of whole rows of a stream: (offset, bytes). Quotes that stay open for longer than the bound
    count as closed, as in `_rows`."""
    held = bytearray()
    scanned = row = 0  # held[:row] are whole rows, held[:scanned] whole lines
    is_open = False
    skipping = 0
    for block in source.stream.blocks():
        held += block
        while (end := held.find(b"\n", scanned)) >= 0:
            line = bytes(held[scanned:end]).removesuffix(b"\r")
            scanned = end + 1
            if skipping:
                source.tell(faults.too_long(source.name, offset, skipping + scanned, MAX_RECORD_BYTES))
                offset += skipping + scanned
                del held[:scanned]
                scanned = row = skipping = 0
                is_open = False
                continue
            is_open = _still_open(line, delimiter, is_open) and scanned - row <= MAX_RECORD_BYTES
            if not is_open:
                row = scanned
            if row >= unit_bytes:
                yield offset, bytes(held[:row])
                offset += row
                del held[:row]
                scanned, row = scanned - row, 0
        if len(held) - scanned > MAX_RECORD_BYTES or skipping:
            if row:
                yield offset, bytes(held[:row])
                offset += row
                del held[:row]
            skipping += len(held)
            held.clear()
            scanned = row = 0
    if skipping:
        source.tell(faults.too_long(source.name, offset, skipping + len(held), MAX_RECORD_BYTES))
    elif held:
        yield offset, bytes(held)
