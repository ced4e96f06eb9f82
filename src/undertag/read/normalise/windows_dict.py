"""Windows events that were decoded to objects: the shapes in use, brought to one.

Contract: `windows_event(doc)` gives a `WindowsEvent` for EVTX-as-JSON of any dialect, Winlogbeat/ECS and flat
records (nxlog, Mordor, NXLog-like exports), or None for what is no Windows event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, Final

from undertag.read.normalise.blanks import with_blanks
from undertag.read.normalise.clock import flat_time
from undertag.read.normalise.winlogbeat import level_of, masks, unname

_CHANNEL: Final = ("Channel", "LogName", "channel", "log_name")
_EVENT_ID: Final = ("EventID", "EventId", "event_id", "Event_ID", "eventID")
_PROVIDER: Final = ("Provider_Name", "SourceName", "ProviderName", "Provider", "source_name", "provider_name")
_COMPUTER: Final = ("Computer", "Hostname", "ComputerName", "MachineName", "computer_name", "hostname")
_ATTRIBUTES: Final = "_attributes"
"""What `evtx_dump --separate-json-attributes` adds to an element's name for the object of its attributes."""
_NESTED: Final = ("EventData", "event_data", "ExtraEventData", "UserData", "user_data")
_HEAD: Final[Mapping[str, tuple[str, ...]]] = {
    "EventID": _EVENT_ID,
    "Channel": _CHANNEL,
    "Provider_Name": _PROVIDER,
    "Computer": _COMPUTER,
    "Provider_Guid": ("Provider_Guid", "ProviderGuid", "provider_guid"),
    "EventRecordID": ("EventRecordID", "RecordNumber", "record_id", "EventRecordId"),
    "Execution_ProcessID": ("Execution_ProcessID", "ExecutionProcessID"),
    "Execution_ThreadID": ("Execution_ThreadID", "ThreadID"),
    "Security_UserID": ("Security_UserID", "UserID"),
    "Correlation_ActivityID": ("Correlation_ActivityID", "ActivityID", "activity_id"),
}


@dataclass(frozen=True, slots=True)
class WindowsEvent:
    """What routes an event, when and where it was, and its fields."""

    channel: str
    event_id: int
    provider: str
    computer: str
    time: Any
    head: Mapping[str, Any]
    fields: Mapping[str, Any]


