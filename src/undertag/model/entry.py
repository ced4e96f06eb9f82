"""An entry as the engine needs it: its key, and which Sigma log sources it serves under which field names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from undertag.model.rule import LogSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How a Sigma field is made that the entry doesn't have under any name.

    `account`: `DOMAIN\\name` from SID, domain and name, of several such three the first that is an account; SYSTEM and its
    like as Sysmon names them. `map`: the text of the one field looked up in `values` (itself where not listed).
    `registry`: a kernel registry path, and a value's name, as Sysmon spells them.
    `registry_data`: a registry value's data and its type, as Sysmon writes them in `Details`.
    `drive`: a kernel path of a file under a drive letter, where only the system's own drive can be meant; itself elsewhere.
    """

    kind: str
    fields: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One Sigma log source that an entry serves.

    `where` restricts it to events whose field has one of these values; `rename` maps Sigma's field names to the
    entry's own; `derive` makes the ones that don't exist.
    """

    logsource: LogSource
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    derive: Mapping[str, Derivation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The smallest thing that can be switched on, tested and watched.

    `constants` are fields whose value is the same in every event of the entry (`Channel`, `EventID`,
    `Provider_Name`); rules are folded over them. `catalogued` is False for an entry that no catalogue knows:
    its key is then a proposal.
    """

    key: str
    services: tuple[Service, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    catalogued: bool = True
    derivations: Mapping[str, Derivation] = field(default_factory=dict)
    """Derived fields by the name that bound rules use: `~<category>.<field>`."""
    shape: str = ""
    """What the entry's fields hang under: a name of the normaliser's; two shapes never share a plan."""

    def serving(self, wanted: LogSource) -> Service | None:
        """The first of the entry's services that a rule for `wanted` applies to, or None."""
        for service in self.services:
            have = service.logsource
            if (
                (wanted.product is None or wanted.product == have.product)
                and (wanted.category is None or wanted.category == have.category)
                and (wanted.service is None or wanted.service == have.service)
            ):
                return service
        return None


def derivations_of(services: Iterable[Service]) -> dict[str, Derivation]:
    """All fields that services derive, by the names under which bound rules ask for them."""
    return {
        derived_name(service.logsource.category, name): how
        for service in services
        for name, how in service.derive.items()
    }


def derived_name(category: str | None, field_name: str) -> str:
    """The name under which a bound rule asks for a derived field."""
    return f"~{category}.{field_name}"
