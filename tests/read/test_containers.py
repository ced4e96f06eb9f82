"""Files, folders, globs, pipes and everything that is packed."""

from __future__ import annotations

import gzip
import io
import os
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from tests.read.reading import read_all, tar_of, write, zip_of

from undertag.read import containers, input_size
from undertag.read.containers import container_of, shown
from undertag.read.limits import Limits

LINES = b'{"n": 1}\n{"n": 2}\n'
RAWS = [b'{"n": 1}', b'{"n": 2}']


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def _zstd_stream(data: bytes) -> bytes:
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "gzip, several members": lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    "gzip, padded with zeros": lambda data: gzip.compress(data) + bytes(100),
    "gzip, padded with many zeros": lambda data: gzip.compress(data) + bytes(700_000),
    "gzip, zeros between members": lambda data: (
        gzip.compress(data[:9]) + bytes(300_000) + gzip.compress(data[9:]) + bytes(70_000)
    ),
    "zstd": _zstd,
    "zstd, several frames": lambda data: _zstd(data[:9]) + _zstd(data[9:]),
    "zstd, with a skippable frame": lambda data: (
        b"\x50\x2a\x4d\x18" + struct.pack("<I", 4) + b"skip" + _zstd(data)
    ),
    "zstd, without its size": lambda data: _zstd_stream(data),
    "zip": lambda data: zip_of({"a.log": data}),
    "zip, stored": lambda data: zip_of({"a.log": data}, zipfile.ZIP_STORED),
    "zip, bzip2": lambda data: zip_of({"a.log": data}, zipfile.ZIP_BZIP2),
    "tar": lambda data: tar_of({"a.log": data}),
    "tar, old": lambda data: tar_of({"a.log": data}, tarfile.USTAR_FORMAT),
    "tar, long names": lambda data: tar_of({"d/" * 120 + "a.log": data}, tarfile.GNU_FORMAT),
    "tar, long names in pax": lambda data: tar_of({"d/" * 120 + "ä.log": data}),
    "tar.gz": lambda data: gzip.compress(tar_of({"a.log": data})),
    "tar.zst": lambda data: _zstd(tar_of({"a.log": data})),
    "zip in zip": lambda data: zip_of({"b.zip": zip_of({"a.log": data})}),
    "zip in gzip": lambda data: gzip.compress(zip_of({"a.log": data})),
    "gzip in zip in tar.gz": lambda data: gzip.compress(tar_of({"b": zip_of({"a": gzip.compress(data)})})),
}


@pytest.mark.parametrize("how", PACKED)
def test_unpacks(how: str, tmp_path: Path) -> None:
    found = read_all(write(tmp_path, "misleading.evtx", PACKED[how](LINES)))
    assert (found.raws, found.codes) == (RAWS, [])


@pytest.mark.parametrize("how", PACKED)
def test_unpacks_from_standard_input(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PACKED[how](LINES))))
    found = read_all("-")
    assert (found.raws, found.codes) == (RAWS, [])
    assert found.sources[0].startswith("<stdin>")


