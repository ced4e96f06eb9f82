"""JSON lines and text: where lines begin and end, and how long they may be."""

from __future__ import annotations

import gzip
import resource
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.read.reading import read_all, write

from undertag.model.source import Unit
from undertag.read import locate, records, units
from undertag.read.formats import lines, runs

JSON_LINES: dict[str, tuple[bytes, list[bytes]]] = {
    "plain": (b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
    "no end": (b'{"a":1}\n{"a":2}', [b'{"a":1}', b'{"a":2}']),
    "CRLF": (b'{"a":1}\r\n{"a":2}\r\n', [b'{"a":1}', b'{"a":2}']),
    "CR at the end": (b'{"a":1}\n{"a":2}\r', [b'{"a":1}', b'{"a":2}']),
    "blank lines": (b'\n{"a":1}\n  \n\r\n\t\n{"a":2}\n\n', [b'{"a":1}', b'{"a":2}']),
    "leading blanks": (b'  {"a":1}\n\t{"a":2}\n', [b'  {"a":1}', b'\t{"a":2}']),
    "a zero byte stays": (b'{"a":"\0"}\n{"a":2}\n', [b'{"a":"\0"}', b'{"a":2}']),
    "invalid UTF-8 stays": (b'{"a":"\xff"}\n{"a":2}\n', [b'{"a":"\xff"}', b'{"a":2}']),
    "a broken line stays": (b'{"a":1}\n{"a":\n{"a":2}\n', [b'{"a":1}', b'{"a":', b'{"a":2}']),
    "deep nesting stays": (b'{"a":1}\n' + b"[" * 100_000 + b"\n", [b'{"a":1}', b"[" * 100_000]),
    "UTF-8 with its mark": (b'\xef\xbb\xbf{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
    "UTF-16 LE": ('\ufeff{"a":"ü"}\n{"a":2}\n'.encode("utf-16-le"), ['{"a":"ü"}'.encode(), b'{"a":2}']),
    "UTF-16 BE": ('\ufeff{"a":"ü"}\r\n{"a":2}'.encode("utf-16-be"), ['{"a":"ü"}'.encode(), b'{"a":2}']),
    "UTF-16 LE without its mark": ('{"a":1}\n{"a":2}\n'.encode("utf-16-le"), [b'{"a":1}', b'{"a":2}']),
}


@pytest.mark.parametrize("name", JSON_LINES)
def test_lines_as_they_stand_together(name: str) -> None:
    data, _ = JSON_LINES[name]
    found = records(Unit(source="test", source_no=0, format="jsonl", data=data))
    assert found.data in (b"", b"\n".join(found.raws), b"\n".join([*found.raws, b""]))
    assert bool(found.data) == (name != "blank lines")


@pytest.mark.parametrize("unit_bytes", [1, 9, 1 << 20])
@pytest.mark.parametrize("name", JSON_LINES)
def test_json_lines(name: str, unit_bytes: int, tmp_path: Path) -> None:
    data, expected = JSON_LINES[name]
    for packed in (data, gzip.compress(data)):
        found = read_all(write(tmp_path, "x", packed), unit_bytes=unit_bytes)
        assert (found.raws, found.formats, found.codes) == (expected, {"jsonl"}, [])


def test_text(tmp_path: Path) -> None:
    found = read_all(write(tmp_path, "x.json", b"Nov 1 host a: b\r\n\nNov 2 host \xe4 c\n"))
    assert found.formats == {"text"}
    assert found.raws == [b"Nov 1 host a: b", b"Nov 2 host \xe4 c"]
    assert found.docs == [{"message": "Nov 1 host a: b"}, {"message": "Nov 2 host \ufffd c"}]
    assert [(one.code, one.severity, one.place.record) for one in found.problems if one.place] == [
        ("UT112", "warning", 1)
    ]


def test_utf16_that_ends_in_the_middle_of_a_character_is_told(tmp_path: Path) -> None:
    found = read_all(write(tmp_path, "x", '\ufeff{"a":1}\n'.encode("utf-16-le") + b"{"))
    assert (found.raws, found.codes) == ([b'{"a":1}'], ["UT112"])


@pytest.fixture
def short_bound(monkeypatch: pytest.MonkeyPatch) -> int:
    for module in (lines, runs):
        monkeypatch.setattr(module, "MAX_RECORD_BYTES", 100)
    return 100


LONG: dict[str, tuple[bytes, list[bytes], list[int]]] = {
    "in the middle": (b'{"a":1}\n{"%s"}\n{"a":2}\n' % (b"x" * 500), [b'{"a":1}', b'{"a":2}'], [8]),
    "first": (b'{"%s"}\n{"a":2}\n' % (b"x" * 500), [b'{"a":2}'], [0]),
    "last, no end": (b'{"a":1}\n{"%s' % (b"x" * 500), [b'{"a":1}'], [8]),
    "two in a row": (b'{"a":1}\n{"%s"}\n{"%s"}\n' % (b"x" * 500, b"y" * 101), [b'{"a":1}'], [8, 513]),
    "just too long": (b'{"a":1}\n{%s}\n{"a":2}\n' % (b"x" * 99), [b'{"a":1}', b'{"a":2}'], [8]),
    "just not": (b'{"a":1}\n{%s}\n' % (b"x" * 98), [b'{"a":1}', b"{%s}" % (b"x" * 98)], []),
}


@pytest.mark.parametrize("unit_bytes", [1, 7, 64, 101, 300, 1 << 20])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", LONG)
@pytest.mark.usefixtures("short_bound")
def test_a_line_beyond_the_bound_is_told_and_the_rest_read(
    name: str, packed: bool, unit_bytes: int, tmp_path: Path
) -> None:
    data, expected, offsets = LONG[name]
    found = read_all(write(tmp_path, "x", gzip.compress(data) if packed else data), unit_bytes=unit_bytes)
    assert found.raws == expected
    assert [one.code for one in found.problems] == ["UT114"] * len(offsets)
    assert (
        sorted(one.place.offset for one in found.problems if one.place and one.place.offset is not None)
        == offsets
    )


def test_locate_gives_where_a_record_begins(tmp_path: Path) -> None:
    data = b'\n{"a":1}\r\n \n{"a":22}\n{"a":3}\n'
    found = [
        data[locate(unit, index) :].startswith(raw)
        for unit in units([write(tmp_path, "x", data)], unit_bytes=12, problems=[])
        for index, raw in enumerate(records(unit).raws)
    ]
    assert found == [True] * 3
    assert locate(Unit(source="x", source_no=0, format="jsonl", data=b"{}"), 7) == -1


def test_a_file_that_vanished_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "x", b'{"a":1}\n')
    [unit] = units([path], problems=[])
    path.unlink()
    assert [one.code for one in records(unit).problems] == ["UT101"]
    assert locate(unit, 0) == -1


@given(
    st.lists(st.sampled_from([b"{}", b'{"a":"b"}', b"\n", b"\r\n", b" ", b"\n\n", b"{", b"x" * 40])),
    st.integers(1, 60),
    st.booleans(),
)
def test_cutting_elsewhere_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], unit_bytes: int, packed: bool
) -> None:
    data = b'{"a":0}\n{"b":0}\n' * 3 + b"".join(parts)
    folder = tmp_path_factory.mktemp("x")
    path = write(folder, "x", gzip.compress(data) if packed else data)
    assert read_all(path, unit_bytes=unit_bytes).raws == read_all(write(folder, "y", data)).raws


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
@pytest.mark.parametrize("packed", [False, True])
def test_a_line_of_200_mb_takes_no_memory(packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "x"
    with gzip.open(path, "wb", 1) if packed else path.open("wb") as file:
        file.write(b'{"a":1}\n{"a":"')
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"a":2}\n')
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = read_all(path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (found.raws, found.codes) == ([b'{"a":1}', b'{"a":2}'], ["UT114"])
    assert f"{(200 << 20) + 9:,}" in found.problems[0].message
    assert grown < 120 << 10
