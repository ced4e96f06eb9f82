"""CSV: rows under their header's names, with quotes, line breaks and mistakes."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.read.reading import read_all, write

from undertag.read.formats import delimited

HEAD = b"Time,Host,Message\n"

ONE = {"Time": "1", "Host": "a", "Message": "x"}
TWO = {"Time": "2", "Host": "b", "Message": "y"}

CASES: dict[str, tuple[bytes, list[Any], list[str]]] = {
    "plain": (HEAD + b"1,a,x\n2,b,y\n", [ONE, TWO], []),
    "CRLF, no end": (HEAD + b"1,a,x\r\n2,b,y", [ONE, TWO], []),
    "blank lines": (b"\n" + HEAD + b"1,a,x\n\n \n", [ONE], []),
    "quotes": (HEAD + b'1,"a, b","say ""x"""\n', [ONE | {"Host": "a, b", "Message": 'say "x"'}], []),
    "a line break in quotes": (HEAD + b'1,a,"x\n\ny"\n2,b,y\n', [ONE | {"Message": "x\n\ny"}, TWO], []),
    "a quote inside a field": (HEAD + b'1,a,5" disk\n2,b,y\n', [ONE | {"Message": '5" disk'}, TWO], []),
    "short row": (HEAD + b"1,a,x\n2,b\n", [ONE, {"Time": "2", "Host": "b"}], ["UT119"]),
    "long row": (HEAD + b"1,a,x\n2,b,y,z,w\n", [ONE, TWO | {"_extra": ["z", "w"]}], ["UT119"]),
    "invalid UTF-8": (HEAD + b"1,a,\xff\n", [ONE | {"Message": "\ufffd"}], ["UT112"]),
    "a zero byte": (HEAD + b"1,a,\0\n", [ONE | {"Message": "\0"}], []),
    "a zero byte in quotes": (HEAD + b'1,a,"\0"\n', [ONE | {"Message": "\0"}], []),
    "a name twice": (b"Id,Name,Name\n1,a,b\n", [{"Id": "1", "Name": "a", "Name_2": "b"}], []),
    "PowerShell": (b'#TYPE A.B\r\n"Id";"Name"\r\n"1";"x"\r\n', [{"Id": "1", "Name": "x"}], []),
}


@pytest.mark.parametrize("unit_bytes", [1, 12, 1 << 20])
@pytest.mark.parametrize("name", CASES)
def test_rows(name: str, unit_bytes: int, tmp_path: Path) -> None:
    data, docs, codes = CASES[name]
    for packed in (data, gzip.compress(data), b"\xef\xbb\xbf" + data):
        found = read_all(write(tmp_path, "x.json", packed), unit_bytes=unit_bytes)
        assert (found.docs, found.codes, found.formats) == (docs, codes, {"csv"})
        assert all(raw in data for raw in found.raws)


def test_places_and_raws(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + HEAD + b'1,a,"x\ny"\r\n2,b,z\n'
    found = read_all(write(tmp_path, "x", data), unit_bytes=1)
    assert found.raws == [b'1,a,"x\ny"', b"2,b,z"]
    assert [
        data[offset:].startswith(raw) for (_, offset), raw in zip(found.places, found.raws, strict=True)
    ] == [True] * 2


@pytest.mark.parametrize("unit_bytes", [1, 150, 1 << 20])
def test_quotes_that_stay_open_beyond_the_bound_end_with_their_line(
    unit_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 100)
    data = HEAD + b"1,a,x\n" + b'2,b,"y\n' + b"3,c,z\n" * 40
    found = read_all(write(tmp_path, "x", data), unit_bytes=unit_bytes)
    assert [doc["Time"] for doc in found.docs] == ["1", "2", *["3"] * 40]
    assert found.codes == ["UT118"]


@pytest.mark.parametrize("unit_bytes", [1, 150, 1 << 20])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_quotes_that_are_never_closed_end_with_their_line(
    unit_bytes: int, end: bytes, tmp_path: Path
) -> None:
    rows = [b"1,a,x", b'2,b,"y\n"', b'3,c,"never closed', *[b"4,d,z"] * 1000]
    path = write(tmp_path, "x", HEAD + b"\n".join(rows) + end)
    found = read_all(path, unit_bytes=unit_bytes)
    assert found.raws == rows
    assert found.docs[2] == {"Time": "3", "Host": "c", "Message": "never closed"}
    assert [str(one) for one in found.problems] == [
        f"{path} @ byte {len(HEAD) + 15}: UT118 quotes that begin on this line are never closed:"
        " the row was taken to end with its line (the records that are whole were read)"
    ]


@pytest.mark.parametrize("unit_bytes", [1, 150, 1 << 20])
def test_a_line_beyond_the_bound_is_told(
    unit_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 100)
    data = HEAD + b"1,a,x\n2,b," + b"y" * 500_000 + b"\n3,c,z\n"
    found = read_all(write(tmp_path, "x", data), unit_bytes=unit_bytes)
    assert [doc["Time"] for doc in found.docs] == ["1", "3"]
    assert found.codes == ["UT114"]


def test_quotes_take_linear_time(tmp_path: Path) -> None:
    data = HEAD + b"1,a,x\n" + b'1,a,"' + b'""' * 500_000 + b'"\n' + b'1,"a,' * 100_000 + b"\n"
    assert len(read_all(write(tmp_path, "x", data)).raws) == 3
    data = HEAD + b"1,a,x\n" + b'a",",\n' * 20_000  # open at its end, wherever one begins
    assert len(read_all(write(tmp_path, "x", data)).raws) == 20_001


FIELD = st.text(st.sampled_from('ab ",;\n\r\u00e4'), max_size=6)


@given(st.lists(st.sampled_from([b"a", b",", b'"', b"\n", b"\r\n"]), max_size=40), st.integers(1, 30))
def test_cutting_elsewhere_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], unit_bytes: int
) -> None:
    path = write(tmp_path_factory.mktemp("x"), "x", HEAD + b"1,a,x\n2,b,y\n" + b"".join(parts))
    small, large = read_all(path, unit_bytes=unit_bytes), read_all(path)
    assert (small.raws, small.places) == (large.raws, large.places)
    assert sorted(map(str, small.problems)) == sorted(map(str, large.problems))


@given(st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=8), st.integers(1, 60), st.booleans())
def test_what_the_standard_writer_wrote(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    unit_bytes: int,
    quote_all: bool,
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerows([("Time", "Host", "Message"), ("1", "2", "3"), *rows])
    found = read_all(write(tmp_path_factory.mktemp("x"), "x", out.getvalue().encode()), unit_bytes=unit_bytes)
    assert [tuple(doc.values()) for doc in found.docs] == [("1", "2", "3"), *rows]
    assert found.codes == []


def test_a_first_row_whose_quotes_are_never_closed(tmp_path: Path) -> None:
    """A table it is all the same, and the row is told."""
    read = read_all(write(tmp_path, "in", b'a,b,c\n1,2,"x\n1,2,3\n4,5,6\n'))
    assert [doc["a"] for doc in read.docs] == ["1", "1", "4"]
    assert read.codes == ["UT118"]
