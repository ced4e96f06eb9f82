"""The compiled file: equal input gives equal bytes, and a damaged one never gives a wrong answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.catalogue.sources.trees import compiled, plant

from undertag.catalogue.sources.artefact import MAGIC, Artefact, write_artefact
from undertag.catalogue.sources.compiling import digest, ranges
from undertag.model.problem import CatalogueError


def test_blocks_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    size = write_artefact(path, digest="d", facts={"n": 1}, blocks={"a": b"text", "b": b"\x93\x01\x02\x03"})
    found = Artefact(path)
    assert (found.head.digest, found.head.facts, path.stat().st_size) == ("d", {"n": 1}, size)
    assert (found.text("a"), found.value("b")) == (b"text", [1, 2, 3])


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    one, two = plant(tmp_path / "one"), plant(tmp_path / "two")
    compiled(one)
    compiled(two)
    assert (one / "catalogue.bin").read_bytes() == (two / "catalogue.bin").read_bytes()


def test_the_digest_knows_every_change(tmp_path: Path) -> None:
    root = plant(tmp_path)
    before = digest(root)
    for name in ("curated/windows/sysmon.yml", "prerequisites/all.yml", "derived/windows.tsv"):
        path = root / name
        text = path.read_text()
        path.write_text(text + "# more\n")
        assert digest(root) != before, name
        path.write_text(text)
    assert digest(root) == before


def damage(data: bytes, how: str) -> bytes:
    return {
        "empty": b"",
        "not ours": b"PK\x03\x04" + data[4:],
        "cut short": data[: len(data) // 2],
        "head broken": data[:14] + b"\xff\xff" + data[16:],
        "head too long": MAGIC + b"\xff\xff\xff\xff" + data[12:],
        "block broken": data[:-3] + bytes([data[-3] ^ 1]) + data[-2:],
        "other format": data.replace(b"\xa6format\x01", b"\xa6format\x63"),
    }[how]


@pytest.mark.parametrize(
    "how",
    ["empty", "not ours", "cut short", "head broken", "head too long", "block broken", "other format"],
)
def test_damage_is_told(tmp_path: Path, how: str) -> None:
    root = plant(tmp_path)
    compiled(root)
    path = root / "catalogue.bin"
    data = path.read_bytes()
    path.write_bytes(damage(data, how))
    assert path.read_bytes() != data
    with pytest.raises(CatalogueError) as caught:
        found = Artefact(path)
        for name in found.head.blocks:
            found.text(name)
    assert caught.value.problem.code == "UT315"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="UT315"):
        Artefact(tmp_path / "none.bin")


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], []), ([5], [[5, 6]]), ([0, 1, 2], [[0, 3]]), ([0, 2, 3], [[0, 1], [2, 4]])],
)
def test_ranges(numbers: list[int], expected: list[list[int]]) -> None:
    assert ranges(numbers) == expected
