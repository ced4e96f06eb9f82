"""EVTX-as-JSON: `{"Event": {"System": …, "EventData": …}}`, decoded only as far as it is needed.

Contract: the typed decoder takes what the engine asks of every event; the rest of the header is read from the
record's bytes when a rule asks for it. A record that it refuses goes the general way (windows_dict.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

import msgspec
import orjson

from undertag.read.normalise.windows_dict import data_fields, flatten_system


class _Name(msgspec.Struct, gc=False):
    name: str | None = msgspec.field(default=None, name="Name")


class _Provider(msgspec.Struct, gc=False):
    attributes: _Name | None = msgspec.field(default=None, name="#attributes")


class _SystemTime(msgspec.Struct, gc=False):
    time: str | None = msgspec.field(default=None, name="SystemTime")


class _TimeCreated(msgspec.Struct, gc=False):
    attributes: _SystemTime | None = msgspec.field(default=None, name="#attributes")


class _EventID(msgspec.Struct, frozen=True, gc=False):
    number: int = msgspec.field(name="#text")


class System(msgspec.Struct, gc=False):
    """The part of an event's header that every event is asked for."""

    event_id: int | _EventID = msgspec.field(name="EventID")
    provider: _Provider = msgspec.field(name="Provider")
    created: _TimeCreated | None = msgspec.field(default=None, name="TimeCreated")
    channel: str | None = msgspec.field(default=None, name="Channel")
    computer: str | None = msgspec.field(default=None, name="Computer")


class Event(msgspec.Struct, gc=False):
    """Header and data."""

    system: System = msgspec.field(name="System")
    data: dict[str, Any] | None = msgspec.field(default=None, name="EventData")
    user_data: dict[str, Any] | None = msgspec.field(default=None, name="UserData")
    error_data: dict[str, Any] | None = msgspec.field(default=None, name="ProcessingErrorData")


class Record(msgspec.Struct, gc=False):
    """One record."""

    event: Event = msgspec.field(name="Event")


decode: Final = msgspec.json.Decoder(Record).decode


def place_of(system: System) -> tuple[str | None, int | _EventID, str | None]:
    """What routes the event: channel, event ID, provider."""
    attributes = system.provider.attributes
    return system.channel, system.event_id, attributes.name if attributes is not None else None


def event_number(event_id: int | _EventID) -> int:
    """The event ID as a number."""
    return event_id if isinstance(event_id, int) else event_id.number


def fields_of(event: Event) -> Mapping[str, Any]:
    """The event's data by field name."""
    data = event.data
    if data is not None:
        return data_fields(data) if "Data" in data or "#attributes" in data else data
    if event.user_data is not None:
        return data_fields(event.user_data)
    return data_fields(event.error_data) if event.error_data is not None else {}


def time_of(system: System) -> str | None:
    """The event's time as written."""
    created = system.created
    return created.attributes.time if created is not None and created.attributes is not None else None


class EvtxLayout:
    """Heads are `System`; whatever it lacks is decoded from the record when asked for."""

    name = "evtx-json"
    json = True
    _getters: Final[Mapping[str, Callable[[Any], Any]]] = {
        "Channel": attrgetter("channel"),
        "Computer": attrgetter("computer"),
        "EventID": lambda system: event_number(system.event_id),
        "Provider_Name": lambda system: place_of(system)[2],
    }

    def getter(self, name: str) -> Callable[[Any], Any] | None:
        """See `model.batch.Layout`."""
        return self._getters.get(name)

    def event(self, raw: bytes, head: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `model.batch.Layout`."""
        return {**flatten_system(orjson.loads(raw)["Event"]["System"]), **fields}