def test_members_are_named_after_their_archive(tmp_path: Path) -> None:
    path = write(tmp_path, "x.zip", zip_of({"in/a.log": LINES, "b.log": LINES}))
    assert read_all(path).sources == [f"{path}!in/a.log", f"{path}!b.log"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("gzip", "UT103"),
        ("zstd", "UT103"),
        ("zip", "UT103"),
        ("tar.gz", "UT103"),
        ("tar", "UT103"),
    ],
)
def test_cut_short_is_told_and_the_rest_read(how: str, code: str, tmp_path: Path) -> None:
    noise = b"".join(b'{"n": "%s"}\n' % os.urandom(32).hex().encode() for _ in range(4000))
    packed = PACKED[how](noise)
    found = read_all(write(tmp_path, "x", packed[: len(packed) * 3 // 4]))
    assert code in found.codes
    assert how == "zip" or len(found.raws) > 1000


@pytest.mark.parametrize("how", ["gzip", "zstd", "zip"])
def test_a_wrong_checksum_is_told(how: str, tmp_path: Path) -> None:
    packed = bytearray(PACKED[how](LINES * 100))
    at = packed.find(b"PK\x01\x02") - 3 if how == "zip" else len(packed) - (6 if how == "gzip" else 3)
    packed[at] ^= 0x40
    assert "UT103" in read_all(write(tmp_path, "x", bytes(packed))).codes


def test_bytes_after_the_end_are_told(tmp_path: Path) -> None:
    for name, packed in (("a", gzip.compress(LINES) + b"trailing"), ("b", _zstd(LINES) + b"trailing")):
        found = read_all(write(tmp_path, name, packed))
        assert (found.raws, found.codes) == (RAWS, ["UT103"])


def test_a_damaged_tar_header_costs_that_member(tmp_path: Path) -> None:
    data = bytearray(tar_of({"a": LINES, "b": b'{"n": 3}\n', "c": b'{"n": 4}\n'}, tarfile.USTAR_FORMAT))
    data[1024] ^= 1
    found = read_all(write(tmp_path, "x.tar", bytes(data)))
    assert (found.raws, found.codes) == ([*RAWS, b'{"n": 4}'], ["UT103"])


FILLING = b"a\n" * (4 << 20)
BOMBS = {
    "gzip": lambda: gzip.compress(FILLING),
    "zstd": lambda: _zstd(FILLING),
    "zip": lambda: zip_of({"a": FILLING}),
    "tar.gz": lambda: gzip.compress(tar_of({"a": FILLING})),
    "gzip of gzip": lambda: gzip.compress(gzip.compress(FILLING)),
    "zip of zips": lambda: zip_of({f"{n}": zip_of({"a": FILLING[: 1 << 20]}) for n in range(8)}),
}


def test_a_bomb_of_zeros_is_not_even_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path, "x", gzip.compress(bytes(8 << 20)))
    assert read_all(path, limits=Limits(ratio=1, ratio_from_bytes=1 << 20)).codes == ["UT102"]


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_stopped(bomb: str, tmp_path: Path) -> None:
    found = read_all(write(tmp_path, "x", BOMBS[bomb]()), limits=Limits(ratio=100, ratio_from_bytes=1 << 20))
    assert found.codes.count("UT104") == 1
    assert "more than 100 times" in next(one.message for one in found.problems if one.code == "UT104")


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(members=3), "more than 3 members"),
        (Limits(total_bytes=20), "more than 20 bytes"),
        (Limits(directory_bytes=100), "table of contents"),
    ],
)
def test_limits_of_a_zip(limits: Limits, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "x.zip", zip_of({f"{n}.log": LINES for n in range(5)}))
    found = read_all(path, limits=limits)
    assert len(found.raws) < 10
    assert found.codes.count("UT104") == 1
    assert message in found.problems[0].message


def test_nesting_is_bounded(tmp_path: Path) -> None:
    data = LINES
    for _ in range(4):
        data = gzip.compress(data)
    found = read_all(write(tmp_path, "x.gz", data))
    assert (found.raws, found.codes) == ([], ["UT104"])


def test_a_spool_is_bounded(tmp_path: Path) -> None:
    path = write(tmp_path, "x.zip.gz", gzip.compress(zip_of({"a": LINES})))
    found = read_all(path, limits=Limits(spool_bytes=50))
    assert (found.raws, found.codes) == ([], ["UT104"])


