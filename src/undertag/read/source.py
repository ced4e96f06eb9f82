"""One thing to read: a plain file, a member of an archive, a pipe.

Contract: a source is read once, in the parent process, to cut it into units; it is valid until the next one
is asked for. Only a plain file that needs no unpacking and no transcoding has a `path`, so that workers can
read it themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

from undertag.model.source import Unit
from undertag.read.limits import HEAD_BYTES
from undertag.read.streams import Stream, Tell


@dataclass(slots=True, kw_only=True)
class Source:
    """Where records come from.

    Attributes:
        name: for people: the path, `path!member` in an archive, `<stdin>`.
        number: its number in the run, from 0.
        stream: its bytes, of text without a byte order mark and in UTF-8.
        tell: takes a problem.
        path: the plain file, None where bytes have to be passed on inline.
        start: where the content of a plain file begins (after a byte order mark).
        end: where it ends, as of when it was opened.
    """

    name: str
    number: int
    stream: Stream
    tell: Tell
    path: str | None = None
    start: int = 0
    end: int = 0

    def head(self, size: int = HEAD_BYTES) -> bytes:
        """Its first bytes, as many as are looked at to tell a format."""
        return self.stream.peek(size)

    def range(self, format_name: str, start: int, end: int, *, header: bytes = b"") -> Unit:
        """A unit of a plain file."""
        return Unit(
            source=self.name,
            source_no=self.number,
            format=format_name,
            path=self.path,
            start=start,
            end=end,
            offset=start,
            header=header,
        )

    def inline(self, format_name: str, data: bytes, offset: int, *, header: bytes = b"") -> Unit:
        """A unit that carries its bytes."""
        return Unit(
            source=self.name,
            source_no=self.number,
            format=format_name,
            data=data,
            offset=offset,
            header=header,
        )


def unit_data(unit: Unit) -> bytes:
    """The bytes of a unit.

    Raises:
        OSError: its file can't be read any more.
    """
    if unit.data is not None:
        return unit.data
    assert unit.path is not None
    with open(unit.path, "rb", buffering=0) as file:  # noqa: PTH123 (as fast as it gets: once a unit)
        file.seek(unit.start)
        want = unit.end - unit.start
        parts = []
        while want and (part := file.read(want)):
            parts.append(part)
            want -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
