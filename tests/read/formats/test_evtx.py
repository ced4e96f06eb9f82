"""EVTX, whole and damaged in every way that is met: what is readable is read, the rest is told."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.read.reading import CORPORA, Read, needs_corpora, read_all, write, zip_of

from undertag.model.problem import Problem
from undertag.model.source import Records
from undertag.read import units
from undertag.read.formats.evtx_chunk import CHUNK_BYTES, read_chunk

pytestmark = needs_corpora

HEADER = 4096
CHUNK = HEADER + 3 * CHUNK_BYTES
"""The chunk that is damaged; its first record is at + 512."""


@cache
def _whole() -> bytes:
    """A recording of 1,537 events in 16 chunks, the 17th unused; cut down to 6 chunks of 554 events."""
    path = CORPORA / "evtx-attack-samples" / "Command and Control" / "bits_openvpn.evtx"
    return b"ElfFile\0" + bytes(34) + b"\6\0" + path.read_bytes()[44 : HEADER + 6 * CHUNK_BYTES]


@pytest.fixture(scope="module")
def whole() -> bytes:
    return _whole()


@pytest.fixture(scope="module")
def records(whole: bytes, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    found = read_all(write(tmp_path_factory.mktemp("evtx"), "x", whole))
    assert (len(found.raws), found.codes) == (554, [])
    return found.raws


def _put(at: int, data: bytes) -> Callable[[bytearray], None]:
    def damage(file: bytearray) -> None:
        file[at : at + len(data)] = data

    return damage


def _cut(at: int) -> Callable[[bytearray], None]:
    def damage(file: bytearray) -> None:
        del file[at:]

    return damage


def _lose(at: int, size: int) -> Callable[[bytearray], None]:
    def damage(file: bytearray) -> None:
        del file[at : at + size]

    return damage


def _zero(*chunks: int) -> Callable[[bytearray], None]:
    def damage(file: bytearray) -> None:
        for chunk in chunks:
            _put(HEADER + chunk * CHUNK_BYTES, bytes(CHUNK_BYTES))(file)

    return damage


def _lose_and_zero(file: bytearray) -> None:
    _zero(4)(file)
    _lose(CHUNK + 60_416, 60)(file)


DAMAGE: dict[str, tuple[Callable[[bytearray], None], int, list[str]]] = {
    # name: (damage, records lost, problems)
    "file header's magic": (_put(0, b"x"), 0, ["UT117"]),
    "file header": (_put(0, bytes(HEADER)), 0, ["UT117"]),
    "file header missing": (_lose(0, HEADER), 0, ["UT117"]),
    "dirty: no chunk was counted": (_put(42, b"\0\0"), 0, []),
    "more chunks promised": (_put(42, b"\7\0"), 0, ["UT117"]),
    "chunk's magic": (_put(CHUNK, b"x"), 0, ["UT115"]),
    "chunk's tables": (_put(CHUNK + 128, b"\xaa" * 384), 0, []),
    "chunk's end too far": (_put(CHUNK + 48, b"\xff" * 4), 0, ["UT115"]),
    "chunk's end too near": (_put(CHUNK + 48, b"\0\x20\0\0"), 0, ["UT115"]),
    "chunk's last record number": (_put(CHUNK + 32, b"\x22\1"), 0, []),
    "chunk's checksum": (_put(CHUNK + 52, b"\0\0\0\0"), 0, ["UT115"]),
    "chunk zeroed": (_put(CHUNK, bytes(CHUNK_BYTES)), 92, ["UT117"]),
    "last chunk zeroed": (_put(HEADER + 5 * CHUNK_BYTES, bytes(CHUNK_BYTES)), 88, ["UT117"]),
    "all from a chunk on zeroed": (_put(CHUNK, bytes(3 * CHUNK_BYTES)), 267, ["UT117"]),
    "two chunks zeroed, one the last": (_zero(1, 5), 186, ["UT117", "UT117"]),
    "chunk overwritten": (_put(CHUNK, random.Random(1).randbytes(CHUNK_BYTES)), 92, ["UT115"]),
    "record's magic": (_put(CHUNK + 512, b"x"), 1, ["UT115", "UT116"]),
    "record's size too large": (_put(CHUNK + 516, b"\xff\xff\0\0"), 0, ["UT115"]),
    "record's size a little too large": (_put(CHUNK + 517, b"\x09"), 0, ["UT115"]),
    "record's size a little too small": (_put(CHUNK + 516, b"\x40"), 0, ["UT115"]),
    "record's second size": (_put(CHUNK + 512 + 2124, b"\0"), 0, ["UT115"]),
    "record's size 0": (_put(CHUNK + 516, b"\0\0\0\0"), 0, ["UT115"]),
    "record's number": (_put(CHUNK + 520, b"\0\1\2\3"), 0, ["UT115"]),
    "record's time": (_put(CHUNK + 528, b"\xff" * 8), 0, ["UT115"]),
    "record's data": (_put(CHUNK + 536, b"\x77"), 1, ["UT115", "UT116"]),
    "cut between chunks": (_cut(CHUNK), 267, ["UT117"]),
    "cut in a chunk": (_cut(CHUNK + 30_000), 228, ["UT115", "UT116", "UT117"]),
    "cut in the file header": (_cut(1000), 554, ["UT117"]),
    "a sector lost": (_lose(CHUNK + 1024, 512), 92, ["UT115", *["UT116"] * 17]),
    "a byte lost": (_lose(CHUNK + 60_416, 1), 0, ["UT115"]),
    "seven bytes lost": (_lose(CHUNK + 60_416, 7), 0, ["UT115", "UT116"]),
    "60 bytes lost": (_lose(CHUNK + 60_416, 60), 1, ["UT115", "UT116"]),
    "100 bytes lost": (_lose(CHUNK + 60_416, 100), 1, ["UT115", "UT116"]),
    "a byte lost before a zeroed chunk": (_lose_and_zero, 88, ["UT115", "UT116", "UT117"]),
    "a sector lost near the end": (_lose(CHUNK + 60_416, 512), 1, ["UT115", "UT116"]),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", DAMAGE)
def test_damage_costs_what_it_hit(
    name: str, packed: bool, whole: bytes, records: list[bytes], tmp_path: Path
) -> None:
    damage, lost, codes = DAMAGE[name]
    file = bytearray(whole)
    damage(file)
    found = read_all(write(tmp_path, "x", gzip.compress(file, 1) if packed else bytes(file)))
    missing = Counter(records) - Counter(found.raws)
    assert (missing.total(), found.codes) == (lost, codes)
    assert Counter(found.raws) <= Counter(records)
    assert [raw for raw in records if raw in set(found.raws)] == found.raws


@pytest.mark.parametrize("unit_bytes", [1, CHUNK_BYTES, 3 * CHUNK_BYTES, 1 << 30])
@pytest.mark.parametrize("name", ["whole", *DAMAGE])
def test_cutting_elsewhere_changes_nothing(name: str, unit_bytes: int, whole: bytes, tmp_path: Path) -> None:
    file = bytearray(whole)
    if name != "whole":
        DAMAGE[name][0](file)
    path = write(tmp_path, "x", bytes(file))
    assert _shape(read_all(path, unit_bytes=unit_bytes)) == _shape(read_all(path))


def _shape(read: Read) -> tuple[object, ...]:
    return read.raws, read.places, sorted(map(str, read.problems))


def test_problems_name_chunk_and_byte(whole: bytes, tmp_path: Path) -> None:
    file = bytearray(whole)
    file[CHUNK + 512] = 0
    path = write(tmp_path, "x", bytes(file))
    texts = sorted(str(one) for one in read_all(path).problems)
    assert texts == [
        f"{path} @ byte {CHUNK}: UT115 chunk 3: its checksum is wrong"
        " (its records were read and may be altered)",
        f"{path} @ byte {CHUNK + 512}: UT116 chunk 3: 2,128 bytes are no record"
        " (the record was left out, the rest was read)",
    ]


def test_places_point_at_records(whole: bytes, tmp_path: Path) -> None:
    found = read_all(write(tmp_path, "x", whole))
    assert {whole[offset : offset + 4] for _, offset in found.places} == {b"**\0\0"}
    assert len(found.places) == 554


def test_in_an_archive(whole: bytes, records: list[bytes], tmp_path: Path) -> None:
    path = write(tmp_path, "x.zip", zip_of({"a.txt": whole, "b": whole}))
    found = read_all(path, unit_bytes=2 * CHUNK_BYTES)
    assert found.raws == records * 2
    assert found.sources == [f"{path}!a.txt", f"{path}!b"]


@pytest.mark.parametrize("packed", [False, True])
def test_unused_chunks_are_in_no_unit(packed: bool, whole: bytes, tmp_path: Path) -> None:
    file = whole + bytes(9 * CHUNK_BYTES + 1000)
    problems: list[Problem] = []
    found = list(units([write(tmp_path, "x", gzip.compress(file) if packed else file)], problems=problems))
    assert [(unit.offset, unit.size) for unit in found] == [(HEADER, 6 * CHUNK_BYTES)]
    assert not problems
    wiped = whole[:CHUNK] + bytes(CHUNK_BYTES) + whole[CHUNK + CHUNK_BYTES :]
    found = list(units([write(tmp_path, "y", gzip.compress(wiped) if packed else wiped)], problems=problems))
    assert [(unit.offset, unit.size) for unit in found] == [
        (HEADER, 3 * CHUNK_BYTES),
        (CHUNK + CHUNK_BYTES, 2 * CHUNK_BYTES),
    ]
    assert [problem.code for problem in problems] == ["UT117"]


def test_what_older_files_left_behind_is_not_read(whole: bytes, records: list[bytes]) -> None:
    """Records beyond a chunk's end belong to no event of this log, even if they are whole."""
    chunk = bytearray(whole[CHUNK : CHUNK + CHUNK_BYTES])
    second = 512 + int.from_bytes(chunk[516:520], "little")
    chunk[48:52] = second.to_bytes(4, "little")
    chunk[second + 8] ^= 0x10  # its number doesn't follow
    result = Records(raws=[])
    read_chunk("x", CHUNK, bytes(chunk), result)
    assert result.raws == [raw for raw in records if raw in result.raws][:1]
    assert len(result.raws) == 1