def test_an_extended_tar_header_is_bounded(tmp_path: Path) -> None:
    data = tar_of({"n" * 5000: LINES})
    found = read_all(write(tmp_path, "x.tar", data), limits=Limits(name_bytes=1000))
    assert (found.raws, found.codes) == (RAWS, ["UT103"])


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "..\\x"])
@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_a_climbing_name_is_told_and_not_followed(
    pack: Callable[[dict[str, bytes]], bytes], name: str, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    path = write(folder, "x", pack({name: LINES}))
    before = sorted(tmp_path.rglob("*"))
    found = read_all(path)
    assert (found.raws, found.codes) == (RAWS, ["UT106"])
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_devices_in_archives_are_not_followed(tmp_path: Path) -> None:
    members: dict[str, bytes | tarfile.TarInfo] = {}
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        info = tarfile.TarInfo(f"m{kind!r}")
        info.type, info.linkname = kind, "/etc/passwd"
        members[info.name] = info
    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    found = read_all(write(tmp_path, "x.tar", tar_of({**members, "folder": folder, "a": LINES})))
    assert (found.raws, found.codes) == (RAWS, ["UT107"] * 4)


def test_a_link_in_a_zip_is_not_followed(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert read_all(write(tmp_path, "x.zip", out.getvalue())).codes == ["UT107"]


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    data = bytearray(zip_of({"secret.log": LINES}))
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    found = read_all(write(tmp_path, "x.zip", bytes(data)))
    assert (found.raws, found.codes) == ([], ["UT105"])


def test_an_unknown_compression_is_told(tmp_path: Path) -> None:
    assert read_all(write(tmp_path, "x.zip", zip_of({"a": LINES}, zipfile.ZIP_LZMA))).codes == ["UT108"]


def test_names_are_safe_to_print() -> None:
    assert shown("a\x1b[31m\n\u202eb") == "a\\x1b[31m\\n\\u202eb"
    assert len(shown("x" * 5000)) == 1025


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", None),
        (b"\x1f\x8b", None),
        (b"PK", None),
        (b"PK\x05\x06" + bytes(18), "zip"),
        (bytes(512), None),
        (b"\x51\x2a\x4d\x18", "zstd"),
    ],
)
def test_container_of(head: bytes, kind: str | None) -> None:
    assert container_of(head) == kind


def test_folders_are_read_in_order_whatever_the_endings(tmp_path: Path) -> None:
    write(tmp_path, "b/2.evtx", b'{"n": 2}')
    write(tmp_path, "a.bin", b'{"n": 1}')
    write(tmp_path, "b/10.zip", b'{"n": 10}')
    write(tmp_path, ".hidden", b'{"n": 0}')
    assert read_all(tmp_path).raws == [b'{"n": 0}', b'{"n": 1}', b'{"n": 10}', b'{"n": 2}']


def test_globs(tmp_path: Path) -> None:
    for name in ("b.log", "a.log", "deep/er/c.log", "d.txt"):
        write(tmp_path, name, b'{"n": "%s"}' % name.encode())
    found = read_all(f"{tmp_path}/**/*.log")
    assert [name.removeprefix(f"{tmp_path}/") for name in found.sources] == [
        "a.log",
        "b.log",
        "deep/er/c.log",
    ]
    assert read_all(f"{tmp_path}/*").codes == []
    assert len(read_all(f"{tmp_path}/**").raws) == 4
    assert read_all(f"{tmp_path}/*.evtx").codes == ["UT101"]


GLOBS: dict[str, list[str]] = {
    # pattern: files read of those that `_tree` makes
    "**": ["in/.h/d.log", "in/a.log", "in/b/c.log", "in/b/x/b/e.log", "in/f.txt", "out/g.log"],
    "**/": ["in/.h/d.log", "in/a.log", "in/b/c.log", "in/b/x/b/e.log", "in/f.txt", "out/g.log"],
    "in/**/": ["in/.h/d.log", "in/a.log", "in/b/c.log", "in/b/x/b/e.log", "in/f.txt"],
    "**/*.log": ["in/.h/d.log", "in/a.log", "in/b/c.log", "in/b/x/b/e.log", "out/g.log"],
    "./**/*.txt": ["./in/f.txt"],
    "in/**/**/?.log": ["in/.h/d.log", "in/a.log", "in/b/c.log", "in/b/x/b/e.log"],
    "in/**/b": ["in/b/c.log", "in/b/x/b/e.log"],
    "in/**/b/*.log": ["in/b/c.log", "in/b/x/b/e.log"],
    "**/b/**/[ab]/*": ["in/b/x/b/e.log"],
    "**/x/**": ["in/b/x/b/e.log"],
    "i*/**/*.txt": ["in/f.txt"],
    "in/to-folder/**/*.log": ["in/to-folder/g.log"],
    "in/to-*/*.log": ["in/to-folder/g.log"],
    "in/to-file*": ["in/to-file.log"],
    "in/a.log/**": [],
    "**/nothing": [],
}


