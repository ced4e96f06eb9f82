"""Events that are no Windows events: which entry they belong to, by the catalogue's rules of recognition.

Contract: `OtherRouter.place(doc, format_name)` answers for every decoded record. An event that no rule knows gets an uncatalogued
entry named after its form.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from undertag.catalogue.sources.keys import key_part
from undertag.catalogue.windows import slug
from undertag.model.entry import Entry, derivations_of

if TYPE_CHECKING:
    from undertag.catalogue.sources.lookup import Catalogue

_MAX_ENTRIES: Final = 65_536
_MAX_TYPE: Final = 64
_HEADER: Final = frozenset({"program", "message", "host", "pid", "time"})
"""A line with fields that syslog's header doesn't have holds a record of its own."""
AUDIT_TYPE: Final = "type"
"""The field of auditd's lines that names a record's type."""


class Placed(NamedTuple):
    """Where a record belongs, and what its rule knows of it: its time as written, its system ("" if unknown)."""

    entry: Entry
    time: Any = None
    system: str = ""
    fields: Mapping[str, str] = {}
    """Fields that the rule's expression found in a line."""


class OtherRouter:
    """Finds entries of other platforms' events; entries are made once and remembered."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._entries: dict[str, Entry] = {}

    def place(self, doc: Any, format_name: str, line: str = "") -> Placed:
        """The entry of a decoded record, and what else its rule says; `line`: the text that its fields were taken from."""
        if isinstance(doc, Mapping):
            if format_name == "text":
                return self._line(doc, line)
            found = self._catalogue.routes.recognisers["json"].find(doc)
            if found is not None:
                return Placed(self._first(found[0].keys), found[0].time, found[0].system)
        return Placed(self.of_key(f"unknown/{slug(format_name)}/record"))

    def entry(self, doc: Any, format_name: str) -> Entry:
        """The entry of a decoded record."""
        return self.place(doc, format_name).entry

    def _line(self, doc: Mapping[str, Any], line: str) -> Placed:
        kind = doc.get(AUDIT_TYPE)
        if isinstance(kind, str) and "audit_id" in doc:
            key = f"linux/auditd/{key_part(kind[:_MAX_TYPE])}"  # a line's JSON may call anything a type
            return Placed(self._first((key,)), system=str(doc.get("node", "")))
        found = self._catalogue.routes.recognisers["json"].find(doc) if not _HEADER.issuperset(doc) else None
        if found is None:
            found = self._catalogue.routes.recognisers["text"].find(doc, line)
        if found is None:
            return Placed(self.of_key("unknown/text/record"))
        recognised, fields = found
        return Placed(self._first(recognised.keys), recognised.time, recognised.system, fields)

    def _first(self, keys: tuple[str, ...]) -> Entry:
        """The first key that the catalogue has, spelt as it spells it, else the last as a proposal."""
        for key in keys:
            spelt = self._catalogue.spelt(key)
            if spelt is not None:
                return self.of_key(spelt)
        return self.of_key(keys[-1])

    def of_key(self, key: str) -> Entry:
        """The entry of a key, catalogued or not."""
        found = self._entries.get(key)
        if found is None:
            if len(self._entries) >= _MAX_ENTRIES:
                self._entries.clear()
            services = self._catalogue.routes.services(key)
            found = self._entries[key] = Entry(
                key=key,
                services=services,
                derivations=derivations_of(services),
                catalogued=key in self._catalogue,
            )
        return found


@cache
def other_router() -> OtherRouter:
    """The router of everything that is no Windows event."""
    from undertag.catalogue.sources.lookup import load_catalogue  # it is made of the modules beside

    return OtherRouter(load_catalogue())
