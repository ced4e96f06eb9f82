"""The formats that can be read, in the order in which they are named to people.

Contract: `FORMATS` is a value: name → "module:Class", imported when first used. Packages add to it through
the entry point group `undertag.readers`, whose names can't replace those here. A reader of a package may
also have a method `claims(head: bytes) -> bool`; it is asked where no format of ours knows a source better
than as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final, Protocol, cast

from undertag.model.problem import Problem, ReadError
from undertag.model.source import Records, Unit
from undertag.read.source import Source

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "evtx": "undertag.read.formats.evtx:Evtx",
        "jsonl": "undertag.read.formats.jsonl:JsonLines",
        "json": "undertag.read.formats.documents:JsonDocuments",
        "winxml": "undertag.read.formats.winxml:WindowsXml",
        "csv": "undertag.read.formats.delimited:Delimited",
        "text": "undertag.read.formats.text:Text",
    }
)
ENTRY_POINTS: Final = "undertag.readers"


class Format(Protocol):
    """What a reader of a format does."""

    what: str
    """One line for people."""

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        """Cuts a source into units of about `unit_bytes` at record boundaries. Runs in the parent, once a
        source."""

    def records(self, unit: Unit) -> Records:
        """The records of a unit. Runs in a worker.

        Raises:
            OSError: the unit's file can't be read any more.
        """

    def locate(self, unit: Unit, index: int) -> int:
        """The byte of the source at which record `index` of the unit begins, -1 where that can't be told."""


def format_names() -> list[str]:
    """All formats, those of packages last."""
    return [*FORMATS, *_of_packages()]


@cache
def load_format(name: str) -> Format:
    """The reader of a format.

    Raises:
        ReadError: there is none of that name, or its package is broken.
    """
    target = FORMATS.get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return cast(Format, getattr(import_module(module), attribute)())
    point = _of_packages().get(name)
    if point is None:
        raise ReadError(
            Problem(code="UT102", message=f"no reader for the format {name!r}", hint="see `undertag formats`")
        )
    module, _, attribute = point.partition(":")
    try:
        return cast(Format, getattr(import_module(module), attribute)())
    except (ImportError, AttributeError) as error:
        raise ReadError(
            Problem(
                code="UT102",
                message=f"the reader {name!r} can't be loaded: {error}",
                hint=f"reinstall the package of {point}",
            )
        ) from error


def claimed_by(head: bytes) -> str | None:
    """The format of a package that claims a source, None if none does."""
    return next((name for name, claims in _claimers()[0] if claims(head)), None)


def broken_packages() -> list[Problem]:
    """A problem for each package whose reader can't be loaded."""
    return list(_claimers()[1])


@cache
def _claimers() -> tuple[list[tuple[str, Callable[[bytes], bool]]], list[Problem]]:
    claimers, broken = [], []
    for name in _of_packages():
        try:
            claims = getattr(load_format(name), "claims", None)
        except ReadError as error:
            broken.append(error.problem)
            continue
        if claims is not None:
            claimers.append((name, claims))
    return claimers, broken


def describe_formats() -> list[tuple[str, str]]:
    """Name and one line about each format."""
    return [(name, load_format(name).what) for name in format_names()]


@cache
def _of_packages() -> Mapping[str, str]:
    found = entry_points(group=ENTRY_POINTS)
    return MappingProxyType(
        {
            point.name: point.value
            for point in sorted(found, key=lambda one: one.name)
            if point.name not in FORMATS
        }
    )
