"""The front door, with anything at all coming in."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.read.reading import Read, read_all, tar_of, write, zip_of

STARTS = [
    b"",
    b"\x1f\x8b\x08\0",
    b"\x28\xb5\x2f\xfd",
    b"PK\3\4",
    b"ElfFile\0",
    b"ElfChnk\0",
    b"{",
    b"[{",
    b"<Event ",
    b"a,b\n",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=400), st.integers(1, 500))
def test_any_bytes_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, data: bytes, unit_bytes: int
) -> None:
    path = write(tmp_path_factory.mktemp("x"), "x", start + data)
    found = read_all(path, unit_bytes=unit_bytes)
    assert found.raws == read_all(path).raws
    if found.formats - {"json", "csv", "evtx"} and not found.problems:  # those may be there and hold nothing
        assert found.raws or not (start + data).strip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n\v\f")


PACKED = [
    gzip.compress(b'{"a":1}\n' * 50),
    zip_of({"a": b'{"a":1}\n' * 50, "b": b"x"}),
    zip_of({"a": b'{"a":1}\n'}, zipfile.ZIP_BZIP2),
    tar_of({"a": b'{"a":1}\n' * 50, "n" * 200: b"x"}),
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(PACKED),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_containers_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, packed: bytes, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(packed)
    for at, byte in damage:
        data[at % len(data)] = byte
    found = read_all(write(tmp_path_factory.mktemp("x"), "x", bytes(data)))
    assert found.raws or found.problems


@pytest.mark.parametrize("lost", [4, 8], ids=["its size", "its size and counts"])
def test_a_zip_whose_table_of_contents_is_lost_is_told(tmp_path: Path, lost: int) -> None:
    data = bytearray(zip_of({"a": b'{"a":1}\n'}))
    data[-6 - lost : -6] = bytes(lost)  # of the end record
    found = read_all(write(tmp_path, "x.zip", bytes(data)))
    assert (found.raws, [problem.code for problem in found.problems]) == ([], ["UT103"])


def test_an_unknown_format_is_told_with_what_it_looks_like(tmp_path: Path) -> None:
    path = write(tmp_path, "x.json", b"PAR1" + bytes(100))
    [problem] = read_all(path).problems
    assert str(problem) == (
        f"{path}: UT102 unknown format: looks like a Parquet file (`undertag formats` lists what can be read)"
    )


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    with subprocess.Popen(["printf", '{"a":1}\\n'], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        found = read_all(f"/dev/fd/{process.stdout.fileno()}")
    assert found.raws == [b'{"a":1}']


def test_standard_input_is_cut_into_units(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(unit_bytes: int) -> Read:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"a":1}\n' * 200_000)))
        return read_all("-", unit_bytes=unit_bytes)

    small, large = read(100_000), read(1 << 30)
    assert small.raws == large.raws
    assert (len(large.raws), large.units, small.units > 3) == (200_000, 1, True)


def test_importing_the_room_loads_no_heavy_library() -> None:
    heavy = "{'evtx', 'lxml', 'msgspec', 'pyarrow', 'sigma'}"
    code = f"import sys, undertag.read; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
