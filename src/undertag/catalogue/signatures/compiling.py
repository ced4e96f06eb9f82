"""The YAML files → the compiled tables. Run at build and by tests only.

Contract: every mistake is a `CatalogueError` (UT332) that names file and word: a word with two meanings in one section, a family's
spelling that another family or a word has, an unknown type, platform, modifier, fidelity or technique strength, a tag without a
description or a description without a tag.
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.catalogue.signatures.describing import compile_tags
from undertag.catalogue.signatures.name import FIDELITIES, MODIFIERS, PLATFORMS, TYPES
from undertag.catalogue.signatures.tables import (
    FOLDER,
    FORMAT,
    Artefact,
    Family,
    Phrase,
    Rule,
    Suffix,
    Tables,
    Word,
)
from undertag.catalogue.signatures.tokens import fold
from undertag.catalogue.sources.strict_yaml import read_strict
from undertag.model.problem import CatalogueError, Place, Problem

FILES: Final = ("words.yml", "conventions.yml", "families.yml", "fidelity.yml", "tags.yml")
_KINDS: Final = {"none", "catch-all", "named", "known", "exact"}


def digest(folder: Path = FOLDER) -> str:
    """SHA-256 over the names and bytes of the YAML files."""
    found = hashlib.sha256(f"format {FORMAT}\n".encode())
    for name in FILES:
        data = (folder / name).read_bytes()
        found.update(f"{name} {len(data)}\n".encode())
        found.update(data)
    return found.hexdigest()


def compile_tables(folder: Path = FOLDER) -> bytes:
    """The compiled file's bytes; equal inputs give equal bytes.

    Raises:
        CatalogueError: UT300 or UT301 (no such YAML), UT332 (what it says makes no sense).
    """
    documents = {name: read_strict((folder / name).read_bytes(), name) for name in FILES}
    tables = _tables(documents)
    tags = compile_tags(documents["tags.yml"], tables)
    encoder = msgspec.msgpack.Encoder(order="deterministic")
    one, two = encoder.encode(tables), encoder.encode(tags)
    return encoder.encode(
        Artefact(
            format=FORMAT, digest=digest(folder), tables=one, tags=two, crc=(zlib.crc32(one), zlib.crc32(two))
        )
    )


def _tables(documents: dict[str, Any]) -> Tables:
    words = _words(documents["words.yml"], "words.yml")
    families, aliases = _families(documents["families.yml"], words)
    conventions = documents["conventions.yml"]
    vendors: dict[str, str] = {}
    for vendor, facts in conventions["vendors"].items():
        for alias in (vendor, *facts["aliases"]):
            if vendors.setdefault(fold(str(alias)), vendor) != vendor:
                raise wrong(
                    "conventions.yml",
                    f"{alias!r} is said to be both {vendor} and {vendors[fold(str(alias))]}",
                )
    for shape in conventions["shapes"]:
        _one_of(shape["vendor"], set(conventions["vendors"]), "conventions.yml", "vendor")
    for phrase in conventions["phrases"]:
        _one_of(phrase["type"], set(TYPES), "conventions.yml", "type")
    return Tables(
        words=words,
        suffixes=_suffixes(documents["words.yml"]),
        families=families,
        aliases=aliases,
        vendors=vendors,
        vendor_words={
            vendor: _words(facts["words"], f"conventions.yml, {vendor}")
            for vendor, facts in conventions["vendors"].items()
            if "words" in facts
        },
        vendor_heads={
            vendor: _words(facts["before"], f"conventions.yml, {vendor}")
            for vendor, facts in conventions["vendors"].items()
            if "before" in facts
        },
        defaults=_defaults(conventions["vendors"]),
        shapes=[(shape["vendor"], shape["is"]) for shape in conventions["shapes"]],
        phrases=[
            Phrase(pattern=phrase["is"], type=phrase["type"], modifiers=tuple(phrase["modifiers"]))
            for phrase in conventions["phrases"]
        ],
        rules=[_rule(rule) for rule in documents["fidelity.yml"]["rules"]],
    )


def _defaults(vendors: dict[str, Any]) -> dict[str, str]:
    found = {vendor: facts["default"] for vendor, facts in vendors.items() if "default" in facts}
    for type_ in found.values():
        _one_of(type_, set(TYPES), "conventions.yml", "type")
    return found


def _words(document: dict[str, Any], source: str) -> dict[str, Word]:
    parts: dict[str, dict[str, Any]] = {}

    def note(word: Any, key: str, value: Any) -> None:
        entry = parts.setdefault(fold(str(word)), {})
        if key in entry:
            raise wrong(source, f"{word!r} has two meanings as {key}: {entry[key]!r} and {value!r}")
        entry[key] = value

    for section, key, allowed in (
        ("types", "type", set(TYPES)),
        ("platforms", "platform", set(PLATFORMS)),
        ("fillers", "filler", {*MODIFIERS, ""}),
        ("marks", "mark", {*MODIFIERS, ""}),
    ):
        for value, words in document.get(section, {}).items():
            _one_of(value or "", allowed, source, key)
            for word in words:
                note(word, key, value or "")
    for section in ("nowhere", "named"):
        for word in document.get(section, ()):
            note(word, section, True)
    return {word: Word(**entry) for word, entry in sorted(parts.items())}


def _suffixes(document: dict[str, Any]) -> dict[str, Suffix]:
    found: dict[str, dict[str, str]] = {}
    for section, key, allowed in (
        ("suffixes", "modifier", MODIFIERS),
        ("suffix_types", "type", TYPES),
        ("suffix_platforms", "platform", PLATFORMS),
    ):
        for value, words in document[section].items():
            _one_of(value, set(allowed), "words.yml", key)
            for word in words:
                entry = found.setdefault(str(word), {})
                if key in entry:
                    raise wrong("words.yml", f"the suffix {word!r} has two meanings as {key}")
                entry[key] = value
    return {word: Suffix(**entry) for word, entry in sorted(found.items())}


def _families(document: dict[str, Any], words: dict[str, Word]) -> tuple[list[Family], dict[str, int]]:
    families: list[Family] = []
    aliases: dict[str, int] = {}
    for group, facts in document["groups"].items():
        if facts["type"]:
            _one_of(facts["type"], set(TYPES), "families.yml", "type")
        _one_of(facts["over"], {"always", "vague", "silent"}, "families.yml", "over")
        for name, spellings in facts["families"].items():
            for spelling in (name, *spellings):
                folded = fold(str(spelling))
                if folded in words:
                    raise wrong("families.yml", f"{spelling!r} ({group}) is a word of words.yml")
                if aliases.setdefault(folded, len(families)) != len(families):
                    raise wrong(
                        "families.yml", f"{spelling!r} ({name}) is {families[aliases[folded]].name} already"
                    )
            families.append(
                Family(
                    name=str(name),
                    type=facts["type"],
                    over=facts["over"],
                    catch_all=facts.get("catch_all", False),
                    statements=tuple(facts["statements"]),
                )
            )
    return families, dict(sorted(aliases.items()))


def _rule(rule: dict[str, Any]) -> Rule:
    _one_of(rule["fidelity"], set(FIDELITIES), "fidelity.yml", "fidelity")
    for kind in rule.get("family", ()):
        _one_of(kind, _KINDS, "fidelity.yml", "family")
    for kind in rule.get("types", ()):
        _one_of(kind, set(TYPES), "fidelity.yml", "type")
    for kind in rule.get("modifiers", ()):
        _one_of(kind, set(MODIFIERS), "fidelity.yml", "modifier")
    return Rule(
        fidelity=rule["fidelity"],
        because=rule["because"],
        types=frozenset(rule.get("types", ())),
        family=frozenset(rule.get("family", ())),
        modifiers=frozenset(rule.get("modifiers", ())),
        statements=frozenset(rule.get("statements", ())),
    )


def _one_of(value: str, allowed: set[str], source: str, what: str) -> None:
    if value not in allowed:
        raise wrong(source, f"{value!r} is no {what}")


def wrong(source: str, message: str) -> CatalogueError:
    """The error for a table that makes no sense."""
    return CatalogueError(Problem(code="UT332", message=message, place=Place(source=source)))
