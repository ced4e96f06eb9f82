"""JSON documents in arrays, envelopes, pretty-printed, one after the other, and broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.read.reading import read_all, write

from undertag.read import faults
from undertag.read.formats import scanner
from undertag.read.formats.documents import on_one_line
from undertag.read.formats.scanner import Scanner

A, B, C = b'{"a":1}', b'{"b":2}', b'{"c":3}'
PRETTY = b'{\n  "a": {\n    "x": "}{"\n  }\n}\n'
PRETTY_RAW = b'{"a":{"x":"}{"}}'

CASES: dict[str, tuple[bytes, list[bytes], list[str]]] = {
    "array": (b"[" + A + b"," + B + b"]", [A, B], []),
    "array, laid out": (b'[\n  {"a": 1},\n  {\n    "b": 2\n  }\n]\n', [b'{"a": 1}', B], []),
    "arrays after each other": (b"[" + A + b"]\n[" + B + b"]\n", [A, B], []),
    "empty array": (b"[]", [], []),
    "array in an array": (b"[[{}]," + A + b"]", [b"[{}]", A], []),
    "documents": (PRETTY + PRETTY, [PRETTY_RAW] * 2, []),
    "documents, CRLF": (PRETTY.replace(b"\n", b"\r\n"), [PRETTY_RAW], []),
    "documents on one line": (A + B, [A, B], []),
    "documents with commas between": (PRETTY.rstrip() + b",\n" + PRETTY, [PRETTY_RAW] * 2, []),
    "not indented": (
        b'{\n"a":\n{\n"x":\n[\n{\n}\n,\n{\n}\n]\n}\n}\n{\n}\n',
        [b'{"a":{"x":[{},{}]}}', b"{}"],
        [],
    ),
    "envelope": (b'{"Records": [' + A + b"," + B + b"]}", [A, B], []),
    "envelope, empty": (b'{"records":[]}', [], []),
    "envelopes, one a line": (b'{"Records":[' + A + b"]}\n" + b'{"Records":[' + B + b"]}\n", [A, B], []),
    "envelope with fields of its own": (b'{"Records":[' + A + b'],"next":{"x":"]"}}' + B, [A, B], ["UT118"]),
    "envelope, cut": (b'{"Records":[' + A + b"," + b'{"b":', [A], ["UT111"]),
    "envelope, cut between": (b'{"Records":[' + A + b",", [A], ["UT118"]),
    "envelope, its end missing": (b'{"Records":[' + A + b"]", [A], ["UT118"]),
    "array, cut": (b"[" + A + b",", [A], ["UT118"]),
    "escapes in strings": (b'[{"a":"\\"}]{\\\\"},' + B + b"]", [b'{"a":"\\"}]{\\\\"}', B], []),
    "brace missing": (PRETTY + b'{\n  "b": {\n    "x": 1\n  }\n' + PRETTY, [PRETTY_RAW] * 2, ["UT111"]),
    "brace too many": (PRETTY + b"}\n" + PRETTY, [PRETTY_RAW] * 2, ["UT118"]),
    "brackets that don't match": (PRETTY + b'{\n  "b": ]\n}\n' + PRETTY, [PRETTY_RAW] * 2, ["UT111"]),
    "string not closed": (PRETTY + b'{\n  "b": "x\n}\n' + PRETTY, [PRETTY_RAW] * 2, ["UT111"]),
    "cut in the middle": (PRETTY + PRETTY[:-9] + b"\n" + PRETTY, [PRETTY_RAW] * 2, ["UT111"]),
    "cut at the end": (PRETTY + PRETTY[:-4], [PRETTY_RAW], ["UT111"]),
    "junk between": (PRETTY + b"junk\n" + PRETTY, [PRETTY_RAW] * 2, ["UT111"]),
    "junk after": (PRETTY + b"junk", [PRETTY_RAW], ["UT111"]),
    "numbers between": (b"[" + A + b", 1, 2, " + B + b", 3]", [A, B], ["UT111", "UT111"]),
    "array, one broken inside": (
        b'[\n  {\n    "a": 1\n  },\n  {\n    "b": "\n  },\n  {\n    "c": 3\n  }\n]\n',
        [A, C],
        ["UT111"],
    ),
    "array, one not closed inside": (
        b'[\n  {\n    "a": 1\n  },\n  {\n    "b": {\n  },\n  {\n    "c": 3\n  }\n]\n',
        [A, C],
        ["UT111"],
    ),
    "a twin key": (b'[{"a":1,"a":2}]', [b'{"a":1,"a":2}'], []),
    "not a number": (b'[{"a":NaN}]', [b'{"a":NaN}'], []),
    "not a number, laid out": (b'{\n"a":NaN\n}', [b'{ "a":NaN }'], []),
    "a huge number": (b'{\n"a":1%s\n}' % (b"0" * 400), [b'{"a":1%s}' % (b"0" * 400)], []),
    "invalid UTF-8": (b'[{"a":"\xff"}]', [b'{"a":"\xff"}'], []),
    "a zero byte": (b'[{"a":"\0"}]', [b'{"a":"\0"}'], []),
}


@pytest.mark.parametrize("unit_bytes", [1, 20, 1 << 20])
@pytest.mark.parametrize("name", CASES)
def test_documents(name: str, unit_bytes: int, tmp_path: Path) -> None:
    data, raws, codes = CASES[name]
    for packed in (
        data,
        b"\xef\xbb\xbf" + data,
        gzip.compress(data),
        b"\xff\xfe" + data.decode("latin-1").encode("utf-16-le"),
    ):
        if packed.startswith(b"\xff\xfe") and not data.isascii():
            continue
        found = read_all(write(tmp_path, "x", packed), unit_bytes=unit_bytes)
        assert (found.raws, found.codes, found.formats - {"json"}) == (raws, codes, set())


@pytest.mark.parametrize("block", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("name", CASES)
def test_blocks_of_any_size_give_the_same(name: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "_LOOK_BACK", 8)
    data, raws, codes = CASES[name]
    problems: list[Any] = []
    blocks = (data[at : at + block] for at in range(0, len(data), block))
    documents = list(Scanner("x", problems.append).documents(blocks))
    assert [on_one_line(one.data) for one in documents] == raws
    assert sorted(one.code for one in problems) == codes
    assert all(data[one.offset :].startswith(one.data) for one in documents)


def test_places_are_those_in_the_source(tmp_path: Path) -> None:
    path = write(tmp_path, "x", b"\xef\xbb\xbf[ " + A + b",\n" + B + b"]")
    assert read_all(path, unit_bytes=1).places == [(str(path), 5), (str(path), 14)]


@pytest.mark.parametrize("opener", [b"[", b'{"a":', b'[{"a":'])
def test_deep_nesting_is_survived(opener: bytes, tmp_path: Path) -> None:
    deep = opener * 100_000
    closed = deep + b"1" + deep[::-1].translate(bytes.maketrans(b"[{", b"]}"), b'"a:')
    assert _scan(deep + b"\n" + PRETTY, 1 << 16)[1] == [("UT111", f"x @ byte {int(opener[0] == 0x5B)}")]
    found, problems = _scan(closed + b"\n" + PRETTY, 1 << 16)
    assert (on_one_line(found[-1][1]), problems) == (PRETTY_RAW, [])
    for name, data in (
        ("open", deep),
        ("closed", closed),
        ("closed, in lines", closed.replace(b":", b":\n")),
    ):
        read_all(write(tmp_path, name, data))


def test_a_document_beyond_the_bound_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "MAX_RECORD_BYTES", 100)
    long = b'{\n"a": "%s",\n"b": ["%s"]\n}\n' % (b"x" * 300, b"y" * 3000)
    found = read_all(write(tmp_path, "x", PRETTY + long + PRETTY))
    assert (found.raws, found.codes) == ([PRETTY_RAW] * 2, ["UT114"])


def test_a_long_document_isn_t_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanner, "MAX_RECORD_BYTES", 1000)
    problems: list[Any] = []
    scan = Scanner("x", problems.append)
    sizes = []

    def blocks() -> Any:
        yield b'[{"a":"'
        for _ in range(500):
            sizes.append(len(scan._state.held))
            yield b"x\\\\" * 100
        yield b'"},{}]'

    assert [one.data for one in scan.documents(blocks())] == [b"{}"]
    assert [one.code for one in problems] == ["UT114"]
    assert max(sizes) < 3000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=4), min_size=1, max_size=5),
    st.sampled_from(["array", "lines", "envelope"]),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
    st.integers(1, 40),
)
def test_any_documents_come_out_as_they_went_in(
    documents: list[dict[str, Any]], form: str, indent: int | None, ascii_only: bool, block: int
) -> None:
    whole: Any = {"Records": documents} if form == "envelope" else documents
    if form == "lines":
        text = "\n".join(json.dumps(one, indent=indent, ensure_ascii=ascii_only) for one in documents)
    else:
        text = json.dumps(whole, indent=indent, ensure_ascii=ascii_only)
    if form == "lines" and text.startswith('{"Records'):
        return
    data = text.encode("utf-8", "surrogatepass")
    problems: list[Any] = []
    blocks = (data[at : at + block] for at in range(0, len(data), block))
    found = [on_one_line(one.data) for one in Scanner("x", problems.append).documents(blocks)]
    assert problems == []
    assert [orjson.loads(one) for one in found] == documents
    assert not any(b"\n" in one for one in found)


@given(
    st.lists(
        st.sampled_from(
            [b"{", b"}", b"[", b"]", b'"', b"\\", b"\n", b" ", b",", b":", b"x", b'"a":1', PRETTY]
        )
    ),
    st.integers(1, 30),
    st.integers(1, 30),
)
def test_nearly_json_reads_the_same_in_any_blocks(parts: list[bytes], one: int, other: int) -> None:
    data = b"".join(parts)
    assert _scan(data, one) == _scan(data, other)


def _scan(data: bytes, block: int) -> tuple[list[tuple[int, bytes]], list[tuple[str, str]]]:
    problems: list[Any] = []
    blocks = (data[at : at + block] for at in range(0, len(data), block))
    found = [(one.offset, one.data) for one in Scanner("x", problems.append).documents(blocks)]
    return found, [(one.code, str(one.place)) for one in problems]


def test_what_is_unread_is_told_apart() -> None:
    assert faults.is_unread(faults.unreadable("x", "y"))
    assert not faults.is_unread(faults.bad_record("x", "y", b""))
    assert not faults.is_unread(faults.damaged_container("x", "y", severity="warning"))