def test_a_chain_that_goes_in_circles_ends(whole: bytes) -> None:
    """The look-up tables lead to linked lists; one that leads back to itself keeps the parser busy for
    ever."""
    chunk = bytearray(whole[CHUNK : CHUNK + CHUNK_BYTES])
    for table in range(128, 512, 4):
        at = int.from_bytes(chunk[table : table + 4], "little")
        if at:
            chunk[at : at + 4] = at.to_bytes(4, "little")
    result = Records(raws=[])
    read_chunk("x", CHUNK, bytes(chunk), result)
    assert len(result.raws) > 80


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, CHUNK_BYTES - 1), st.integers(0, 7)), min_size=1, max_size=40))
def test_flipped_bits_never_stop_reading(flips: list[tuple[int, int]]) -> None:
    chunk = bytearray(_whole()[CHUNK : CHUNK + CHUNK_BYTES])
    for at, bit in flips:
        chunk[at] ^= 1 << bit
    result = Records(raws=[])
    read_chunk("x", CHUNK, bytes(chunk), result)
    assert len(result.raws) == len(result.offsets) <= 93
    assert all(raw.startswith(b'{"') for raw in result.raws)
    assert len(result.raws) > 80 or result.problems


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000), st.sampled_from([b"", b"ElfChnk\0"]))
def test_any_bytes_are_a_chunk_or_a_problem(data: bytes, start: bytes) -> None:
    result = Records(raws=[])
    read_chunk("x", HEADER, start + data or b"\0", result)
    assert result.raws == []
    assert bool(result.problems) == bool((start + data).strip(b"\0"))


def test_every_recording_of_sigmahq_is_read(records: list[bytes]) -> None:
    found = read_all(f"{CORPORA}/sigma/regression_data/**/*.evtx")
    assert (len(found.raws), len(found.sources), found.codes) == (110, 97, [])


@pytest.mark.parametrize("size", [8, 42, 43, 128, 2008, 4095])
@pytest.mark.parametrize("packed", [False, True])
def test_a_header_cut_short_is_told(size: int, packed: bool, whole: bytes, tmp_path: Path) -> None:
    file = whole[:size]
    found = read_all(write(tmp_path, "x", gzip.compress(file, 1) if packed else file))
    assert (found.raws, found.codes) == ([], ["UT117"])