class HeadLayout:
    """Heads are objects whose header fields go by one of several names."""

    def __init__(self, *, json: bool, mended: bool = False) -> None:
        self.name = "windows-fields"
        self.json = json
        self.mended = mended
        self._named = {field: _first_of(names) for field, names in _HEAD.items()}
        self._getters: dict[str, Callable[[bytes, Any], Any]] = {}
        """By the names that rules ask for."""

    def getter(self, name: str) -> Callable[[bytes, Any], Any] | None:
        """See `model.batch.Layout`."""
        if "." in name:
            return None
        get = self._getters.get(name)
        if get is None:
            of_head = self._named.get(name) or methodcaller("get", name)
            get = self._getters[name] = lambda raw, head: of_head(head)
        return get

    def event(self, raw: bytes, head: Any, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `model.batch.Layout`."""
        named = {name: value for name, get in self._named.items() if (value := get(head)) is not None}
        return {**head, **named, **fields}


def _first_of(names: tuple[str, ...]) -> Callable[[Any], Any]:
    def get(head: Any) -> Any:
        for name in names:
            value = head.get(name)
            if value is not None:
                return value
        return None

    return get


channel_of: Final = _first_of(_CHANNEL)
event_id_of: Final = _first_of(_EVENT_ID)
provider_of: Final = _first_of(_PROVIDER)
computer_of: Final = _first_of(_COMPUTER)


def windows_event(doc: Any) -> WindowsEvent | None:
    """Reads a decoded record as a Windows event, None if it is none."""
    if not isinstance(doc, Mapping):
        return None
    event = doc.get("Event")
    if isinstance(event, Mapping) and isinstance(event.get("System"), Mapping):
        return _from_event(event)
    winlog = doc.get("winlog")
    if isinstance(winlog, Mapping):
        return _from_winlog(doc, winlog)
    if "winlog.event_id" in doc:
        return _from_winlog(doc, _dotted(doc, "winlog."))
    source = doc.get("_source")
    if isinstance(source, Mapping):
        return windows_event(source)
    return _from_flat(doc)


def _from_event(event: Mapping[str, Any]) -> WindowsEvent | None:
    head = flatten_system(event["System"])
    number = _number(head.get("EventID"))
    if number is None:
        return None
    data: Any = next(
        (event[k] for k in ("EventData", "UserData", "ProcessingErrorData") if event.get(k) is not None), {}
    )
    fields, rendered = data_fields(data), event.get("RenderingInfo")
    _tell(fields, rendered.get("Message") if isinstance(rendered, Mapping) else None)
    return WindowsEvent(
        channel=_text(head.get("Channel")),
        event_id=number,
        provider=_text(head.get("Provider_Name")),
        computer=_text(head.get("Computer")),
        time=head.get("TimeCreated_SystemTime", head.get("TimeCreated")),
        head=head,
        fields=fields,
    )


def _from_winlog(doc: Mapping[str, Any], winlog: Mapping[str, Any]) -> WindowsEvent | None:
    number = _number(winlog.get("event_id"))
    if number is None:
        return None
    head = {
        "EventID": number,
        "Channel": winlog.get("channel"),
        "Provider_Name": winlog.get("provider_name"),
        "Provider_Guid": winlog.get("provider_guid"),
        "Computer": winlog.get("computer_name"),
        "EventRecordID": winlog.get("record_id"),
        "Correlation_ActivityID": winlog.get("activity_id"),
        "Task": winlog.get("task"),
        "Opcode": winlog.get("opcode"),
        "Keywords": masks(winlog.get("keywords")),
        "Level": level_of(doc),
    }
    fields: dict[str, Any] = {}
    for name in ("event_data", "user_data"):
        data = winlog.get(name)
        if isinstance(data, Mapping):
            fields.update(data_fields(data))
        fields.update(_dotted(winlog, name + "."))
    unname(fields)
    _tell(fields, doc.get("message"))
    return WindowsEvent(
        channel=_text(head["Channel"]),
        event_id=number,
        provider=_text(head["Provider_Name"]),
        computer=_text(head["Computer"]),
        time=winlog.get("time_created") or doc.get("@timestamp"),
        head=head,
        fields=with_blanks(_text(head["Channel"]), fields),
    )


def _from_flat(doc: Mapping[str, Any]) -> WindowsEvent | None:
    channel, number = channel_of(doc), _number(event_id_of(doc))
    if number is None or not isinstance(channel, str):
        return None
    fields = doc
    for name in _NESTED:
        nested = doc.get(name)
        if isinstance(nested, Mapping):
            data = data_fields(nested)
            if name == "event_data":
                unname(data)
                _tell(data, doc.get("Message") or doc.get("message"))
            fields = {**fields, **data}
    if channel == "Windows PowerShell" and "Data" not in fields and "Message" in fields:
        # its data has no names, so that a flat record has it within the message alone
        fields = {**fields, "Data": fields["Message"]}
    return WindowsEvent(
        channel=channel,
        event_id=number,
        provider=_text(provider_of(doc)),
        computer=_text(computer_of(doc)),
        time=flat_time(doc),
        head=doc,
        fields=with_blanks(channel, fields),
    )


def flatten_system(system: Mapping[str, Any]) -> dict[str, Any]:
    """An event's header under Sigma's names: an attribute is joined to its element's name by `_`."""
    flat: dict[str, Any] = {}
    for name, value in system.items():
        if not isinstance(value, Mapping):
            flat[name] = value
            continue
        inner = value.get("#attributes")
        name = name.removesuffix(_ATTRIBUTES)
        for key, item in (inner if isinstance(inner, Mapping) else value).items():
            if key == "#text":
                flat[name] = item
            elif not isinstance(item, Mapping):
                flat[f"{name}_{key.lstrip('@')}"] = item
        if "#text" in value:
            flat[name] = value["#text"]
    return flat


def data_fields(data: Any) -> dict[str, Any]:
    """The fields of `EventData` or `UserData`, in any of the ways that converters write them."""
    fields: dict[str, Any] = {}
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name in ("#attributes", "xmlns") or name.startswith("@"):
                continue
            if name == "Data":
                _unnamed(value, fields)
            elif isinstance(value, Mapping):
                if "#text" in value:
                    fields[name] = value["#text"]
                elif not name.endswith(_ATTRIBUTES):
                    fields.update(data_fields(value))
            else:
                fields[name] = value
    elif data is not None:
        _unnamed(data, fields)
    return fields


def _unnamed(value: Any, fields: dict[str, Any]) -> None:
    """`Data` elements: named ones become fields of their own, the others the texts of the field `Data`."""
    texts = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, Mapping):
            texts.append(item)
            continue
        inner = item.get("#attributes")
        attributes = inner if isinstance(inner, Mapping) else item
        name = attributes.get("Name", attributes.get("@Name"))
        text = item.get("#text", item.get("text", item.get("content")))
        if isinstance(name, str):
            fields[name] = text
        elif isinstance(text, list):
            texts.extend(text)
        else:
            texts.append(text)
    if texts:
        fields["Data"] = texts if len(texts) > 1 else texts[0]


def _tell(fields: dict[str, Any], message: Any) -> None:
    """Gives the text that Windows shows of an event as `Message`, where the event has no such field of its own."""
    if isinstance(message, str) and message:
        fields.setdefault("Message", message)


def _dotted(doc: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {name[len(prefix) :]: value for name, value in doc.items() if name.startswith(prefix)}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    if isinstance(value, Mapping):
        value = value.get("#text")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
        return int(value)
    if isinstance(value, float) and value.is_integer():  # some converters know no other numbers
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32 else None
