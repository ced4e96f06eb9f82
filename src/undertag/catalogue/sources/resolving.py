"""What a name means: a key, an umbrella of 2019, a log source of ATT&CK v18.1 or of Sigma, a data component → entries.

Contract: `Resolver.resolve` answers with the kind of name it took it for, the entries, and what should be known about it; a name that
nothing here knows is UT319, with names near it. Of several readings the first counts, in the order of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final

from undertag.catalogue.sources.lookup import Catalogue
from undertag.catalogue.sources.resolution import Kind, Resolution
from undertag.catalogue.sources.sigma import fits, parse, shown
from undertag.model.problem import CatalogueError, Problem

_STATES: Final = {
    "events": "its channel names these events",
    "component": "its channel is prose; these are the log's entries for the data component that lists it",
    "log": "its channel is prose; only the log is known",
    "prose": "it names nothing that could be switched on or watched",
}


class Resolver:
    """Resolves names against one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def resolve(self, name: str, channel: str | None = None) -> Resolution:
        """The first reading of a name that leads anywhere.

        Args:
            name: a key, a name, `product/category/service`, or an alias (`NAME CHANNEL` in one is understood).
            channel: the channel of an alias.

        Raises:
            CatalogueError: UT319, nothing here knows the name.
        """
        name = name.strip()
        if channel is not None:
            readings: Iterable[Callable[[str], Resolution | None]] = (lambda n: self._alias(n, channel),)
        else:
            readings = (
                self._key,
                self._umbrella,
                self._component,
                self._sigma,
                self._any_alias,
                self._channel,
                self._prefix,
            )
        for reading in readings:
            found = reading(name)
            if found is not None:
                return found
        near = get_close_matches(name, dict.fromkeys(self._names()), n=3, cutoff=0.6)
        raise CatalogueError(
            Problem(
                code="UT319",
                message=f"nothing here knows {name!r}",
                hint=f"near it: {', '.join(near)}" if near else "`undertag sources search` looks for words",
            )
        )

    @cached_property
    def umbrellas(self) -> Mapping[str, Mapping[str, Any]]:
        """The umbrellas of 2019 by name."""
        found: Mapping[str, Mapping[str, Any]] = self._catalogue.artefact.value("umbrellas")
        return found

    @cached_property
    def sigma(self) -> Mapping[str, Any]:
        """Sigma's servings, notes and the log sources that SigmaHQ names."""
        found: Mapping[str, Any] = self._catalogue.artefact.value("sigma")
        return found

    @cached_property
    def aliases(self) -> Mapping[str, Mapping[str, Sequence[Any]]]:
        """ATT&CK's log sources: name → channel → (components, state, ranges, correction)."""
        found: dict[str, dict[str, Sequence[Any]]] = {}
        for name, channel, *rest in self._catalogue.artefact.value("aliases"):
            found.setdefault(name, {})[channel] = rest
        return found

    def servings_of(self, key: str) -> list[dict[str, Any]]:
        """The Sigma log sources that an entry serves, each once, with its field renames.

        Log sources without category and service (any event of a product) are left out.
        """
        found: dict[str, dict[str, Any]] = {}
        for place in self._served_by.get(self._catalogue.number(key), ()):
            serving = self.sigma["servings"][place]
            have = found.setdefault(serving["logsource"], {"logsource": serving["logsource"]})
            for name in ("rename", "derive", "where", "lost"):
                if name in serving:
                    have.setdefault(name, serving[name])
        renamed = {parse(text)[:2] for text, one in found.items() if len(one) > 1}
        return [
            one
            for text, one in found.items()
            if len(one) > 1 or parse(text)[2] is not None or parse(text)[:2] not in renamed
        ]

    @cached_property
    def _served_by(self) -> Mapping[int, Sequence[int]]:
        """The numbers of the servings of each entry, those of whole products left out."""
        found: dict[int, list[int]] = {}
        for place, serving in enumerate(self.sigma["servings"]):
            if parse(serving["logsource"])[1:] != (None, None):
                for first, end in serving["ranges"]:
                    for number in range(first, end):
                        found.setdefault(number, []).append(place)
        return found

    def _key(self, name: str) -> Resolution | None:
        if name not in self._catalogue:
            return None
        return Resolution(name=name, kind="key", keys=[name], note=self._catalogue.title(name))

    def _umbrella(self, name: str) -> Resolution | None:
        found = next((n for n in self.umbrellas if n.lower() == name.lower()), None)
        if found is None:
            return None
        umbrella = self.umbrellas[found]
        keys = self._keys(umbrella["ranges"])
        return Resolution(
            name=found,
            kind=umbrella["kind"],
            keys=keys,
            note=umbrella["note"],
            detail={
                "better": umbrella.get("better", ""),
                "difficulty": umbrella.get("difficulty", ""),
                "difficulties": self._difficulties(umbrella["ranges"]),
                "relations": umbrella["relations"],
                "techniques": umbrella["techniques"],
                "attack_version": "6.0",
            },
        )

    def _component(self, name: str) -> Resolution | None:
        from undertag.catalogue.attack import load_release

        release = load_release("18.1")
        found = (
            release.object(name.upper())
            if name.upper().startswith("DC")
            else self._components.get(name.lower())
        )
        if found is None:
            return None
        keys = self._catalogue.select([{"component": found.id}])
        note = "" if keys else "no entry names this data component yet"
        return Resolution(name=f"{found.id} {found.name}", kind="component", keys=keys, note=note)

    @cached_property
    def _components(self) -> Mapping[str, Any]:
        from undertag.catalogue.attack import load_release

        release = load_release("18.1")
        found = (release.object(one) for one in release.ids() if one.startswith("DC"))
        return {one.name.lower(): one for one in found if one is not None}

    def _sigma(self, name: str) -> Resolution | None:
        servings = self.sigma["servings"]
        if name.count("/") == 2:
            wanted = [parse(name)]
        elif "/" not in name and " " not in name:
            wanted = [(None, name, None), (None, None, name), (name, None, None)]
        else:
            return None
        for triple in wanted:
            fitting = [s for s in servings if s["ranges"] and fits(triple, parse(s["logsource"]))]
            if fitting:
                return self._served(name, triple, fitting)
        return None

    def _served(
        self, name: str, triple: tuple[str | None, ...], servings: Sequence[Mapping[str, Any]]
    ) -> Resolution:
        spans = [span for serving in servings for span in serving["ranges"]]
        details = []
        for serving in servings:
            more = {part: serving[part] for part in ("rename", "derive", "where", "lost") if part in serving}
            if more:
                keys = self._keys(serving["ranges"])
                details.append({"logsource": serving["logsource"], "entries": keys, **more})
        text = shown(triple)
        note = self.sigma["notes"].get(text, "")
        return Resolution(
            name=name,
            kind="sigma",
            keys=self._keys(spans),
            note=note,
            detail={"logsource": text, "servings": details},
        )

    def _any_alias(self, name: str) -> Resolution | None:
        for known in sorted(self.aliases, key=len, reverse=True):
            if name.lower().startswith(known.lower()):
                rest = name[len(known) :].lstrip(" |\t·,")
                if not rest:
                    return self._alias_name(known)
                if rest != name[len(known) :]:
                    return self._alias(known, rest)
        return None

    def _alias_name(self, name: str) -> Resolution:
        pairs = self.aliases[name]
        spans = [span for _, _, ranges, _ in pairs.values() for span in ranges]
        states: dict[str, int] = {}
        for _, state, _, _ in pairs.values():
            states[state] = states.get(state, 0) + 1
        note = (
            f"a log source of ATT&CK v18.1 with {len(pairs)} channels; its entries are those of all of them"
        )
        return Resolution(
            name=name,
            kind="alias",
            keys=self._keys(spans),
            note=note,
            detail={"states": states, "channels": sorted(pairs)},
        )

    def _alias(self, name: str, channel: str) -> Resolution | None:
        pairs = self.aliases.get(name) or next(
            (pairs for known, pairs in self.aliases.items() if known.lower() == name.lower()), None
        )
        if pairs is None:
            return None
        found = pairs.get(channel) or next(
            (pair for known, pair in pairs.items() if known.lower() == channel.lower()), None
        )
        if found is None:
            return None
        components, state, spans, why = found
        note = _STATES[state] + (f"; corrected: {why}" if why else "")
        return Resolution(
            name=f"{name} | {channel}",
            kind="alias",
            keys=self._keys(spans),
            note=note,
            detail={"state": state, "components": components, "correction": why},
        )

    def _channel(self, name: str) -> Resolution | None:
        values = {value.lower(): value for value in self._catalogue.index["channel"]}
        channel = values.get(name.lower())
        if channel is None:
            return None
        return Resolution(name=channel, kind="channel", keys=self._catalogue.select([{"channel": channel}]))

    def _prefix(self, name: str) -> Resolution | None:
        keys = self._catalogue.matching(name)
        if not keys:
            return None
        kind: Kind = "key" if len(keys) == 1 else "prefix"
        return Resolution(name=name, kind=kind, keys=keys)

    def _keys(self, spans: Iterable[Sequence[int]]) -> list[str]:
        numbers = sorted({number for first, end in spans for number in range(first, end)})
        return self._catalogue.selection.keys(numbers)

    def _difficulties(self, spans: Iterable[Sequence[int]]) -> dict[str, int]:
        """How many of the entries are of each difficulty."""
        numbers = {number for first, end in spans for number in range(first, end)}
        counts = {
            value: sum(number in numbers for first, end in ranges for number in range(first, end))
            for value, ranges in self._catalogue.index["difficulty"].items()
        }
        return {value: count for value, count in counts.items() if count}

    def _names(self) -> Iterator[str]:
        yield from self.umbrellas
        yield from self.aliases
        yield from (serving["logsource"] for serving in self.sigma["servings"])
        yield from self._catalogue.index["channel"]
