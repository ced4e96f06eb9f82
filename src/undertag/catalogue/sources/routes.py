"""What the engine routes events by: from an entry's key to the Sigma log sources that it serves.

Contract: `Routes.services(key)` answers for any key, catalogued or not, since servings are patterns on keys. A service of a channel
comes before the categories of its events, so that a rule for the channel finds the names that the channel has. The table is the
`routes` block of the compiled catalogue, made from `sigma.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product as product_of
from typing import Any, Final

from undertag.catalogue.sources.recognise import Recogniser
from undertag.catalogue.sources.selectors import compiled
from undertag.catalogue.sources.sigma import parse
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
        services = [*_each(serving, names, self.spaced(key))]
        # A rule takes the first that fits: what names a service comes first, then the product as a whole, then categories,
        # since a rule that names none must not get their names of fields and their conditions.
        services.sort(key=lambda s: (s.logsource.category is not None, s.logsource.service is None))
        return tuple(services)

    def spaced(self, key: str) -> dict[str, str]:
        """Names of fields that events of this key's channel write with blanks, by how Sigma and collectors write them."""
        names = self._spaced.get(key.rpartition("/")[0], ())
        return {name.replace(" ", instead): name for instead in ("_", "") for name in names}

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
        triple = (wanted.product, wanted.category, wanted.service)
        if triple in self._reached:
            return True
        # A category is served under each service that its entries have: both are there, so some entry may be.
        product, category, service = triple
        return (
            None not in (category, service)
            and (product, category, None) in self._reached
            and (product, None, service) in self._reached
        )

    @cached_property
    def _reached(self) -> frozenset[tuple[str | None, ...]]:
        """Every log source that a rule may name, with parts left out, and that entries within reach serve."""
        return frozenset(
            tuple(part if kept else None for part, kept in zip(triple, mask, strict=True))
            for triple in {(one.product, one.category, one.service) for one in self._servings if one.reached}
            for mask in product_of((True, False), repeat=3)
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
    if "account" in how:
        return Derivation(kind="account", fields=tuple(how["account"]))
    if "map" in how:
        return Derivation(kind="map", fields=(how["map"],), values=dict(how.get("values", {})))
    if "drive" in how:
        return Derivation(kind="drive", fields=(how["drive"],))
    kind = "registry_data" if "registry_data" in how else "registry"
    return Derivation(kind=kind, fields=tuple(how[kind]))


def _is_pattern(text: str) -> bool:
    return any(character in text for character in _SPECIAL)


def _start(text: str) -> str:
    """What every key that a pattern matches begins with."""
    return text[: min(text.find(character) % (len(text) + 1) for character in _SPECIAL)]
