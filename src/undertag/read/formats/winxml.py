"""Windows events as XML: `<Event>` elements, alone, in an `<Events>` root, or several after each other.

Contract: a record's raw is its element's text, its document has the shape of EVTX-as-JSON. Each element is
parsed on its own: no document type, no entities of the file's own, no network, no files, bounded size and
depth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from lxml import etree

from undertag.model.source import Records, Unit
from undertag.read import faults
from undertag.read.formats.runs import cut
from undertag.read.limits import MAX_RECORD_BYTES
from undertag.read.source import Source, unit_data

_END: Final = b"</Event>"
_START: Final = re.compile(rb"<Event[\s>]")
_BETWEEN: Final = re.compile(
    rb"(?:\s++|</?Events[^<>]*+>|<\?[^<>?]*+\?>|<!--(?:[^-]++|-(?!->))*+-->|<!DOCTYPE[^<>\[]*+>)*+"
)
_ILLEGAL: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));",
    re.I,
)
_NUMBERS: Final = frozenset({"EventID", "Version", "Level", "Task", "Opcode", "EventRecordID"})
_NUMBER_ATTRIBUTES: Final = frozenset({"ProcessID", "ThreadID", "Qualifiers"})
_MAX_DIGITS: Final = 18


class WindowsXml:
    """Reader of `winxml`."""

    what = "Windows events as XML, as wevtutil and Get-WinEvent write them"

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        """See `registry.Format`."""
        return cut(source, "winxml", unit_bytes, _END)

    def records(self, unit: Unit) -> Records:
        """See `registry.Format`."""
        result = Records(raws=[], docs=[])
        data = unit_data(unit)
        at = 0
        while (end := data.find(_END, at)) >= 0:
            end += len(_END)
            starts = [match.start() for match in _START.finditer(data, at, end)]
            start = starts[-1] if starts else end
            _tell_between(unit, data, at, start, result)
            if starts:
                _add(unit, data[start:end], start, result)
            at = end
        _tell_between(unit, data, at, len(data), result)
        return result

    def locate(self, unit: Unit, index: int) -> int:
        """See `registry.Format`."""
        offsets = self.records(unit).offsets
        return offsets[index] if index < len(offsets) else -1


def _tell_between(unit: Unit, data: bytes, start: int, end: int, result: Records) -> None:
    """Tells of anything between two events that doesn't belong there."""
    found = _BETWEEN.match(data, start, end)
    at = found.end() if found is not None else start
    if at < end:
        message = "an event isn't closed" if _START.match(data, at, end) else "not a Windows event"
        result.problems.append(
            faults.bad_record(unit.source, message, data[at : min(end, at + 512)], offset=unit.offset + at)
        )


def _add(unit: Unit, raw: bytes, start: int, result: Records) -> None:
    assert result.docs is not None
    offset = unit.offset + start
    if len(raw) > MAX_RECORD_BYTES:
        result.problems.append(faults.too_long(unit.source, offset, len(raw), MAX_RECORD_BYTES))
        return
    try:
        element = etree.fromstring(raw, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        mended = _ILLEGAL.sub("\ufffd", raw.decode("utf-8", "replace"))
        try:
            element = etree.fromstring(mended.encode(), _parser())
        except (etree.XMLSyntaxError, ValueError):
            result.problems.append(
                faults.bad_record(unit.source, f"not valid XML: {error}", raw, offset=offset)
            )
            return
        message = "characters that XML forbids, replaced by U+FFFD"
        result.problems.append(
            faults.mended_text(unit.source, message, record=len(result.raws), offset=offset)
        )
    result.raws.append(raw)
    result.docs.append({"Event": _event(element)})
    result.offsets.append(offset)


@cache
def _parser() -> etree.XMLParser:
    """Entities of XML's own only; libxml2's own bounds (depth 256, 10 MB of text) stay on."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )


def _event(element: Any) -> dict[str, Any]:
    event: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    for child in element:
        name = _name(child)
        if name == "System":
            event[name] = {_name(part): _header(part) for part in child}
        elif name == "EventData":
            event[name] = _data(child)
        else:
            _put(event, counts, name, _tree(child) or None)
    return event


def _header(part: Any) -> Any:
    """An element of the event's header; its numbers as numbers, as the binary form has them."""
    name = _name(part)
    text = (part.text or "").strip()
    value: Any = (
        int(text)
        if name in _NUMBERS and text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
        else text
    )
    if not part.attrib:
        return value if text else None
    found: dict[str, Any] = {
        "#attributes": {key: _attribute(key, attribute) for key, attribute in part.attrib.items()}
    }
    if text:
        found["#text"] = value
    return found


def _attribute(name: str, text: str) -> Any:
    return (
        int(text)
        if name in _NUMBER_ATTRIBUTES and text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
        else text
    )


def _data(element: Any) -> dict[str, Any] | None:
    """`EventData`: named values under their names, unnamed ones as the texts of `Data`."""
    data: dict[str, Any] = {}
    counts: Counter[str] = Counter()
    unnamed: list[Any] = []
    for child in element:
        if _name(child) != "Data":
            _put(data, counts, _name(child), _tree(child))
        elif "Name" in child.attrib:
            _put(data, counts, child.attrib["Name"], child.text or "")
        else:
            unnamed.append(child.text or "")
    if unnamed:
        data["Data"] = {"#text": unnamed if len(unnamed) > 1 else unnamed[0]}
    return data or None


def _tree(element: Any) -> Any:
    """Any element: its text, or its attributes and children by name."""
    found: dict[str, Any] = {}
    if element.attrib:
        found["#attributes"] = dict(element.attrib)
    counts: Counter[str] = Counter()
    for child in element:
        _put(found, counts, _name(child), _tree(child))
    text = element.text or ""
    if not found:
        return text
    if text.strip():
        found["#text"] = text
    return found


def _put(into: dict[str, Any], counts: Counter[str], name: str, value: Any) -> None:
    """Sets a value; what comes again under the same name is numbered, as the `evtx` library numbers it.

    `counts` go on where they were, so that a thousand equal names don't take a million steps.
    """
    unique = name
    while unique in into:
        counts[name] += 1
        unique = f"{name}_{counts[name]}"
    into[unique] = value


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
