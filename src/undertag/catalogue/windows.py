"""Windows events: (channel, provider, event ID) → entry, and the Sigma log sources that it serves.

Contract: `WindowsRouter.entry` answers for every combination, known or not; an unknown channel or ID gets a key made by the same
rule and is `catalogued=False`. What an entry serves is the catalogue's word (`sources.routes`); nothing is read on import.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from undertag.model.entry import Entry, derivations_of

if TYPE_CHECKING:
    from undertag.catalogue.sources.lookup import Catalogue

_NOT_KEY = re.compile(r"[^a-z0-9._]+")
_PREFIX = "microsoft-windows-"
_MAX_ENTRIES: Final = 65_536
SHARED_CHANNELS: Final = frozenset({"application", "system", "setup", "forwardedevents"})
"""Channels that many providers write to: there the provider is part of an entry's identity."""
LINUX_SYSMON: Final = "linux-sysmon/operational"
"""Sysmon for Linux writes the same events into syslog, under this channel."""


def slug(name: str) -> str:
    """A channel's or provider's part of an entry key: lower case, `Microsoft-Windows-` and `/Operational` dropped.

    >>> slug("Microsoft-Windows-Sysmon/Operational"), slug("Microsoft-Windows-PrintService/Admin")
    ('sysmon', 'printservice-admin')
    """
    text = name.lower().removesuffix("/operational").removeprefix(_PREFIX)
    return _NOT_KEY.sub("-", text).strip("-") or "unknown"


class WindowsRouter:
    """Finds the entry of a Windows event. Entries are made once and remembered, up to 65,536 of them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._entries: dict[tuple[str, str, int, str], Entry] = {}

    def entry(self, channel: str, provider: str, event_id: int, shape: str = "") -> Entry:
        """The entry of (channel, provider, event ID); `shape` keeps entries of other record shapes apart."""
        place = (channel, provider, event_id, shape)
        found = self._entries.get(place)
        if found is None:
            if len(self._entries) >= _MAX_ENTRIES:
                self._entries.clear()
            found = self._entries[place] = self._make(channel, provider, event_id, shape)
        return found

    def _make(self, channel: str, provider: str, event_id: int, shape: str) -> Entry:
        constants = {"EventID": str(event_id)}
        if channel:
            constants["Channel"] = channel
        if provider:
            constants["Provider_Name"] = provider
        key = event_key(channel, provider, event_id)
        services = self._catalogue.routes.services(key)
        return Entry(
            key=key,
            services=services,
            constants=constants,
            derivations=derivations_of(services),
            catalogued=key in self._catalogue,
            shape=shape,
        )


def event_key(channel: str, provider: str, event_id: int) -> str:
    """The key of a Windows event, made of what it says of itself."""
    lower = channel.lower()
    if lower == LINUX_SYSMON:
        return f"linux/sysmon/{event_id}"
    if not channel:
        return f"windows/{slug(provider)}/{event_id}"
    if lower in SHARED_CHANNELS:
        return f"windows/{slug(channel)}/{slug(provider)}/{event_id}"
    return f"windows/{slug(channel)}/{event_id}"


@cache
def windows_router() -> WindowsRouter:
    """The router over the packaged catalogue."""
    from undertag.catalogue.sources.lookup import load_catalogue  # it is made of this module

    return WindowsRouter(load_catalogue())
