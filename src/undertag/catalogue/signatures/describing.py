"""Descriptions of tags: from tags.yml to rows, checked against the tags that reading can give.

Contract: as `compiling`: a tag that can be given has a description, and a description belongs to a tag that can be given.
"""

from __future__ import annotations

import re
from typing import Any, Final

from undertag.catalogue.signatures.deciding import TAGGED_MODIFIERS
from undertag.catalogue.signatures.name import TYPES
from undertag.catalogue.signatures.tables import Tables, TagRow
from undertag.model.problem import CatalogueError, Place, Problem

FORM: Final = re.compile(r"[a-z0-9_-]+\.[a-z0-9._-]+")
MAX_BYTES: Final = 31
STRENGTHS: Final = ("compatible", "consistent", "indicative")
_TECHNIQUE: Final = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")


def possible_tags(tables: Tables) -> set[str]:
    """Every tag that reading a name can give."""
    what = {*TYPES, *TAGGED_MODIFIERS, "known-vulnerability"}
    for family in tables.families:
        what.update(family.statements)
    return {f"obs.av.{one}" for one in what}


def compile_tags(document: dict[str, Any], tables: Tables) -> dict[str, TagRow]:
    """The rows by tag.

    Raises:
        CatalogueError: UT332.
    """
    rows = {tag: _row(tag, facts) for tag, facts in document["tags"].items()}
    possible = possible_tags(tables)
    for missing in sorted(possible - rows.keys()):
        raise _wrong(f"{missing} can be given and is not described")
    for needless in sorted(rows.keys() - possible):
        raise _wrong(f"{needless} is described and can't be given")
    return rows


def _row(tag: str, facts: dict[str, Any]) -> TagRow:
    if not FORM.fullmatch(tag) or len(tag) > MAX_BYTES:
        raise _wrong(f"{tag!r} is no tag: {FORM.pattern}, at most {MAX_BYTES} bytes")
    for id_, (strength, _) in facts["relates"].items():
        if strength not in STRENGTHS or not _TECHNIQUE.fullmatch(id_):
            raise _wrong(f"{tag}: {id_} {strength} is no link")
    return TagRow(
        title=facts["title"],
        means=facts["means"],
        benign=tuple(facts["benign"]),
        ask=facts["ask"],
        action=facts["action"],
        relates=tuple((id_, strength, because) for id_, (strength, because) in facts["relates"].items()),
    )


def _wrong(message: str) -> CatalogueError:
    return CatalogueError(Problem(code="UT332", message=message, place=Place(source="tags.yml")))
