"""A line of text as fields: syslog's header, CEF, LEEF, a JSON object in it, the pairs of Linux's audit log.

Contract: `fields_of(line)` never fails and is linear in the line. Where nothing else is known, the line is `message`. A syslog header
gives `program`, `message`, and `host`, `pid`, `time` where it has them (RFC 3164, RFC 5424, and the usual mixtures with ISO times); a
time without a year is none. CEF and LEEF give their header under CEF's names, each pair of the extension (a custom text's label
names it too), and what a syslog header before them knows; a message that merely quotes them stays a message. Lines of auditd
give every field by its own name, hexadecimal texts decoded, quotes off; the translated fields that an enriched log adds
stand beside the raw ones, in capitals as auditd writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any, Final

import orjson
import re2

_NAME: Final = (
    r"(?P<program>[A-Za-z][A-Za-z0-9_.+/@-]{0,63})(?:\([A-Za-z0-9_.-]+\))?(?:\[(?P<pid>[0-9]{1,10})\])?"
)
_SHORT: Final = r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}(?: [0-9]{4})?"
_ISO: Final = r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]{8,18} ?(?:Z|[+-][0-9:]{4,6})?)"
_HOST: Final = r"(?P<host>[^ :\[\]]+|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"
"""A name or an address; one of IPv6 has two colons at least, a program's name before its message has one."""
_MESSAGE: Final = r":(?: (?P<message>.*))?$"
_PRIORITY: Final = "^(?:<[0-9]{1,3}>)?"
# RFC 5424; `-` stands for whatever isn't known
_RFC5424: Final = re2.compile(
    r"^<[0-9]{1,3}>1 (?P<time>-|[0-9]{4}-[^ ]{6,30}) (?P<host>[^ ]+) (?P<program>[^ ]+) (?P<pid>[^ ]+) (?P<msgid>[^ ]+) "
    r"(?P<data>-|(?:\[(?:[^\]\\]|\\.)*\])+) ?(?P<message>.*)$"
)
_PARAMETER: Final = re2.compile(r'([^ =\]"\[]{1,32})="((?:[^"\\]|\\.)*)"')
"""A parameter of structured data; in its value a backslash stands before `"`, `\\` and `]`."""
_QUOTED: Final = re.compile(r'\\(["\\\]])')
# RFC 3164, with or without priority, year, host
_RFC3164: Final = re2.compile(rf"{_PRIORITY}{_SHORT} (?:{_HOST} )?{_NAME}{_MESSAGE}")
# the same with a whole time
_WHOLE: Final = re2.compile(rf"{_PRIORITY}{_ISO} +{_HOST} {_NAME}{_MESSAGE}")
# no program, since CEF or LEEF follows
_BARE: Final = re2.compile(
    rf"{_PRIORITY}(?:{_SHORT}|{_ISO}) +{_HOST} +(?P<message>(?:CEF:[01]|LEEF:[12]\.0)\|.*)$"
)
_AUDIT: Final = re2.compile(
    r"^(?:node=(?P<node>[^ ]+) )?type=(?P<type>[A-Z0-9_\[\]]{1,40}) "
    r"msg=audit\((?P<time>[0-9]{1,12}(?:\.[0-9]{1,6})?):(?P<audit_id>[0-9]{1,20})\): ?(?P<rest>.*)$"
)
_MARKED: Final = ("CEF:0|", "CEF:1|", "LEEF:1.0|", "LEEF:2.0|")
_MAX_HEADER: Final = 512
_CEF: Final = ("DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Name", "Severity")
_PART: Final = re.compile(r"((?:[^|\\]++|\\.?)*+)(?:\||$)", re.DOTALL)
"""A part of CEF's header and the bar that ends it; bars and backslashes of its own stand behind a backslash."""
_CEF_KEY: Final = re.compile(r"(?:^|(?<=\s))([A-Za-z_][A-Za-z0-9_.\[\]-]{0,63})=")
_ESCAPE: Final = re.compile(r"\\([\\|=nr])")
_ESCAPED: Final = {"n": "\n", "r": "\r"}
_USER: Final = re2.compile(r"(?:^|[ ,])msg='")
_PAIR: Final = re2.compile(r"""([A-Za-z_][A-Za-z0-9_-]*(?:\[[0-9]{1,6}\])?)=("[^"]*"|'[^']*'|[^ \x1d]*)""")
_HEX: Final = re2.compile(r"^(?:[0-9A-F]{2})+$")
_ARGUMENT: Final = re2.compile(r"^a[0-9]{1,6}(?:\[[0-9]{1,6}\])?$")
_ENCODED: Final = frozenset({
    "acct", "cgroup", "cmd", "comm", "cwd", "data", "device", "dir", "exe", "file", "grp", "invalid_context", "key", "name",
    "new_group", "ocomm", "path", "proctitle", "vm", "watch",
    "new-chardev", "new-disk", "new-fs", "new-rng", "old-chardev", "old-disk", "old-fs", "old-rng",
})  # fmt: skip
"""Fields that auditd writes in hexadecimal where they hold blanks, quotes or control characters (auditd's field dictionary)."""
_MAX_PAIRS: Final = 2000


def fields_of(line: str) -> dict[str, Any]:
    """The fields of a line."""
    if not line.isascii():  # re2 takes no text that UTF-8 has no bytes for
        line = line.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if line.startswith(("type=", "node=")):
        audit = _AUDIT.match(line)
        if audit is not None:
            return _of_audit(audit.groupdict())
    marked = "EF:" in line[:_MAX_HEADER]
    header = _header(line, (*_headers(line), _BARE) if marked else _headers(line))
    if header is None:
        return (_of_marked(line, _MAX_HEADER) if marked else None) or {"message": line}
    if marked:
        fields = _of_marked(header["message"].lstrip(), 0)
        if fields:
            del header["message"]
            return {**header, **fields}
    return {**header, **_of_json(header["message"])}


