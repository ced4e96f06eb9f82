"""What the engine routes events by: from an entry's key to the Sigma log sources that it serves.

Contract: `Routes.services(key)` answers for any key, catalogued or not, since servings are patterns on keys. A service of a channel
comes before the categories of its events, so that a rule for the channel finds the names that the channel has. The table is the
`routes` block of the compiled catalogue, made from `sigma.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from undertag.catalogue.sources.recognise import Recogniser
from undertag.catalogue.sources.selectors import compiled
from undertag.catalogue.sources.sigma import fits, parse
from undertag.model.entry import Derivation, Service
from undertag.model.rule import LogSource

_SPECIAL: Final = "*{"
_NONE: Final[tuple[str | None, ...]] = (None,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AntivirusEvent:
    """A type of anti-virus event that names a signature.

    Attributes:
        convention: the reader's id of how the product names things.
        signature: the path of the field that holds the name.
        fidelity: high, medium, low or none, unknown counting as low.
        outcome: what the product did, as far as the type tells.
        digest: 16 digits that stand for the catalogue that says so.
    """

    key: str
    convention: str
    signature: tuple[str, ...]
    fidelity: str
    outcome: str
    digest: str


class Serving:
    """One serving: its log source, the patterns of its entries, and how fields are called there."""

    __slots__ = (
        "_exact",
        "_patterns",
        "category",
        "derive",
        "logs",
        "product",
        "reached",
        "rename",
        "service",
        "where",
    )

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.product, self.category, self.service = parse(stored["logsource"])
        self._exact = frozenset(text for text in stored["entries"] if not _is_pattern(text))
        self._patterns = [(_start(text), text) for text in stored["entries"] if _is_pattern(text)]
        self.rename: Mapping[str, str] = stored.get("rename", {})
        self.where = {name: tuple(values) for name, values in stored.get("where", {}).items()}
        self.derive = {name: _derivation(how) for name, how in stored.get("derive", {}).items()}
        self.reached: bool = stored["reached"]
        starts = (*self._exact, *(start for start, _ in self._patterns))
        self.logs = {"/".join(start.split("/", 2)[:2]) if start.count("/") > 1 else "" for start in starts}
        """The first two parts of the keys that it may have, "" where a pattern says less."""

    def has(self, key: str) -> bool:
        """Whether an entry of this key is among those served."""
        if key in self._exact:
            return True
        return any(
            key.startswith(start) and (text == f"{start}**" or compiled(text).fullmatch(key) is not None)
            for start, text in self._patterns
        )


class Routes:
    """All servings."""

    def __init__(self, table: Mapping[str, Any], digest: str) -> None:
        """`table`: the artefact's block; `digest`: 16 digits that stand for the catalogue."""
        self._table = table
        self._digest = digest
        self._servings = [Serving(stored) for stored in table["servings"]]
        self._by_log: dict[str, list[int]] = {}
        for number, serving in enumerate(self._servings):
            for log in serving.logs:
                self._by_log.setdefault(log, []).append(number)
        self._spaced: Mapping[str, Sequence[str]] = table["spaced"]
        self._served: dict[LogSource, bool] = {}

    def services(self, key: str) -> tuple[Service, ...]:
        """Every log source that events of this key serve, the first that fits a rule being the one to take."""
        log = "/".join(key.split("/", 2)[:2])
        numbers = sorted({*self._by_log.get("", ()), *self._by_log.get(log, ())})
        serving = [one for one in map(self._servings.__getitem__, numbers) if one.has(key)]
        names: dict[str | None, list[str | None]] = {}
        for one in serving:
            if one.category is None and one.service is not None:
                of_product = names.setdefault(one.product, [])
                if one.service not in of_product:
                    of_product.append(one.service)
        spaced = {name.replace(" ", ""): name for name in self._spaced.get(key.rpartition("/")[0], ())}
        services = [*_each(serving, names, spaced)]
        # A rule takes the first that fits: what names a service comes first, then categories, then the product as a whole.
        services.sort(key=lambda s: (s.logsource.category is not None, s.logsource.service is None))
        return tuple(services)

    @cached_property
    def recognisers(self) -> dict[str, Recogniser]:
        """How records are known: `json` for objects, `text` for lines."""
        rules = self._table["recognition"]
        return {kind: Recogniser(rules[kind]) for kind in ("json", "text")}

    @cached_property
    def antivirus(self) -> dict[str, AntivirusEvent]:
        """Types of events that name signatures, by key; a Windows channel's own key stands beside the product's."""
        return {
            key: AntivirusEvent(
                key=of_product,
                convention=convention,
                signature=tuple(signature.split(".")),
                fidelity=fidelity,
                outcome=outcome,
                digest=self._digest,
            )
            for key, (of_product, convention, signature, fidelity, outcome) in self._table[
                "antivirus"
            ].items()
        }

    def serves(self, wanted: LogSource) -> bool:
        """Whether events that can be told from others are served to rules of this log source."""
        found = self._served.get(wanted)
        if found is None:
            triple = (wanted.product, wanted.category, wanted.service)
            found = self._served[wanted] = any(
                one.reached
                and (
                    fits(triple, (one.product, one.category, one.service))
                    or (
                        one.service is None
                        and fits(triple, (one.product, one.category, wanted.service))
                        and self._named(one, wanted)
                    )
                )
                for one in self._servings
            )
        return found

    def _named(self, serving: Serving, wanted: LogSource) -> bool:
        """Whether a service that a rule names holds entries of a category's serving."""
        return serving.category is not None and any(
            one.product == serving.product and one.category is None and one.service == wanted.service
            for one in self._servings
        )


def _each(
    serving: Sequence[Serving], names: Mapping[str | None, Sequence[str | None]], spaced: Mapping[str, str]
) -> Iterator[Service]:
    seen: set[tuple[LogSource, str]] = set()
    for one in serving:
        own = (one.service,) if one.service or one.category is None else names.get(one.product, _NONE)
        if own == _NONE and one.category is None and one.product in names:
            continue  # its services serve rules for the product as a whole
        for name in own:
            logsource = LogSource(product=one.product, category=one.category, service=name)
            place = (logsource, repr(one.where))
            if place in seen:
                continue
            seen.add(place)
            yield Service(
                logsource=logsource, where=one.where, rename={**spaced, **one.rename}, derive=one.derive
            )


def _derivation(how: Mapping[str, Any]) -> Derivation:
    if "join" in how:
        return Derivation(kind="join", fields=tuple(how["join"]), by=how.get("by", ""))
    if "map" in how:
        return Derivation(kind="map", fields=(how["map"],), values=dict(how.get("values", {})))
    return Derivation(kind="registry", fields=tuple(how["registry"]))


def _is_pattern(text: str) -> bool:
    return any(character in text for character in _SPECIAL)


def _start(text: str) -> str:
    """What every key that a pattern matches begins with."""
    return text[: min(text.find(character) % (len(text) + 1) for character in _SPECIAL)]
