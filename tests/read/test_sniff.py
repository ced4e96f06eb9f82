"""What a source is, told by its content."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.read.reading import CORPORA, needs_corpora, read_all, write

from undertag.read.registry import FORMATS
from undertag.read.sniff import looks_like, sniff

EVTX_HEADER = b"ElfFile\0" + bytes(4088)

CASES: dict[str, tuple[bytes, str | None]] = {
    "evtx": (EVTX_HEADER + b"ElfChnk\0" + bytes(100), "evtx"),
    "evtx, header damaged": (b"\0" + EVTX_HEADER[1:] + b"ElfChnk\0", "evtx"),
    "evtx, header missing": (b"ElfChnk\0" + bytes(100), "evtx"),
    "json lines": (b'{"a":1}\n{"a":2}\n', "jsonl"),
    "json lines, one without its end": (b'{"a":1}', "jsonl"),
    "json lines, first one cut": (b'"x":1}\n{"a":2}\n{"a":3}\n', "jsonl"),
    "json lines, second one broken": (b'{"a":1}\n{"a":\n{"a":3}\n', "jsonl"),
    "json lines, with blanks": (b'\n\n {"a":1}\n\n{"a":2}\n', "jsonl"),
    "json lines, not a number": (b'{"a":NaN}\n{"a":1}\n', "jsonl"),
    "json lines, CRLF": (b'{"a":1}\r\n{"a":2}\r\n', "jsonl"),
    "json lines, the head cut": (b'{"a":1}\n{"a":2', "jsonl"),
    "json array": (b'[{"a":1},{"a":2}]', "json"),
    "json array, one a line": (b'[\n{"a":1},\n{"a":2}\n]\n', "json"),
    "json array, empty": (b"[]", "json"),
    "json pretty-printed": (b'{\n  "a": 1\n}\n{\n  "a": 2\n}\n', "json"),
    "json without any line break": (b'{"a":1}{"a":2}', "json"),
    "json array, each mark on a line of its own": (b'[\n{"a":1}\n,\n{"a":2}\n]\n', "json"),
    "json array, each mark on a line of its own, CRLF": (b'[\r\n{"a":1}\r\n,\r\n{"a":2}\r\n]', "json"),
    "json envelope": (b'{"Records":[{"a":1}]}', "json"),
    "json envelope a line": (b'{"Records":[{"a":1}]}\n{"Records":[{"a":1}]}\n', "json"),
    "json envelope of Azure": (b'{ "records": [\n{"a":1}]}', "json"),
    "json with records that are no objects": (b'{"records":[1,2]}\n{"records":[3]}\n', "jsonl"),
    "json, deep": (b"[" * 70_000, "json"),
    "xml": (b'<?xml version="1.0"?>\n<Events><Event xmlns="x">', "winxml"),
    "xml, no root": (b'<Event xmlns="x"><System>', "winxml"),
    "xml of something else": (b"<html><body>Event</body></html>", "text"),
    "csv": (b"Time,Host,Message\n1,2,3\n4,5,6\n", "csv"),
    "csv, semicolon": (b"Time;Host\n1;2\n", "csv"),
    "csv, tab": (b"Time\tHost\n1\t2\n", "csv"),
    "csv, bar": (b"Time|Host\n1|2\n", "csv"),
    "csv, quoted": (b'"Time","Host"\r\n"1","a, b\r\nc"\r\n"2","x"\r\n', "csv"),
    "csv of PowerShell": (b"#TYPE Some.Type\r\n" + b'"Id","Name"\r\n"1","x"\r\n', "csv"),
    "csv of the event viewer": (
        b'Level,Date and Time,Source,Event ID\nInfo,1,2,3,"a\nb"\nInfo,1,2,3,"c"\n',
        "csv",
    ),
    "csv without a header": (b"2021,10.0.0.1,x\n2022,10.0.0.2,y\n", "text"),
    "text with commas": (b"Nov 27 19:19:30 host app: a, b\nNov 27 19:19:31 host app: c\n", "text"),
    "one column": (b"Name\nx\ny\n", "text"),
    "syslog": (b"Nov 27 19:19:30 host sshd[1]: x\n", "text"),
    "apache error log": (b"[Wed Oct 11 14:32:52 2000] [error] x\n", "text"),
    "braces": (b"{not json} at all\n", "text"),
    "latin-1": ("Zugriff verweigert für Müller\n".encode("latin-1") * 9, "text"),
    "blank": (b" \n\t\n", "text"),
    "an escape sequence": (b"\x1b[31mred\x1b[0m\n", "text"),
    "zeros": (bytes(100), None),
    "noise": (random.Random(5).randbytes(5000), None),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(200)), None),
}


@pytest.mark.parametrize("name", CASES)
def test_sniff(name: str) -> None:
    head, expected = CASES[name]
    assert sniff(head, len(head)) == expected


LONG = b'{"a":"' + b"x" * 100_000 + b'"'
"""More than the head, and no end of the line in sight."""

LONG_LINES: dict[str, tuple[bytes, str, int]] = {
    # name: (source, format, records)
    "documents on one line": (b'{"a":"}{"}' * 20_000, "json", 20_000),
    "documents on one line, with blanks": (b'{"a":1} ' * 20_000, "json", 20_000),
    "documents on one line, the first longer": ((LONG + b"}") * 3, "json", 3),
    "documents on one line, then a line break": ((LONG + b"}") * 2 + b"\n", "json", 2),
    "a pretty document": (LONG + b',\n "b": {\n  "c": 1\n }\n}\n', "json", 1),
    "a pretty document, its line 16 times the head": (
        b'{"a":"' + b"x" * (1 << 20) + b'",\n "b": 1\n}\n',
        "json",
        1,
    ),
    "one line": (LONG + b"}", "jsonl", 1),
    "one line and its end": (LONG + b"}\n", "jsonl", 1),
    "two lines": ((LONG + b"}\n") * 2, "jsonl", 2),
    "a short and a long line": (b'{"a":1}\n' + LONG + b"}\n", "jsonl", 2),
    "a line beyond the bound": (b'{"a":"' + b"x" * (17 << 20) + b'"}\n{"a":1}\n', "jsonl", 1),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", LONG_LINES)
def test_lines_longer_than_the_head(name: str, packed: bool, tmp_path: Path) -> None:
    data, kind, count = LONG_LINES[name]
    found = read_all(write(tmp_path, "x", gzip.compress(data, 1) if packed else data))
    assert (found.formats, len(found.raws)) == ({kind}, count)
    assert found.codes == (["UT114"] if "beyond" in name else [])


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (bytes(50), "nothing but zero bytes"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (b"PAR1xxxx", "a Parquet file"),
        (b"0\0\0\0LfLe", "a Windows event log of before Vista (.evt)"),
        (b"\x01\x02", None),
    ],
)
def test_looks_like(head: bytes, what: str | None) -> None:
    assert looks_like(head) == what


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_have_a_format_or_none(head: bytes, whole: bool) -> None:
    assert sniff(head, len(head) if whole else None) in {*FORMATS, None}


@given(
    st.lists(st.sampled_from([b'{"a"', b":", b"[", b"]", b"{", b"}", b'"', b"\n", b",", b"1", b" ", b"\\"]))
)
def test_nearly_json_has_a_format(parts: list[bytes]) -> None:
    assert sniff(b"".join(parts)) in {*FORMATS}


class TestCorpora:
    pytestmark = needs_corpora

    @pytest.mark.parametrize(
        ("folder", "formats", "records"),
        [
            ("evtx-attack-samples", {"evtx"}, 8255),
            ("security-datasets", {"jsonl", "text"}, 9351),
            ("cloud-samples", {"jsonl"}, 1029),
            ("aws-cloudtrail", {"json"}, 2900),
            ("auditd", {"text"}, 52),
            ("log-lines", {"text", "jsonl"}, 211),
        ],
    )
    def test_is_read_whole(self, folder: str, formats: set[str], records: int) -> None:
        found = read_all(CORPORA / folder)
        assert (len(found.raws), found.formats, found.codes) == (records, formats, [])
