"""A batch: events of one entry, as columns that are made when first asked for.

Contract: all lists have one item an event, in the source's order. `column(name)` gives raw values under Sigma's
field names, None where the field is absent or null. A name that starts with `~` is a
derived field of the entry. A batch never changes after it was made, apart from its memos.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Protocol

from undertag.model.entry import Derivation, Entry
from undertag.model.paths import values_at

MAX_ROWS = 65_536

_VOLUME = re.compile(
    r"(\\device\\harddiskvolume[0-9]{1,3})\\(?:windows|program files|program files \(x86\)|programdata|users)\\",
    re.IGNORECASE,
)
_HIVES = (
    ("\\registry\\machine\\", "HKLM\\"),
    ("\\registry\\user\\", "HKU\\"),
)


class Layout(Protocol):
    """How the records of one shape are taken apart."""

    name: str
    json: bool
    """Whether the records' bytes are JSON objects, so that output can be spliced into them."""

    def getter(self, name: str) -> Callable[[Any], Any] | None:
        """A function from a record's head to the value of the header field `name`; None if it is no header field."""

    def event(self, raw: bytes, head: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole event under Sigma's names, header included."""


class Fields(Protocol):
    """The fields of a batch's records, not decoded yet."""

    def whole(self) -> list[Mapping[str, Any]]:
        """Each record's fields by name."""

    def rows(self, names: tuple[str, ...]) -> list[Any]:
        """A row a record, with an attribute `f0`, `f1`, … for each of these fields; None where absent or null."""


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
        "_attributes",
        "_columns",
        "_events",
        "_fields",
        "_rows",
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
        self._columns: dict[str, list[Any]] = {}
        self._events: dict[int, Mapping[str, Any]] = {}
        self._rows: list[Any] = []
        self._attributes: Mapping[str, str] = {}

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
            self._attributes = _attributes(names)

    def column(self, name: str) -> list[Any]:
        """The values of field `name`, one an event; None where absent or null."""
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = self._make(name)
        return found

    def value(self, row: int, name: str) -> Any:
        """The value of field `name` of one event; None where absent or null."""
        found = self._columns.get(name)
        if found is not None:
            return found[row]
        attribute = self._attributes.get(name)
        if attribute is not None:
            return getattr(self._rows[row], attribute)
        if name.startswith("~"):
            how = self.entry.derivations[name]
            return derive(how, [self.value(row, part) for part in how.fields])
        value = self.fields[row].get(name)
        if value is None:
            get = self.layout.getter(name)
            if get is not None:
                return get(self.heads[row])
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

    def _make(self, name: str) -> list[Any]:
        attribute = self._attributes.get(name)
        if attribute is not None:
            return list(map(_getter(attribute), self._rows))
        if name.startswith("~"):
            how = self.entry.derivations[name]
            parts = [self.column(part) for part in how.fields]
            return [derive(how, values) for values in zip(*parts, strict=True)]
        get = self.layout.getter(name)
        if get is None:
            if "." in name:
                return [_at(fields, name) for fields in self.fields]
            return [fields.get(name) for fields in self.fields]
        column = []
        for fields, head in zip(self.fields, self.heads, strict=True):
            value = fields.get(name)
            column.append(get(head) if value is None else value)
        return column


@lru_cache(maxsize=4_096)
def _attributes(names: tuple[str, ...]) -> Mapping[str, str]:
    """The attributes of `Fields.rows` by field."""
    return {name: f"f{index}" for index, name in enumerate(names)}


@lru_cache(maxsize=1_024)
def _getter(attribute: str) -> Callable[[Any], Any]:
    return attrgetter(attribute)


def _at(fields: Mapping[str, Any], name: str) -> Any:
    """The value under a dotted name; an array where the path leads to several."""
    found = values_at(fields, name)
    return found if len(found) > 1 else found[0] if found else None


def derive(how: Derivation, parts: Sequence[Any]) -> str | None:
    """The value of a derived field from those of `how.fields`, None where what it is made from is absent."""
    first = parts[0]
    if first is None:
        return None
    if how.kind == "map":
        text = str(first)
        return how.values.get(text, text)
    if how.kind == "drive":
        return _drive_path(str(first))
    if how.kind == "join":
        return None if None in parts else how.by.join(map(str, parts))
    return _hive_path(str(first), parts[1] if len(parts) > 1 else None)


def _drive_path(path: str) -> str:
    """`\\device\\harddiskvolume2\\windows\\…` as `C:\\windows\\…`: kernel events number volumes, rules name drives.

    Which volume has which letter isn't in the event; folders that Windows makes on its own drive tell that one.
    """
    found = _VOLUME.match(path)
    return f"C:{path[found.end(1) :]}" if found is not None else path


def _hive_path(key: str, value_name: Any) -> str:
    for kernel, hive in _HIVES:
        if key[: len(kernel)].lower() == kernel:
            key = hive + key[len(kernel) :]
            break
    return f"{key}\\{value_name}" if value_name else key
