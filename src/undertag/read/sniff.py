"""What a source holds, told by its first bytes and never by its name.

Contract: `sniff(head)` is a pure function of the bytes; it gives the name of a format in `read.registry`,
or None for what is no text and no known binary. Byte order marks are off and UTF-16 is UTF-8 by then.
"""

from __future__ import annotations

import json
import re
from typing import Final

import orjson

from undertag.read.formats.delimited import csv_delimiter
from undertag.read.limits import HEAD_BYTES

EVTX_MAGIC: Final = b"ElfFile\0"
CHUNK_MAGIC: Final = b"ElfChnk\0"
EVTX_HEADER_BYTES: Final = 4096
_XML: Final = re.compile(rb"<(?:\?xml|!DOCTYPE|!--|Events?[\s>])")
_EVENT: Final = re.compile(rb"<Events?[\s>]")
_JSON_START: Final = re.compile(rb'\{\s*["}]|\[\s*[\[{\]]')
ENVELOPE: Final = re.compile(rb'\{\s*"[Rr]ecords"\s*:\s*\[\s*(?=[{\]]|\Z)')
"""The beginning of an object that is nothing but a wrapping around records, as CloudTrail and Azure write
it."""
_LINES: Final = 64
_CONTROLS: Final = bytes({*range(32), 127} - {*b"\t\n\r\f\v\b\x1b"})
_MAX_CONTROL_SHARE: Final = 0.05
_MAX_UNDECODABLE_SHARE: Final = 0.3
_KNOWN: Final = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"BZh", "bzip2 data"),
    (b"\x04\x22\x4d\x18", "LZ4 data"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a Linux program"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture"),
    (b"\xa1\xb2\xc3\xd4", "a packet capture"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"LfLe", "a Windows event log of before Vista (.evt)"),
    (b"0\0\0\0LfLe", "a Windows event log of before Vista (.evt)"),
    (b"regf", "a Windows registry hive"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


def sniff(head: bytes, size: int | None = None) -> str | None:
    """The format of a source.

    Args:
        head: its first bytes, at least 4,104 where it has so many, and more while `is_undecided`.
        size: the bytes that the source has in all, None where unknown: whether `head` is the whole of it.
    """
    if is_evtx(head):
        return "evtx"
    whole = size is not None and size <= len(head)
    text = head.lstrip(b" \t\r\n")
    if not text:
        return "text"
    if _JSON_START.match(text):
        return "json" if ENVELOPE.match(text) or not _is_json_lines(text, whole) else "jsonl"
    if _XML.match(text) and _EVENT.search(text):
        return "winxml"
    if _is_json_lines(text, whole):
        return "jsonl"
    if not _is_text(head):
        return None
    return "csv" if csv_delimiter(head) else "text"


def is_undecided(head: bytes) -> bool:
    """Whether a head, not the whole of its source, is but the beginning of one JSON document on one line: what
    comes after that tells whether its lines are documents."""
    text = head.lstrip(b" \t\r\n")
    if not text.startswith(b"{") or b"\n" in text or ENVELOPE.match(text):
        return False
    return not _runs_on(text[:HEAD_BYTES])  # no more of it each time: what is beyond is looked at once


def is_evtx(head: bytes) -> bool:
    """Whether the source is an EVTX file, be its header damaged or missing."""
    return head.startswith((EVTX_MAGIC, CHUNK_MAGIC)) or head.startswith(CHUNK_MAGIC, EVTX_HEADER_BYTES)


def looks_like(head: bytes) -> str | None:
    """What an unknown source seems to be, for the person who has to do something about it."""
    if head and not head.strip(b"\0"):
        return "nothing but zero bytes"
    return next((what for magic, what in _KNOWN if head.startswith(magic)), None)


def _is_json_lines(text: bytes, whole: bool) -> bool:
    """Whether most of the first lines are objects, each on its own."""
    lines = text.split(b"\n", _LINES)
    if lines[0].rstrip() == b"[":
        return False
    if len(lines) == 1:
        return text.startswith(b"{") and not _runs_on(text)
    if not whole or len(lines) > _LINES:
        lines.pop()
    lines = [line for line in map(bytes.strip, lines) if line]
    objects = sum(1 for line in lines if line[:1] == b"{" and line[-1:] == b"}" and not _runs_on(line))
    return objects * 2 >= len(lines) and objects > 0


def _runs_on(line: bytes) -> bool:
    """Whether a line, or what is there of it, holds more than one document."""
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            _, end = json.JSONDecoder().raw_decode(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return False
        return end < len(line.decode("utf-8", "replace").rstrip())
    return False


def _is_text(head: bytes) -> bool:
    bad = len(head) - len(head.translate(None, _CONTROLS))
    if bad > len(head) * _MAX_CONTROL_SHARE:
        return False
    undecodable = head.decode("utf-8", "replace").count("\ufffd")
    return undecodable <= len(head) * _MAX_UNDECODABLE_SHARE + 1
