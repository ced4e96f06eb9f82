"""Windows events: (channel, provider, event ID) → entry, and the Sigma log sources that it serves.

Contract: `WindowsRouter.entry` answers for every combination, known or not; an unknown channel or ID gets a
key made by the same rule and is `catalogued=False`. The table is read
when a router is made, never on import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from undertag.model.entry import Derivation, Entry, Service, derived_name
from undertag.model.rule import LogSource

_NOT_KEY = re.compile(r"[^a-z0-9._]+")
_PREFIX = "microsoft-windows-"
_ANY_SERVICE: list[str | None] = [None]


def slug(name: str) -> str:
    """A channel's or provider's part of an entry key: lower case, `Microsoft-Windows-` and `/Operational` dropped.

    >>> slug("Microsoft-Windows-Sysmon/Operational"), slug("Microsoft-Windows-PrintService/Admin")
    ('sysmon', 'printservice-admin')
    """
    text = name.lower().removesuffix("/operational").removeprefix(_PREFIX)
    return _NOT_KEY.sub("-", text).strip("-") or "unknown"


class WindowsRouter:
    """Finds the entry of a Windows event. Entries are made once and remembered, so identity can be compared."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._services: dict[str, list[str]] = {}
        for service, channels in table["services"].items():
            for channel in channels:
                self._services.setdefault(channel.lower(), []).append(service)
        self._by_channel: dict[tuple[str, int], list[dict[str, Any]]] = {}
        self._by_provider: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for row in table["categories"]:
            where = self._by_channel if "channel" in row else self._by_provider
            for event_id in row["ids"]:
                where.setdefault((row.get("channel", row.get("provider")).lower(), event_id), []).append(row)
        self._linux = table["linux_sysmon"]
        self._spaced = {
            channel.lower(): {name.replace(" ", ""): name for name in names}
            for channel, names in table["spaced"].items()
        }
        self._shared = {name.lower() for name in table["shared_channels"]}
        self._entries: dict[tuple[str, str, int, str], Entry] = {}

    def entry(self, channel: str, provider: str, event_id: int, shape: str = "") -> Entry:
        """The entry of (channel, provider, event ID); `shape` keeps entries of other record shapes apart."""
        place = (channel, provider, event_id, shape)
        found = self._entries.get(place)
        if found is None:
            found = self._entries[place] = self._make(channel, provider, event_id, shape)
        return found

    def serves(self, wanted: LogSource) -> bool:
        """Whether any Windows entry is served to rules of this log source."""
        if wanted.product not in (None, "windows", "linux"):
            return False
        if wanted.category is None and wanted.service is None:
            return wanted.product == "windows"
        if wanted.product == "linux":
            return wanted.category in self._linux["categories"] and wanted.service in (None, "sysmon")
        services = {name for names in self._services.values() for name in names}
        if wanted.service is not None and wanted.service not in services:
            return False
        rows = [row for rows in (*self._by_channel.values(), *self._by_provider.values()) for row in rows]
        return wanted.category is None or any(row["category"] == wanted.category for row in rows)

    def _make(self, channel: str, provider: str, event_id: int, shape: str) -> Entry:
        lower = channel.lower()
        constants = {"EventID": str(event_id)}
        if channel:
            constants["Channel"] = channel
        if provider:
            constants["Provider_Name"] = provider
        if lower == self._linux["channel"].lower():
            product, names = "linux", ["sysmon"]
            rows = [{"category": c} for c, ids in self._linux["categories"].items() if event_id in ids]
        else:
            product, names = "windows", self._services.get(lower, [])
            rows = self._by_channel.get((lower, event_id), [])
            rows = rows + self._by_provider.get((provider.lower(), event_id), [])
        spaced = self._spaced.get(lower, {})
        services = [
            Service(logsource=LogSource(product=product, service=name), rename=spaced)
            for name in names or _ANY_SERVICE
        ]
        for row in rows:
            services.extend(_category_services(row, product, names, spaced))
        key = self._key(product, lower, provider, event_id)
        return Entry(
            key=key,
            services=tuple(services),
            constants=constants,
            derivations={
                derived_name(s.logsource.category, name): how
                for s in services
                for name, how in s.derive.items()
            },
            catalogued=_catalogued(key),
            shape=shape,
        )

    def _key(self, product: str, channel: str, provider: str, event_id: int) -> str:
        if product == "linux":
            return f"linux/sysmon/{event_id}"
        if not channel:
            return f"windows/{slug(provider)}/{event_id}"
        if channel in self._shared:
            return f"windows/{slug(channel)}/{slug(provider)}/{event_id}"
        return f"windows/{slug(channel)}/{event_id}"


def _category_services(
    row: Mapping[str, Any], product: str, names: Iterable[str], spaced: Mapping[str, str]
) -> Iterable[Service]:
    for name in list(names) or _ANY_SERVICE:
        yield Service(
            logsource=LogSource(product=product, category=row["category"], service=name),
            where={name: tuple(values) for name, values in row.get("where", {}).items()},
            rename={**spaced, **row.get("rename", {})},
            derive={name: _derivation(how) for name, how in row.get("derive", {}).items()},
        )


def _catalogued(key: str) -> bool:
    """Whether the catalogue has the entry; asked once an entry."""
    from undertag.catalogue.sources.lookup import (
        load_catalogue,  # only where events are read, and made of this module
    )

    return key in load_catalogue()


def _derivation(how: Mapping[str, Any]) -> Derivation:
    if "join" in how:
        return Derivation(kind="join", fields=tuple(how["join"]), by=how["by"])
    if "map" in how:
        return Derivation(kind="map", fields=(how["map"],), values=dict(how["values"]))
    return Derivation(kind="registry", fields=tuple(how["registry"]))


@cache
def windows_router() -> WindowsRouter:
    """The router over the packaged table."""
    import yaml

    text = files("undertag.catalogue").joinpath("data/windows-routing.yml").read_bytes()
    return WindowsRouter(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506
