"""Events that are no Windows events: which entry they belong to, as far as is known without being told.

Contract: `OtherRouter.entry(doc)` answers for every decoded record. An event that no rule here knows gets an
uncatalogued entry named after its form.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from undertag.catalogue.windows import slug
from undertag.model.entry import Entry, Service
from undertag.model.rule import LogSource

_MAX_ENTRIES: Final = 65_536
_CLOUDTRAIL: Final = LogSource(product="aws", service="cloudtrail")
_AUDITD: Final = LogSource(product="linux", service="auditd")


class OtherRouter:
    """Finds entries of other platforms' events; entries are made once and remembered."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, ...], Entry] = {}

    def entry(self, doc: Any, format_name: str) -> Entry:
        """The entry of a decoded record."""
        if isinstance(doc, Mapping):
            source, name = doc.get("eventSource"), doc.get("eventName")
            if isinstance(source, str) and isinstance(name, str) and "eventVersion" in doc:
                return self._known(
                    ("aws", "cloudtrail", source.removesuffix(".amazonaws.com"), name), _CLOUDTRAIL
                )
            message = doc.get("message")
            if format_name == "text" and isinstance(message, str) and message.startswith(("type=", "node=")):
                kind = message.partition("type=")[2].partition(" ")[0]
                if kind.isascii() and kind.replace("_", "").isalnum() and "msg=audit(" in message:
                    return self._known(("linux", "auditd", kind), _AUDITD)
        return self._remember(
            (f"unknown/{slug(format_name)}/record",),
            Entry(key=f"unknown/{slug(format_name)}/record", catalogued=False),
        )

    def serves(self, wanted: LogSource) -> bool:
        """Whether any entry known here is served to rules of this log source."""
        return any(
            Entry(key="", services=(Service(logsource=one),)).serving(wanted)
            for one in (_CLOUDTRAIL, _AUDITD)
        )

    def _known(self, parts: tuple[str, ...], logsource: LogSource) -> Entry:
        return self._entries.get(parts) or self._remember(
            parts, Entry(key="/".join(parts), services=(Service(logsource=logsource),))
        )

    def _remember(self, parts: tuple[str, ...], entry: Entry) -> Entry:
        if len(self._entries) >= _MAX_ENTRIES:
            self._entries.clear()
        return self._entries.setdefault(parts, entry)


@cache
def other_router() -> OtherRouter:
    """The router of everything that is no Windows event."""
    return OtherRouter()
