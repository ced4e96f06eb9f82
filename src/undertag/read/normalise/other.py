"""Records of other platforms: whose they are and when they were, by the names in common use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_TIMES: Final = (
    "@timestamp", "eventTime", "time", "timestamp", "published", "TimeGenerated", "CreationTime", "created_at",
    "event_time", "eventTimestamp", "date", "ts", "requestReceivedTimestamp", "p_event_time", "creationTime",
    "occured", "rt", "detection_time", "DetectedUTC", "detectionTime",
)  # fmt: skip
_SYSTEMS: Final = (
    "recipientAccountId", "hostname", "host", "computer", "agent_hostname", "device_name", "tenantId", "OrganizationId",
    "org", "account", "accountId",
)  # fmt: skip


class OtherLayout:
    """The record is its own head and fields."""

    def __init__(self, *, json: bool, mended: bool = False) -> None:
        self.name = "record"
        self.json = json
        self.mended = mended

    def getter(self, name: str) -> Callable[[bytes, Any], Any] | None:
        """See `model.batch.Layout`."""
        return None

    def event(self, raw: bytes, head: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `model.batch.Layout`."""
        return fields


def other_time(doc: Mapping[str, Any]) -> Any:
    """The record's time as written, by the first usual name that holds a text or number."""
    for name in _TIMES:
        value = doc.get(name)
        if isinstance(value, str | int | float):
            return value
    return None


def other_system(doc: Mapping[str, Any]) -> str:
    """The host or account that the record speaks of, "" where it says none."""
    for name in _SYSTEMS:
        value = doc.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, Mapping) and isinstance(value.get("name"), str):
            return str(value["name"])
    return ""