def _headers(line: str) -> tuple[Any, ...]:
    """The forms of header that a line may have, by how it begins: each that is tried in vain costs time."""
    if line.startswith("<"):
        return (_RFC5424, _RFC3164, _WHOLE)
    return (_WHOLE,) if line[:1].isdigit() else (_RFC3164,) if line[:1].isupper() else ()


def _header(line: str, patterns: tuple[Any, ...]) -> dict[str, Any] | None:
    for pattern in patterns:
        found = pattern.match(line)
        if found is not None:
            fields = found.groupdict()
            message = fields.pop("message") or ""
            data = fields.pop("data", None) or ""
            known = {name: text for name, text in fields.items() if text not in (None, "", "-")}
            known["message"] = message.removeprefix("\ufeff")
            for name, text in _PARAMETER.findall(data)[:_MAX_PAIRS]:
                known.setdefault(name, _QUOTED.sub(r"\1", text))
            return known
    return None


def _of_marked(text: str, start: int) -> dict[str, Any]:
    """The fields of CEF or LEEF, whichever begins first within the first `start` characters; none where neither does."""
    places = [(text.find(mark, 0, start + len(mark)), mark) for mark in _MARKED]
    place, mark = min((one for one in places if one[0] >= 0), default=(-1, ""))
    if place < 0:
        return {}
    return _of_cef(text[place:]) if mark.startswith("CEF") else _of_leef(text[place:])


def _of_json(message: str) -> dict[str, Any]:
    text = message.lstrip("\ufeff ")
    if text[:1] != "{":
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _of_cef(text: str) -> dict[str, Any]:
    """CEF: seven parts between bars, then `key=value` pairs whose values may hold blanks."""
    parts: list[str] = []
    end = 0
    while len(parts) < 7 and end < len(text):
        part = _PART.match(text, end)
        if part is None:
            break
        parts.append(part[1])
        end = part.end()
    fields: dict[str, Any] = {
        name: _ESCAPE.sub(_unescaped, part) for name, part in zip(_CEF, parts[1:], strict=False)
    }
    rest = text[end:]
    keys = list(islice(_CEF_KEY.finditer(rest), _MAX_PAIRS + 1))
    for key, following in zip_longest(keys[:_MAX_PAIRS], keys[1:]):
        value = rest[key.end() : following.start() if following else len(rest)]
        fields.setdefault(key[1], _ESCAPE.sub(_unescaped, value.strip()))
    for name in [name for name in fields if name.endswith("Label")]:
        labelled = fields.get(name.removesuffix("Label"))
        if labelled is not None and fields[name]:
            fields.setdefault(fields[name], labelled)
    return fields


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[1], found[1])


def _of_leef(text: str) -> dict[str, Any]:
    """LEEF: five parts between bars (six from 2.0 on, the last being the delimiter, if it is there), then pairs."""
    parts = text.split("|", 6)
    fields: dict[str, Any] = {}
    fields.update(zip(_CEF, parts[1:5], strict=False))
    rest, delimiter = "|".join(parts[5:]), "\t"
    if text.startswith("LEEF:2") and len(parts) > 6 and (len(parts[5]) < 2 or "=" not in parts[5]):
        delimiter = _delimiter(parts[5])
        rest = parts[6]
    for pair in rest.split(delimiter, _MAX_PAIRS)[:_MAX_PAIRS]:
        name, equals, value = pair.partition("=")
        if equals:
            fields.setdefault(name.strip(), value.strip())
    return fields


def _delimiter(text: str) -> str:
    """The delimiter that LEEF 2.0 names: a character, or its number in hexadecimal."""
    digits = text.lower().removeprefix("0x").removeprefix("x")
    if len(text) > 1 and digits and len(digits) <= 4 and not set(digits) - set("0123456789abcdef"):
        return chr(int(digits, 16))
    return text or "\t"


def _of_audit(head: dict[str, str | None]) -> dict[str, Any]:
    raw, _, translated = (head.pop("rest") or "").partition("\x1d")
    fields: dict[str, Any] = {name: text for name, text in head.items() if text is not None}
    user = _USER.search(raw)  # what a program of user space says is the last field, its quotes the outermost
    said = raw[user.end() :] if user else ""
    for text, arguments in (
        (raw[: user.start()] if user else raw, head["type"] == "EXECVE"),
        (said[: said.rfind("'")] if "'" in said else said, False),
        (translated, False),
    ):
        for name, value in _pairs(text, arguments=arguments):
            fields.setdefault(name, value)
    return fields


def _pairs(text: str, *, arguments: bool) -> Iterator[tuple[str, str]]:
    """`arguments`: whether a0, a1, … are a program's arguments, and not numbers."""
    for found in islice(_PAIR.finditer(text), _MAX_PAIRS):
        name, value = found[1], found[2]
        quote = value[:1]
        if quote in ('"', "'"):
            yield name, value[1:-1] if len(value) > 1 and value[-1] == quote else value[1:]
        elif name in _ENCODED or (arguments and _ARGUMENT.match(name)):
            yield name, _decoded(value)
        else:
            yield name, value


def _decoded(text: str) -> str:
    """The text that a field in hexadecimal stands for."""
    if len(text) > 1 and _HEX.match(text):
        return bytes.fromhex(text).replace(b"\0", b" ").decode("utf-8", "replace")
    return text
