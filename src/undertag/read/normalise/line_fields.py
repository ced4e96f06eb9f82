"""A line of text as fields: syslog's header, CEF, LEEF, a JSON object in it, the pairs of Linux's audit log.

Contract: `fields_of(line)` never fails and is linear in the line. Where nothing else is known, the line is `message`. A syslog header
gives `program`, `message`, and `host`, `pid`, `time` where it has them (RFC 3164, RFC 5424, and the usual mixtures with ISO times); a
time without a year is none. CEF and LEEF give their header under CEF's names and each pair of the extension; a custom text's label
names it too. Lines of auditd give every field by its own name, hexadecimal texts decoded, quotes off; the translated
fields that an enriched log adds stand beside the raw ones, in capitals as auditd writes them.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson
import re2

_NAME: Final = (
    r"(?P<program>[A-Za-z][A-Za-z0-9_.+/@-]{0,63})(?:\([A-Za-z0-9_.-]+\))?(?:\[(?P<pid>[0-9]{1,10})\])?"
)
_HEADERS: Final = tuple(
    re2.compile(text)
    for text in (
        # RFC 5424
        r"^<[0-9]{1,3}>1 (?P<time>[0-9]{4}-[^ ]{6,30}) (?P<host>[^ ]+) (?P<program>[^ ]+) (?P<pid>[^ ]+) [^ ]+ "
        r"(?:-|(?:\[(?:[^\]\\]|\\.)*\])+) ?(?P<message>.*)$",
        # RFC 3164, with or without priority, year, host
        r"^(?:<[0-9]{1,3}>)?(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}(?: [0-9]{4})?) (?:(?P<host>[^ :\[\]]+) )?"
        + _NAME
        + r": (?P<message>.*)$",
        # the same with a whole time
        r"^(?:<[0-9]{1,3}>)?(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,18} ?(?:Z|[+-][0-9:]{4,6})?) +(?P<host>[^ :\[\]]+) "
        + _NAME
        + r": (?P<message>.*)$",
    )
)
_AUDIT: Final = re2.compile(
    r"^(?:node=(?P<node>[^ ]+) )?type=(?P<type>[A-Z0-9_\[\]]{1,40}) "
    r"msg=audit\((?P<time>[0-9]{1,12}(?:\.[0-9]{1,6})?):(?P<audit_id>[0-9]{1,20})\): ?(?P<rest>.*)$"
)
_MARKED: Final = ("CEF:0|", "CEF:1|", "LEEF:1.0|", "LEEF:2.0|")
_MAX_HEADER: Final = 512
_CEF: Final = ("DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Name", "Severity")
_BAR: Final = re.compile(r"(?<!\\)\|")
_CEF_KEY: Final = re.compile(r"(?:^|(?<=\s))([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})(?<!\\)=")
_PAIR: Final = re2.compile(r"""([A-Za-z_][A-Za-z0-9_-]*)=("[^"]*"|'[^']*'|[^ \x1d]*)""")
_HEX: Final = re2.compile(r"^(?:[0-9A-F]{2})+$")
_ENCODED: Final = frozenset(
    {
        "exe",
        "comm",
        "cwd",
        "name",
        "proctitle",
        "cmd",
        "acct",
        "key",
        "data",
        "path",
        "dir",
        "file",
        "grp",
        "new_group",
        "vm",
    }
)
"""Fields that auditd writes in hexadecimal where they hold blanks, quotes or control characters (auditd's field dictionary)."""
_MAX_PAIRS: Final = 2000


def fields_of(line: str) -> dict[str, Any]:
    """The fields of a line."""
    if line.startswith(("type=", "node=")):
        audit = _AUDIT.match(line)
        if audit is not None:
            return _of_audit(audit.groupdict())
    for mark in _MARKED:
        start = line.find(mark)
        if 0 <= start < _MAX_HEADER:
            return _of_cef(line, start) if mark.startswith("CEF") else _of_leef(line, start)
    for header in _HEADERS:
        found = header.match(line)
        if found is not None:
            fields = {name: text for name, text in found.groupdict().items() if text not in (None, "", "-")}
            fields.setdefault("message", "")
            return {**fields, **_of_json(fields["message"])}
    return {"message": line}


