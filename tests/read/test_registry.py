"""The table of formats: each is well formed, and packages can add to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType

import pytest
from tests.read.reading import read_all, write

from undertag.model.problem import ReadError
from undertag.model.source import Records, Unit
from undertag.read import registry
from undertag.read.source import Source


@pytest.mark.parametrize("name", registry.FORMATS)
def test_every_format_is_well_formed(name: str) -> None:
    reader = registry.load_format(name)
    assert reader.what
    assert type(reader).__doc__
    assert all(callable(getattr(reader, method)) for method in ("split", "records", "locate"))
    assert registry.load_format(name) is reader


def test_formats_are_described_in_order() -> None:
    assert [name for name, _ in registry.describe_formats()][: len(registry.FORMATS)] == list(
        registry.FORMATS
    )


def test_an_unknown_format_is_an_error_with_a_hint() -> None:
    with pytest.raises(ReadError) as caught:
        registry.load_format("nothing")
    assert str(caught.value) == "UT102 no reader for the format 'nothing' (see `undertag formats`)"


class Bang:
    """A reader of a package: lines that begin with an exclamation mark."""

    what = "bang"

    def claims(self, head: bytes) -> bool:
        return head.startswith(b"!")

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        yield source.inline("bang", b"".join(source.stream.blocks()), 0)

    def records(self, unit: Unit) -> Records:
        return Records(raws=(unit.data or b"").splitlines())

    def locate(self, unit: Unit, index: int) -> int:
        return -1


def _forget() -> None:
    for remembered in (registry._of_packages, registry._claimers, registry.load_format):
        remembered.cache_clear()


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    module = ModuleType("some_package")
    module.Bang = Bang  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_package", module)
    points = EntryPoints(
        [
            EntryPoint("bang", "some_package:Bang", registry.ENTRY_POINTS),
            EntryPoint("jsonl", "some_package:Bang", registry.ENTRY_POINTS),
        ]
    )
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    _forget()
    yield
    monkeypatch.undo()
    _forget()


@pytest.mark.usefixtures("package")
def test_a_package_adds_a_format_and_replaces_none(tmp_path: Path) -> None:
    assert registry.format_names() == [*registry.FORMATS, "bang"]
    assert read_all(write(tmp_path, "x", b"!a\n!b\n")).raws == [b"!a", b"!b"]
    assert read_all(write(tmp_path, "y", b'{"a":1}\n')).formats == {"jsonl"}
    assert type(registry.load_format("jsonl")) is not Bang


@pytest.mark.usefixtures("package")
def test_a_broken_package_is_told_and_stops_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "some_package")
    found = read_all(write(tmp_path, "x", b"!a\n"))
    assert (found.raws, found.formats, found.codes) == ([b"!a"], {"text"}, ["UT102"])
    with pytest.raises(ReadError, match="can't be loaded"):
        registry.load_format("bang")
