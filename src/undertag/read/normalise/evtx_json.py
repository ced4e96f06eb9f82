"""EVTX-as-JSON: `{"Event": {"System": …, "EventData": …}}`, decoded only as far as it is needed.

Contract: the typed decoder takes what the engine asks of every event; an event's data is decoded when a field is asked
for, the rest of its header when a rule asks for that. A record that the decoder refuses goes the general way
(windows_dict.py). The decoder skips texts without looking, so `valid_utf8` has to be asked beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from undertag.read.normalise.windows_dict import data_fields, flatten_system

_unnamed: Final = itemgetter(-1)
_NOTHING: Final = (b"", b"null")


class _Name(msgspec.Struct, gc=False):
    name: str = msgspec.field(default="", name="Name")


class _Provider(msgspec.Struct, gc=False):
    attributes: _Name = msgspec.field(default_factory=_Name, name="#attributes")


class _SystemTime(msgspec.Struct, gc=False):
    time: str | None = msgspec.field(default=None, name="SystemTime")


class _TimeCreated(msgspec.Struct, gc=False):
    attributes: _SystemTime = msgspec.field(default_factory=_SystemTime, name="#attributes")


class _EventID(msgspec.Struct, frozen=True, gc=False):
    number: int = msgspec.field(name="#text")


class System(msgspec.Struct, gc=False):
    """The part of an event's header that every event is asked for."""

    provider: _Provider = msgspec.field(
        name="Provider"
    )  # fields are found soonest in the order of the records
    event_id: int | _EventID = msgspec.field(name="EventID")
    created: _TimeCreated = msgspec.field(default_factory=_TimeCreated, name="TimeCreated")
    channel: str | None = msgspec.field(default=None, name="Channel")
    computer: str | None = msgspec.field(default=None, name="Computer")


class Event(msgspec.Struct, gc=False):
    """The header, and the data still as it was written."""

    system: System = msgspec.field(name="System")
    data: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="EventData")
    user_data: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="UserData")
    error_data: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ProcessingErrorData")


class Record(msgspec.Struct, gc=False):
    """One record."""

    event: Event = msgspec.field(name="Event")


class _RawEvent(msgspec.Struct, gc=False):
    system: msgspec.Raw = msgspec.field(name="System")


class _RawRecord(msgspec.Struct, gc=False):
    event: _RawEvent = msgspec.field(name="Event")


Place = tuple[str | None, int | _EventID, str]
decode: Final = msgspec.json.Decoder(Record).decode
_decode_system: Final = msgspec.json.Decoder(_RawRecord).decode
_decode_any: Final = msgspec.json.Decoder().decode
_decode_parts: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def valid_utf8(raw: bytes) -> bool:
    """Whether the record's bytes are text at all."""
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_plain(event: Event) -> bool:
    """Whether the header is written as the `evtx` library writes it; other dialects go the general way."""
    system = event.system
    return bool(system.provider.attributes.name and system.created.attributes.time)


def rows_by_place(events: Iterable[Event]) -> dict[Place, list[int]]:
    """What routes events (channel, event ID, provider), and the rows that it routes."""
    index: defaultdict[Place, list[int]] = defaultdict(list)
    for row, event in enumerate(events):
        system = event.system
        index[system.channel, system.event_id, system.provider.attributes.name].append(row)
    return index


def times_of(events: Iterable[Event]) -> list[str | None]:
    """Each event's time as it is written."""
    return [event.system.created.attributes.time for event in events]


def computers_of(events: Iterable[Event]) -> list[str]:
    """The system that each event speaks of."""
    return [event.system.computer or "" for event in events]


def event_number(event_id: int | _EventID) -> int:
    """The event ID as a number."""
    return event_id if isinstance(event_id, int) else event_id.number