def _of_json(message: str) -> dict[str, Any]:
    text = message.lstrip("\ufeff ")
    if text[:1] != "{":
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_cef(line: str, start: int) -> dict[str, Any]:
    """CEF: seven parts between bars, then `key=value` pairs whose values may hold blanks."""
    parts = _BAR.split(line[start:], maxsplit=7)
    fields: dict[str, Any] = {}
    for name, text in zip(_CEF, parts[1:7], strict=False):
        fields[name] = text.replace("\\|", "|").replace("\\\\", "\\")
    if len(parts) > 7:
        places = [(found.start(), found.end(), found[1]) for found in _CEF_KEY.finditer(parts[7])][
            :_MAX_PAIRS
        ]
        ends = [*(place[0] for place in places[1:]), len(parts[7])]
        for (_, begin, name), end in zip(places, ends, strict=True):
            text = parts[7][begin:end].strip().replace("\\=", "=").replace("\\n", "\n").replace("\\\\", "\\")
            fields.setdefault(name, text)
        for name in [name for name in fields if name.endswith("Label")]:
            value = fields.get(name.removesuffix("Label"))
            if value is not None and fields[name]:
                fields.setdefault(fields[name], value)
    return fields


def _of_leef(line: str, start: int) -> dict[str, Any]:
    """LEEF: five parts between bars (six from 2.0 on, the last being the delimiter), then pairs."""
    parts = line[start:].split("|")
    fields: dict[str, Any] = {}
    fields.update(zip(_CEF, parts[1:5], strict=False))
    rest, delimiter = "|".join(parts[5:]), "\t"
    if line.startswith("LEEF:2", start) and len(parts) > 6:
        delimiter = _delimiter(parts[5])
        rest = "|".join(parts[6:])
    for pair in rest.split(delimiter)[:_MAX_PAIRS]:
        name, equals, text = pair.partition("=")
        if equals:
            fields.setdefault(name.strip(), text.strip())
    return fields


def _delimiter(text: str) -> str:
    """The delimiter that LEEF 2.0 names: a character, or its number in hexadecimal."""
    digits = text.lower().removeprefix("0x").removeprefix("x")
    if len(text) > 1 and digits and len(digits) <= 4 and not set(digits) - set("0123456789abcdef"):
        return chr(int(digits, 16))
    return text or "\t"


def _of_audit(head: dict[str, str | None]) -> dict[str, Any]:
    rest = head.pop("rest") or ""
    fields: dict[str, Any] = {name: text for name, text in head.items() if text is not None}
    for name, text in _pairs(rest, arguments=head["type"] == "EXECVE")[:_MAX_PAIRS]:
        fields.setdefault(name, text)
    return fields


def _pairs(rest: str, *, arguments: bool) -> list[tuple[str, str]]:
    """`arguments`: whether a0, a1, … are a program's arguments, and not numbers."""
    pairs = []
    for name, text in _PAIR.findall(rest):
        if name == "msg" and text[:1] == "'":  # user-space records carry their own pairs in quotes
            pairs.extend(_pairs(text[1:-1], arguments=False))
        elif text[:1] in ('"', "'"):
            pairs.append((name, text[1:-1]))
        elif name in _ENCODED or (arguments and name[0] == "a" and name[1:2].isdigit()):
            pairs.append((name, _decoded(text)))
        else:
            pairs.append((name, text))
    return pairs


def _decoded(text: str) -> str:
    """The text that a field in hexadecimal stands for."""
    if len(text) > 1 and _HEX.match(text):
        return bytes.fromhex(text).replace(b"\0", b" ").decode("utf-8", "replace")
    return text
