"""The catalogue: look-ups by key, by what an event says of itself, by text, by prefix, by selector.

Contract: opening reads the keys; everything else is read when first asked for and remembered. Answers never differ by the
order of questions. Keys are unique; a key without its provider (`windows/system/7045`) stands for all entries of that
channel and event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

from undertag.catalogue.sources.artefact import CHUNK, Artefact
from undertag.catalogue.sources.keys import key_part
from undertag.catalogue.sources.merge import Group, make_entry
from undertag.catalogue.sources.needs import need_ids
from undertag.catalogue.sources.record import SourceEntry, Tier
from undertag.catalogue.sources.routes import Routes
from undertag.catalogue.sources.selectors import Selection, Selector
from undertag.catalogue.windows import SHARED_CHANNELS, slug
from undertag.model.problem import CatalogueError, Problem

PATH: Final = Path(__file__).parent.parent / "data" / "catalogue.bin"
_REMEMBERED: Final = 65_536
_SHARED: Final = tuple(f"windows/{name}/" for name in sorted(SHARED_CHANNELS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One step down from a prefix: a key, or a prefix of several, with how many entries lie there."""

    path: str
    entries: int
    curated: int
    leaf: bool


class Catalogue:
    """All entries of one compiled catalogue."""

    def __init__(self, artefact: Artefact) -> None:
        self.artefact = artefact
        self.keys: list[str] = artefact.text("keys").decode().split("\n")
        self._numbers = {key: number for number, key in enumerate(self.keys)}
        self._entries: dict[str, SourceEntry] = {}
        self._windows: dict[tuple[str, str, int], tuple[str, ...]] = {}
        self._chunks: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, key: object) -> bool:
        return key in self._numbers

    def entry(self, key: str) -> SourceEntry:
        """The entry of a key.

        Raises:
            CatalogueError: UT314, there is none.
        """
        found = self._entries.get(key)
        if found is None:
            number = self.number(key)
            if len(self._entries) >= _REMEMBERED:
                self._entries.clear()
            found = self._entries[key] = self._make(key, number)
        return found

    def get(self, key: str) -> SourceEntry | None:
        """The entry of a key; None if there is none."""
        return self.entry(key) if key in self._numbers else None

    def number(self, key: str) -> int:
        """An entry's place among the sorted keys.

        Raises:
            CatalogueError: UT314, there is no such entry.
        """
        number = self._numbers.get(key)
        if number is None:
            raise self._no_entry(key)
        return number

    def tier(self, key: str) -> Tier:
        """Whether an entry is written by hand or derived."""
        return "curated" if self._numbers[key] in self._curated else "derived"

    def title(self, key: str) -> str:
        """An entry's title, without reading the entry."""
        return self._titles[self._numbers[key]]

    def windows(self, channel: str, provider: str, event_id: int) -> tuple[str, ...]:
        """Keys of the entries of a Windows event; without a provider, of all that share channel and event ID."""
        place = (channel, provider, event_id)
        found = self._windows.get(place)
        if found is None:
            if len(self._windows) >= _REMEMBERED:
                self._windows.clear()
            found = self._windows[place] = self._find_windows(channel, provider, event_id)
        return found

    def find(self, *parts: str) -> tuple[str, ...]:
        """Keys by their parts as an event spells them: `find("aws", "cloudtrail", "iam.amazonaws.com", "CreateUser")`.

        Case doesn't count where the exact spelling finds nothing.
        """
        if parts[:2] == ("aws", "cloudtrail") and len(parts) == 4:
            parts = (*parts[:2], parts[2].removesuffix(".amazonaws.com"), parts[3])
        key = "/".join(key_part(part) for part in parts)
        if key in self._numbers:
            return (key,)
        folded = self._folded.get(key.lower())
        return (folded,) if folded else ()

    def matching(self, pattern: str) -> list[str]:
        """Keys that a pattern matches: a key, a pattern with wildcards, a prefix, or a key without its provider."""
        found = self.select([pattern])
        if found or "*" in pattern:
            return found
        prefix = pattern.rstrip("/") + "/"
        found = self.select([prefix + "**"])
        if found:
            return found
        channel, _, event = pattern.rpartition("/")
        if channel + "/" in _SHARED:
            return self.select([f"{channel}/*/{event}"])
        folded = self._folded.get(pattern.lower())
        return [folded] if folded else []

    def select(self, selectors: Iterable[Selector], without: Iterable[Selector] = ()) -> list[str]:
        """Keys that any of the selectors selects; see selectors.py."""
        return self.selection.keys(self.selection.all(selectors, without))

    def children(self, prefix: str = "") -> list[Branch]:
        """What lies one step below a prefix, in order."""
        start = prefix.rstrip("/") + "/" if prefix.strip("/") else ""
        first, end = self.selection.span(start)
        found: dict[str, list[int]] = {}
        for number in range(first, end):
            step = self.keys[number][len(start) :].partition("/")
            counts = found.setdefault(start + step[0], [0, 0, 0])
            counts[0] += 1
            counts[1] += number in self._curated
            counts[2] |= not step[1]
        return [
            Branch(path=path, entries=n, curated=curated, leaf=bool(leaf) and n == 1)
            for path, (n, curated, leaf) in found.items()
        ]

    def search(self, text: str, limit: int = 50) -> list[str]:
        """Keys of entries whose key or title has all words of `text`; the curated and the closest first."""
        words = text.lower().split()[:20]
        if not words:
            return []
        numbers: Iterable[int] = range(len(self.keys))
        lines = self._lines
        for word in words:
            numbers = [number for number in numbers if word in lines[number]]
        ranked = sorted(numbers, key=lambda number: self._rank(number, words))
        return [self.keys[number] for number in ranked[:limit]]

    def relations(self, key: str) -> list[dict[str, Any]]:
        """An entry's relations to others, then those of others to it (`from` instead of `to`)."""
        own = list(self.entry(key).value("relations") or ())
        return [*own, *({"kind": kind, "from": other} for other, kind in self.relations_to.get(key, ()))]

    def prerequisites_of(self, key: str) -> list[str]:
        """Ids of all prerequisites of an entry, alternatives included, each after those that it needs itself."""
        found: dict[str, None] = {}
        for name in need_ids(self.entry(key).value("needs")):
            self._add_need(name, found, ())
        return list(found)

    def entries(self, keys: Iterable[str] | None = None) -> Iterator[SourceEntry]:
        """Entries in the order of keys, without remembering them."""
        for key in self.keys if keys is None else keys:
            yield self._entries.get(key) or self._make(key, self._numbers[key])

    def documents(self) -> dict[str, Mapping[str, Mapping[str, str]]]:
        """The sources that each file names: file → id → {kind, title}."""
        return {group.name: group.documents for group in self._groups}

    @cached_property
    def prerequisites(self) -> Mapping[str, Mapping[str, Any]]:
        """All prerequisites by id."""
        found: Mapping[str, Mapping[str, Any]] = self.artefact.value("prerequisites")
        return found

    @cached_property
    def relations_to(self) -> Mapping[str, Sequence[Sequence[str]]]:
        """Relations by the entry that they lead to: key → [(from, kind)]."""
        found: Mapping[str, Sequence[Sequence[str]]] = self.artefact.value("relations")
        return found

    @cached_property
    def index(self) -> Mapping[str, Mapping[str, Sequence[Sequence[int]]]]:
        """Entries by attribute: name → value → ranges of numbers."""
        found: Mapping[str, Mapping[str, Sequence[Sequence[int]]]] = self.artefact.value("index")
        return found

    @cached_property
    def routes(self) -> Routes:
        """What the engine routes events by."""
        return Routes(self.artefact.value("routes"), self.artefact.head.digest[:16])

    def spelt(self, key: str) -> str | None:
        """A key as the catalogue spells it, case ignored; None if it has none such."""
        return key if key in self._numbers else self._folded.get(key.lower())

    @cached_property
    def selection(self) -> Selection:
        """The selection over all entries."""
        return Selection(self.keys, self.index)

    @cached_property
    def _groups(self) -> list[Group]:
        return [Group(*stored) for stored in self.artefact.value("groups")]

    @cached_property
    def _titles(self) -> list[str]:
        return self.artefact.text("titles").decode().split("\n")

    @cached_property
    def _lines(self) -> list[str]:
        return [f"{key} {title}".lower() for key, title in zip(self.keys, self._titles, strict=True)]

    @cached_property
    def _curated(self) -> set[int]:
        spans = self.artefact.value("curated")
        return {number for first, end in spans for number in range(first, end)}

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {key.lower(): key for key in self.keys}

    def _make(self, key: str, number: int) -> SourceEntry:
        chunk = self._chunks.get(number // CHUNK)
        if chunk is None:
            if len(self._chunks) >= 64:
                self._chunks.clear()
            chunk = self._chunks[number // CHUNK] = self.artefact.value(f"entries/{number // CHUNK}")
        file, own, table, cells = chunk[number % CHUNK]
        return make_entry(
            key,
            (self._groups[file], own) if own is not None else None,
            (self._groups[table], cells) if cells is not None else None,
        )

    def _find_windows(self, channel: str, provider: str, event_id: int) -> tuple[str, ...]:
        start = f"windows/{slug(channel or provider)}/"
        if start not in _SHARED:
            key = f"{start}{event_id}"
            return (key,) if key in self._numbers else ()
        if provider:
            key = f"{start}{slug(provider)}/{event_id}"
            return (key,) if key in self._numbers else ()
        return tuple(self.select([f"{start}*/{event_id}"]))

    def _rank(self, number: int, words: Sequence[str]) -> tuple[bool, int, int]:
        parts = self.keys[number].lower().split("/")
        exact = sum(word in parts for word in words)
        return number not in self._curated, -exact, len(self._lines[number])

    def _add_need(self, name: str, found: dict[str, None], way: tuple[str, ...]) -> None:
        if name in found or name in way:
            return
        for need in self.prerequisites.get(name, {}).get("needs", ()):
            self._add_need(need, found, (*way, name))
        found[name] = None

    def _no_entry(self, key: str) -> CatalogueError:
        near = [self._folded[name] for name in get_close_matches(key.lower(), self._near(key), n=3)]
        hint = f"near it: {', '.join(near)}" if near else "`undertag sources search` looks for words"
        return CatalogueError(Problem(code="UT314", message=f"there is no entry {key!r}", hint=hint))

    def _near(self, key: str) -> list[str]:
        """Keys that a misspelt one may have meant: those of its parent, else of its platform."""
        parent = key.lower().rpartition("/")[0]
        found = [name for name in self._folded if name.startswith(parent + "/")]
        return found[:5000] or [name for name in self._folded if name.startswith(key.lower()[:8])][:5000]


@cache
def load_catalogue(path: Path = PATH) -> Catalogue:
    """The catalogue shipped with the package; opened once.

    Raises:
        CatalogueError: UT315, the compiled file is missing or damaged.
    """
    return Catalogue(Artefact(path))
