"""A batch: events of one entry, as columns that are made when first asked for.

Contract: all lists have one item an event, in the source's order. `column(name)` gives raw values under Sigma's
field names, None where the field is absent or null. A name that starts with `~` is a
derived field of the entry. A batch never changes after it was made, apart from its memos.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from undertag.model.derived import derive
from undertag.model.entry import Entry
from undertag.model.paths import values_at

MAX_ROWS = 65_536


class Layout(Hashable, Protocol):
    """How the records of one shape are taken apart."""

    name: str
    json: bool
    """Whether the records' bytes are JSON objects, so that output can be spliced into them."""
    mended: bool
    """Whether that holds only of the text that `model.source.mended` makes of them: they hold invalid UTF-8."""

    def getter(self, name: str) -> Callable[[bytes, Any], Any] | None:
        """A function from a record's bytes and head to the value of the header field `name`; None if it is no header field."""

    def event(self, raw: bytes, head: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole event under Sigma's names, header included."""


class Fields(Protocol):
    """The fields of a batch's records, not decoded yet."""

    def whole(self) -> list[Mapping[str, Any]]:
        """Each record's fields by name."""

    def rows(self, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """Each record's values of these fields in their order, None where absent or null, and one None behind them."""

    def pick(self, rows: Sequence[int]) -> Fields:
        """The fields of some of the records."""


class Batch:
    """Up to 64 Ki events of one entry.

    Attributes:
        entry: what the events are.
        rows: each event's number within its unit.
        raws: each record's bytes.
        heads: each record's header in the layout's own form.
        times: RFC 3339 UTC texts; None where the record has no usable time.
        systems: the host or account that the event speaks of; "" where unknown.
        uids: 16 bytes each.
        loud: the rows whose bytes hold something that a look at the whole unit was made for (see match.indexed.gate);
            None where no look was taken.
    """

    __slots__ = (
        "_columns",
        "_events",
        "_fields",
        "_places",
        "_rows",
        "_turned",
        "entry",
        "heads",
        "layout",
        "loud",
        "raws",
        "rows",
        "systems",
        "times",
        "uids",
    )

    def __init__(
        self,
        *,
        entry: Entry,
        layout: Layout,
        rows: list[int],
        raws: list[bytes],
        heads: list[Any],
        fields: list[Mapping[str, Any]] | Fields,
        times: list[str | None],
        systems: list[str],
        uids: list[bytes],
    ) -> None:
        self.entry = entry
        self.layout = layout
        self.rows = rows
        self.raws = raws
        self.heads = heads
        self._fields = fields
        self.times = times
        self.systems = systems
        self.uids = uids
        self.loud: list[int] | None = None
        self._columns: dict[str, Sequence[Any]] = {}
        self._events: dict[int, Mapping[str, Any]] = {}
        self._rows: list[tuple[Any, ...]] = []
        self._places: Mapping[str, int] = {}
        """Where the fields are in `_rows`."""
        self._turned: list[tuple[Any, ...]] = []
        """`_rows` as columns."""

    def __len__(self) -> int:
        return len(self.raws)

    @property
    def fields(self) -> list[Mapping[str, Any]]:
        """Each record's fields by name, decoded when first asked for."""
        fields = self._fields
        if not isinstance(fields, list):
            self._fields = fields = fields.whole()
        return fields

    def prepare(self, names: tuple[str, ...]) -> None:
        """Decodes the plain fields that will be asked for, and no others."""
        fields = self._fields
        if not isinstance(fields, list) and names:
            self._rows = fields.rows(names)
            self._places = _places(names)

    def column(self, name: str) -> Sequence[Any]:
        """The values of field `name`, one an event; None where absent or null."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._make(name)
        return found

    def keys(self, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """The values of these fields of each event together, and perhaps one None behind them."""
        if not names:
            return [()] * len(self)
        if self._rows and self._places is _places(names) and not _has_header(self.layout, names):
            return self._rows
        return list(zip(*map(self.column, names), strict=True))

    def pick(self, rows: Sequence[int]) -> Batch:
        """Some of the events as a batch of their own; `loud` are those of them that are loud here."""
        fields = self._fields
        part = Batch(
            entry=self.entry,
            layout=self.layout,
            rows=[self.rows[row] for row in rows],
            raws=[self.raws[row] for row in rows],
            heads=[self.heads[row] for row in rows],
            fields=[fields[row] for row in rows] if isinstance(fields, list) else fields.pick(rows),
            times=[self.times[row] for row in rows],
            systems=[self.systems[row] for row in rows],
            uids=[self.uids[row] for row in rows],
        )
        if self.loud is not None:
            loud = set(self.loud)
            part.loud = [at for at, row in enumerate(rows) if row in loud] if loud else []
        if self._rows:
            part._rows = [self._rows[row] for row in rows]
            part._places = self._places
        part._columns = {name: [column[row] for row in rows] for name, column in self._columns.items()}
        return part

    def value(self, row: int, name: str) -> Any:
        """The value of field `name` of one event; None where absent or null."""
        found = self._columns.get(name)
        if found is not None:
            return found[row]
        place = self._places.get(name)
        if place is not None:
            value, get = self._rows[row][place], self.layout.getter(name)
            return value if value is not None or get is None else get(self.raws[row], self.heads[row])
        if name.startswith("~"):
            how = self.entry.derivations[name]
            return derive(how, [self.value(row, part) for part in how.fields])
        value = self.fields[row].get(name)
        if value is None:
            get = self.layout.getter(name)
            if get is not None:
                return get(self.raws[row], self.heads[row])
            if "." in name:
                return _at(self.fields[row], name)
        return value

    def event(self, row: int) -> Mapping[str, Any]:
        """The whole event under Sigma's names."""
        found = self._events.get(row)
        if found is None:
            found = self.layout.event(self.raws[row], self.heads[row], self.fields[row])
            if len(self._events) > 256:
                self._events.clear()
            self._events[row] = found
        return found

    def _make(self, name: str) -> Sequence[Any]:
        place, get = self._places.get(name), self.layout.getter(name)
        if place is not None:
            if not self._turned:
                self._turned = list(zip(*self._rows, strict=True))
            values = self._turned[place]
            if get is None or None not in values:
                return values
            return self._with_header(values, get)
        if name.startswith("~"):
            how = self.entry.derivations[name]
            parts = [self.column(part) for part in how.fields]
            return [derive(how, values) for values in zip(*parts, strict=True)]
        if get is None:
            if "." in name:
                return [_at(fields, name) for fields in self.fields]
            return [fields.get(name) for fields in self.fields]
        return self._with_header([fields.get(name) for fields in self.fields], get)

    def _with_header(self, values: Sequence[Any], get: Callable[[bytes, Any], Any]) -> list[Any]:
        """The values, those of the header where there are none."""
        return [
            get(raw, head) if value is None else value
            for value, raw, head in zip(values, self.raws, self.heads, strict=True)
        ]


@lru_cache(maxsize=4_096)
def _places(names: tuple[str, ...]) -> Mapping[str, int]:
    """Where each field is in `Fields.rows`."""
    return {name: place for place, name in enumerate(names)}


@lru_cache(maxsize=4_096)
def _has_header(layout: Layout, names: tuple[str, ...]) -> bool:
    """Whether some of the names may stand for a header's field."""
    return any(layout.getter(name) is not None for name in names)


def _at(fields: Mapping[str, Any], name: str) -> Any:
    """The value under a dotted name; an array where the path leads to several."""
    found = values_at(fields, name)
    return found if len(found) > 1 else found[0] if found else None