def _tree(folder: Path) -> None:
    for name in ("in/a.log", "in/b/c.log", "in/.h/d.log", "in/b/x/b/e.log", "in/f.txt", "out/g.log"):
        write(folder, name, b'{"n": "%s"}' % name.encode())
    for link, target in (("loop", "."), ("b/loop", ".."), ("to-folder", "../out"), ("to-file.log", "a.log")):
        (folder / "in" / link).symlink_to(target)


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("pattern", GLOBS)
def test_globs_follow_no_link_that_they_meet(
    pattern: str, absolute: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tree(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = read_all(f"{tmp_path}/{pattern}" if absolute else pattern)
    names = [name.removeprefix(f"{tmp_path}/") for name in found.sources]
    assert names == GLOBS[pattern]
    assert set(found.codes) - {"UT107"} == (set() if names else {"UT101"})


def test_links_that_a_glob_meets_are_told(tmp_path: Path) -> None:
    _tree(tmp_path)
    told = [str(one.place) for one in read_all(f"{tmp_path}/**/*.log").problems]
    assert [name.removeprefix(f"{tmp_path}/in/") for name in told] == [
        "b/loop",
        "loop",
        "to-file.log",
        "to-folder",
    ]


def test_a_name_that_looks_like_a_glob_but_exists_is_read(tmp_path: Path) -> None:
    assert read_all(write(tmp_path, "a[1].log", LINES)).raws == RAWS


def test_what_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path, "a.log", LINES)
    found = read_all(path, tmp_path, f"{tmp_path}/../{tmp_path.name}/a.log")
    assert (found.raws, found.codes) == (RAWS, ["UT109", "UT109"])
    assert {one.severity for one in found.problems} == {"info"}


def test_a_folder_named_by_a_link_is_the_same_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    write(folder, "a.log", LINES)
    (tmp_path / "link").symlink_to(tmp_path / "in")
    found = read_all(tmp_path / "link", folder / "a.log", tmp_path / "in")
    assert (found.raws, found.codes) == (RAWS, ["UT109", "UT109"])
    assert found.sources == [str(tmp_path / "link" / "deep" / "a.log")]


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    found = read_all(tmp_path / "not there")
    assert found.codes == ["UT101"]
    assert "No such file" in found.problems[0].message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    write(tmp_path, "a", LINES).chmod(0)
    write(tmp_path, "b", LINES)
    found = read_all(tmp_path)
    assert (found.raws, found.codes) == (RAWS, ["UT101"])


def test_an_open_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a", LINES)
    write(tmp_path, "b", LINES)

    def refuse(path: str, *args: Any, **more: Any) -> Any:
        if path.endswith("a"):
            raise PermissionError(13, "Permission denied")
        return open(path, *args, **more)  # noqa: PTH123

    monkeypatch.setattr(containers, "open", refuse, raising=False)
    found = read_all(tmp_path)
    assert (found.raws, found.codes) == (RAWS, ["UT101"])
    assert str(found.problems[0]).endswith("/a: UT101 can't read: Permission denied")


def test_links_in_folders_are_told_and_left_alone(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside.log", LINES)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    assert read_all(folder).codes == ["UT107"] * 3
    assert read_all(folder / "link").raws == RAWS


def test_an_empty_file_holds_nothing_and_is_no_problem(tmp_path: Path) -> None:
    for name, data in (("a", b""), ("b", gzip.compress(b"")), ("c", zip_of({"x": b""})), ("d", b"\n \n")):
        found = read_all(write(tmp_path, name, data))
        assert (found.raws, found.codes) == ([], [])


def test_input_size_estimates_what_is_packed(tmp_path: Path) -> None:
    data = LINES * 1000
    for name, packed in (("a", data), ("b", gzip.compress(data)), ("c", zip_of({"x": data, "y": b""}))):
        assert input_size([write(tmp_path, name, packed)]) == len(data)
    assert input_size([str(tmp_path)]) == 3 * len(data)
    assert input_size(["-"]) is None
    assert input_size([tmp_path / "not there"]) == 0
