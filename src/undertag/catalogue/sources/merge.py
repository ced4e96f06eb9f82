"""From what the files say to one entry: inheritance, and what derived tables add to curated entries.

Contract: pure. The order of trust is an entry's own facts, then its table row, then its file's defaults, then the defaults of the
table. Values stay as written; texts in cells become lists where their column is a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from undertag.catalogue.sources.record import UNKNOWN, Fact, Origin, SourceEntry

_LISTS: Final = {"fields": ",", "required": ",", "audit": "; ", "recommended_by": ","}
_RENAMED: Final = {"event_id": "event", "required": "parameters"}
_MERGED: Final = frozenset({"title", "default", "source", "sigma_service", "first_build", "last_build"})
"""Cells that become part of an attribute under another form."""
_OWN_ONLY: Final = frozenset({"title", "prefix", "sources"})


class Group:
    """What the entries of one file share.

    Args:
        name: the file.
        defaults: facts of every entry unless it says otherwise.
        documents: the sources: id → {kind, title}.
        header: a derived table's columns after `key`; empty for a curated file.
        sets: a derived table's shared cells.
        audits: `category / subcategory` → id of the prerequisite.
    """

    __slots__ = ("_sets", "audits", "defaults", "documents", "header", "inherited", "name", "sets", "sources")

    def __init__(
        self,
        name: str,
        defaults: Mapping[str, Any],
        documents: Mapping[str, Mapping[str, str]],
        header: Sequence[str] = (),
        sets: Sequence[Mapping[str, str]] = (),
        audits: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.defaults = defaults
        self.documents = documents
        self.header = header
        self.sets = sets
        self.audits = audits or {}
        self.sources: tuple[str, ...] = tuple(defaults.get("sources") or ())
        self.inherited = _facts(defaults, "inherited", self.sources)
        self._sets: dict[str, dict[str, Fact]] = {}

    def stored(self) -> list[Any]:
        """The arguments, as plain values."""
        return [
            self.name,
            self.defaults,
            self.documents,
            list(self.header),
            list(self.sets),
            dict(self.audits),
        ]

    def row(self, cells: Sequence[str]) -> tuple[str, dict[str, Fact]]:
        """A row's title and facts, without what it inherits."""
        own = {name: cell for name, cell in zip(self.header, cells, strict=True) if cell}
        number = own.pop("set", None)
        shared = self.sets[int(number)] if number is not None else {}
        sources = (
            tuple((own.get("source") or shared.get("source") or "").split("; ")) if shared or own else ()
        )
        sources = tuple(filter(None, sources)) or self.sources
        facts = {}
        if number is not None:
            have = self._sets.get(number)
            if have is None:
                have = self._sets[number] = self._of_cells(shared, sources)
            facts.update(have)
        facts.update(self._of_cells(own, sources))
        return own["title"], facts

    def _of_cells(self, cells: Mapping[str, str], sources: tuple[str, ...]) -> dict[str, Fact]:
        values: dict[str, Any] = {}
        for column, cell in cells.items():
            if column not in _MERGED:
                by = _LISTS.get(column)
                values[_RENAMED.get(column, column)] = cell.split(by) if by else cell
        if "default" in cells:
            values["default"] = self._default(cells["default"], sources)
        if "sigma_service" in cells:
            product = self.defaults.get("platform")
            product = "azure" if product == "entra" else product
            values["sigma"] = [{"product": product, "service": cells["sigma_service"]}]
        if "first_build" in cells:
            values["versions"] = f"Windows builds {cells['first_build']} to {cells.get('last_build', '?')}"
        needs = [self.audits[name] for name in values.get("audit", ()) if name in self.audits]
        if needs:
            values["needs"] = needs if len(needs) == 1 else [{"any": needs}]
        return {
            name: Fact(value=value, origin="table", sources=_sources_of(value, sources))
            for name, value in values.items()
        }

    def _default(self, state: str, sources: Sequence[str]) -> list[dict[str, str]]:
        """The default of a row: those of the table's that have its state, else the bare state."""
        items = self.defaults.get("default")
        fitting = [item for item in items if item["state"] == state] if isinstance(items, list) else []
        bare = {"state": state, "where": "as the table says", "basis": "claimed", "source": sources[0]}
        return fitting or [bare]


def make_entry(
    key: str,
    curated: tuple[Group, Mapping[str, Any]] | None,
    row: tuple[Group, Sequence[str]] | None,
) -> SourceEntry:
    """One entry from its curated form, its row, or both."""
    facts: dict[str, Fact] = {}
    documents: Mapping[str, Mapping[str, str]] = {}
    title = ""
    if row is not None:
        table, cells = row
        title, of_row = table.row(cells)
        facts = {**table.inherited, **of_row}
        documents = table.documents
    if curated is not None:
        file, own = curated
        title = own["title"]
        for name, fact in file.inherited.items():
            have = facts.get(name)
            if have is None or have.origin != "table" or not have.known:
                facts[name] = fact
        for name, fact in _facts(own, "own", own.get("sources") or file.sources).items():
            have = facts.get(name)
            if fact.known or have is None or not have.known or have.origin == "inherited":
                facts[name] = fact
        documents = {**documents, **file.documents}
    if "event" not in facts:
        facts["event"] = Fact(value=key.rpartition("/")[2], origin="own")
    return SourceEntry(
        key=key,
        tier="curated" if curated is not None else "derived",
        title=title,
        file=curated[0].name if curated else row[0].name if row else "",
        table=row[0].name if curated and row else "",
        facts=facts,
        documents=documents,
    )


def _facts(values: Mapping[str, Any], origin: Origin, sources: Sequence[str]) -> dict[str, Fact]:
    return {
        name: Fact(value=value, origin=origin, sources=_sources_of(value, sources))
        for name, value in values.items()
        if name not in _OWN_ONLY and value is not None
    }


def _sources_of(value: Any, sources: Sequence[str]) -> tuple[str, ...]:
    """The sources that a value names itself, else those of the whole; none vouches for what isn't known."""
    if value == UNKNOWN:
        return ()
    items = value if isinstance(value, list) else [value]
    named = [item["source"] for item in items if isinstance(item, Mapping) and item.get("source")]
    return tuple(dict.fromkeys(named or sources))
