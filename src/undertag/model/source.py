"""What reading hands on: units of work, and the raw records in them; how bad UTF-8 in them is mended. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from undertag.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A run of whole records of one source that one worker can read on its own; small and picklable.

    Either `path` with the byte range [`start`, `end`) of a plain file, or `data` (the bytes themselves, where
    the source is compressed, archived or a pipe). A unit never cuts a record. Units of a source come in its
    order, and cutting a source elsewhere gives the same records in the same order.
    """

    source: str
    """Display name: the path, `path!member` in an archive, `<stdin>`."""
    source_no: int
    """Number of the source in the run, from 0; units of one source are consecutive."""
    format: str
    """Name in `read.registry.FORMATS`."""
    path: str | None = None
    start: int = 0
    end: int = 0
    data: bytes | None = None
    offset: int = 0
    """Where the unit's first byte lies in the (uncompressed) source; for places in problems."""
    header: bytes = b""
    """What each unit of the source needs to be read alone (EVTX file header, CSV header line)."""

    @property
    def size(self) -> int:
        """Bytes in the unit."""
        return len(self.data) if self.data is not None else self.end - self.start


@dataclass(slots=True, kw_only=True)
class Records:
    """The records of one unit, in order.

    `raws[i]` is the record's bytes, untouched (EVTX: the JSON text that the parser renders). `docs` is None
    where the raws are JSON texts still to be decoded; else `docs[i]` is the parsed record (a dict).
    `offsets[i]` is the record's place in the source in bytes, -1 where unknown; may be empty. `data` is all raws with one
    byte between each two, perhaps one more behind the last, where they were read so; else empty.
    """

    raws: list[bytes]
    docs: list[Any] | None = None
    offsets: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    data: bytes = b""


def mended(raw: bytes) -> bytes:
    """A record's bytes as UTF-8: what is none is replaced by U+FFFD."""
    return raw.decode("utf-8", "replace").encode()
