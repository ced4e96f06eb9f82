"""The tables by which names are read, as compiled from `data/signatures/*.yml`.

Contract: nothing is read before it is asked for; then one file, once. A damaged or missing file is a `CatalogueError` (UT330),
never a wrong answer. Descriptions of tags lie in a block of their own, since reading names doesn't need them.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from undertag.catalogue.signatures.name import TagFacts, Technique
from undertag.model.problem import CatalogueError, Place, Problem

FOLDER: Final = Path(__file__).parent.parent / "data" / "signatures"
PATH: Final = FOLDER / "signatures.bin"
FORMAT: Final = 3


class Word(msgspec.Struct, frozen=True, array_like=True):
    """What one word says. `filler` and `mark` are a modifier, empty for none added, or None if it is no such word. `named`: behind a
    word of the same type it is the family."""

    type: str = ""
    platform: str = ""
    filler: str | None = None
    mark: str | None = None
    nowhere: bool = False
    named: bool = False


class Suffix(msgspec.Struct, frozen=True, array_like=True):
    """What a word after `!` says: a type, a modifier, a platform, or several of them."""

    type: str = ""
    modifier: str = ""
    platform: str = ""


class Family(msgspec.Struct, frozen=True, array_like=True):
    """A known family. `over`: how far its type overrules the vendor's word (always, vague, silent)."""

    name: str
    type: str
    over: str
    catch_all: bool
    statements: tuple[str, ...]


class Phrase(msgspec.Struct, frozen=True, array_like=True):
    """A name that names no malware but a classification."""

    pattern: str
    type: str
    modifiers: tuple[str, ...]


class Rule(msgspec.Struct, frozen=True, array_like=True):
    """One rule of fidelity; an empty condition holds always."""

    fidelity: str
    because: str
    types: frozenset[str]
    family: frozenset[str]
    modifiers: frozenset[str]
    statements: frozenset[str]


class Tables(msgspec.Struct, frozen=True, kw_only=True):
    """All that reading a name needs."""

    words: dict[str, Word]
    suffixes: dict[str, Suffix]
    families: list[Family]
    aliases: dict[str, int]
    """Folded spelling → place in `families`."""
    vendors: dict[str, str]
    """Folded vendor, product or engine → id of the convention."""
    vendor_words: dict[str, dict[str, Word]]
    vendor_heads: dict[str, dict[str, Word]]
    """Vendor → words that count before the family's place only."""
    defaults: dict[str, str]
    """Vendor → the type of a name that gives a family and no type."""
    shapes: list[tuple[str, str]]
    """(vendor, pattern), the first that matches."""
    phrases: list[Phrase]
    rules: list[Rule]


class TagRow(msgspec.Struct, frozen=True, array_like=True):
    """One tag's description."""

    title: str
    means: str
    benign: tuple[str, ...]
    ask: str
    action: str
    relates: tuple[tuple[str, str, str], ...]


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """The compiled file: blocks of msgpack with their checksums."""

    format: int
    digest: str
    """SHA-256 over the names and bytes of the YAML files."""
    tables: bytes
    tags: bytes
    crc: tuple[int, int]


def open_artefact(path: Path = PATH) -> Artefact:
    """The compiled file, checked.

    Raises:
        CatalogueError: UT330, it is missing, damaged or of another format.
    """
    try:
        found = msgspec.msgpack.decode(path.read_bytes(), type=Artefact)
    except OSError as error:
        raise _damaged(path, f"can't be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise _damaged(path, "is damaged") from error
    if found.format != FORMAT:
        raise _damaged(path, f"has format {found.format}, not {FORMAT}")
    if found.crc != (zlib.crc32(found.tables), zlib.crc32(found.tags)):
        raise _damaged(path, "is damaged")
    return found


def load_tables(path: Path = PATH) -> Tables:
    """The tables of a compiled file; CatalogueError as `open_artefact`."""
    return msgspec.msgpack.decode(open_artefact(path).tables, type=Tables)


@cache
def _tag_rows() -> dict[str, TagRow]:
    return msgspec.msgpack.decode(open_artefact().tags, type=dict[str, TagRow])


def tag_names() -> tuple[str, ...]:
    """All tags that reading a name can give, sorted."""
    return tuple(sorted(_tag_rows()))


def tag_facts(tag: str) -> TagFacts:
    """What is known of one of `tag_names()`.

    Raises:
        CatalogueError: UT331, there is no such tag.
    """
    row = _tag_rows().get(tag)
    if row is None:
        raise CatalogueError(
            Problem(
                code="UT331", message=f"no tag {tag!r} follows from signature names", hint="see `tag_names()`"
            )
        )
    return TagFacts(
        tag=tag,
        title=row.title,
        means=row.means,
        benign=row.benign,
        ask=row.ask,
        action=row.action,
        relates=tuple(
            Technique(id=id_, strength=strength, because=because) for id_, strength, because in row.relates
        ),
    )


def _damaged(path: Path, what: str) -> CatalogueError:
    return CatalogueError(
        Problem(
            code="UT330",
            message=f"the table of signature names {what}",
            place=Place(source=str(path)),
            hint="make it anew: python tools/build_signatures.py",
        )
    )