class EventData:
    """The data of some events, decoded as far as it is asked for. See `model.batch.Fields`."""

    __slots__ = ("_events",)

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    def whole(self) -> list[Mapping[str, Any]]:
        """Each event's data by field name."""
        return [_fields(event) for event in self._events]

    def rows(self, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """The values of these fields, nothing else being decoded."""
        decoder = _decoder(names)
        try:
            rows = list(map(astuple, map(decoder, [event.data for event in self._events])))
        except (msgspec.DecodeError, RecursionError):
            return [(*map(_fields(event).get, names), None) for event in self._events]
        if list(map(_unnamed, rows)).count(None) < len(rows):  # the names may stand within
            for at, row in enumerate(rows):
                if _unnamed(row) is not None:
                    rows[at] = (*map(_fields(self._events[at]).get, names), None)
        return rows

    def pick(self, rows: Sequence[int]) -> EventData:
        """See `model.batch.Fields`."""
        return EventData([self._events[row] for row in rows])

    def part(self, part: slice) -> EventData:
        """The data of some of the events."""
        return EventData(self._events[part])


@lru_cache(maxsize=1_024)
def _decoder(names: tuple[str, ...]) -> Callable[[msgspec.Raw], Any]:
    """A decoder for these fields alone, and behind them for data without names."""
    fields: list[Any] = [
        (f"f{index}", Any, msgspec.field(default=None, name="\u2063Data" if name == "Data" else name))
        for index, name in enumerate(names)
    ]
    fields.append(("unnamed", Any, msgspec.field(default=None, name="Data")))
    kind: Any = msgspec.defstruct("Fields", fields, gc=False)
    return msgspec.json.Decoder(kind).decode


def _fields(event: Event) -> Mapping[str, Any]:
    for part in (event.data, event.user_data, event.error_data):
        text = bytes(part)
        if text in _NOTHING:
            continue
        fields = _value(text)
        if (
            part is event.data
            and fields.__class__ is dict
            and "Data" not in fields
            and "#attributes" not in fields
        ):
            return fields
        try:
            return data_fields(fields)
        except RecursionError:  # thousands of objects in one another
            return {"Data": text.decode()}
    return {}


def _value(text: bytes) -> Any:
    """A JSON value. What no number or stack can hold (1e999, thousands of brackets) is given as the text it is."""
    try:
        return _decode_any(text)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return {name: _part(bytes(part)) for name, part in _decode_parts(text).items()}
    except (msgspec.DecodeError, RecursionError):
        return text.decode()


def _part(text: bytes) -> Any:
    try:
        return _decode_any(text)
    except (msgspec.DecodeError, RecursionError):
        return text.decode()


_RARE: Final = (
    *("EventID_Qualifiers", "Version", "Level", "Task", "Opcode", "Keywords", "EventRecordID"),
    *("Provider_Guid", "Provider_EventSourceName", "TimeCreated_SystemTime", "TimeCreated_RawTime"),
    *("Correlation_ActivityID", "Correlation_RelatedActivityID", "Security_UserID"),
    *("Execution_ProcessID", "Execution_ThreadID", "Execution_ProcessorID", "Execution_SessionID"),
    *("Execution_KernelTime", "Execution_UserTime", "Execution_ProcessorTime"),
)
"""The rest of the header, as Microsoft's schema of events names it: hardly any rule asks for it."""


def _of_header(name: str) -> Callable[[bytes, Any], Any]:
    """What decodes one of these from a record's bytes."""
    element = name.partition("_")[0]

    def get(raw: bytes, event: Any) -> Any:
        try:
            value = _element_decoder(element)(raw).event.system.value
        except (msgspec.DecodeError, RecursionError):  # a number that no number can hold
            return header_of(raw).get(name)
        return flatten_system({element: value}).get(name)

    return get


@lru_cache(maxsize=len(_RARE))
def _element_decoder(element: str) -> Callable[[bytes], Any]:
    """A decoder for one element of the header alone, made when it is first wanted."""
    value = ("value", Any, msgspec.field(default=None, name=element))
    system = ("system", msgspec.defstruct("System", [value], gc=False), msgspec.field(name="System"))
    event = ("event", msgspec.defstruct("Event", [system], gc=False), msgspec.field(name="Event"))
    return msgspec.json.Decoder(msgspec.defstruct("Record", [event], gc=False)).decode


def header_of(raw: bytes) -> dict[str, Any]:
    """A record's whole header under Sigma's names."""
    return flatten_system(_value(bytes(_decode_system(raw).event.system)))


class EvtxLayout:
    """Heads are `Event`; whatever it lacks is decoded from the record when asked for."""

    name = "evtx-json"
    json = True
    mended = False
    _getters: Final[Mapping[str, Callable[[bytes, Any], Any]]] = {
        "Channel": lambda raw, event: event.system.channel,
        "Computer": lambda raw, event: event.system.computer,
        "EventID": lambda raw, event: event_number(event.system.event_id),
        "Provider_Name": lambda raw, event: event.system.provider.attributes.name,
        **{name: _of_header(name) for name in _RARE},
    }

    def getter(self, name: str) -> Callable[[bytes, Any], Any] | None:
        """See `model.batch.Layout`."""
        return self._getters.get(name)

    def event(self, raw: bytes, head: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `model.batch.Layout`."""
        return {**header_of(raw), **fields}
