"""The whole build: files → entries, umbrellas, log sources of Sigma and ATT&CK → the artefact.

Contract: `compile_all` reads everything once and finds every problem; it writes nothing. `write` makes the file that is
shipped; it holds the digest of what it was made from, so that a stale one is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from undertag.catalogue.sources import links
from undertag.catalogue.sources.aliases import compile_aliases
from undertag.catalogue.sources.artefact import write_artefact
from undertag.catalogue.sources.book import book_problems
from undertag.catalogue.sources.compiling import Parts, attribute_index, blocks, digest, read_parts
from undertag.catalogue.sources.recognition import compile_recognition
from undertag.catalogue.sources.record import SourceEntry
from undertag.catalogue.sources.routing import routes_block
from undertag.catalogue.sources.selectors import Selection
from undertag.catalogue.sources.sigma import compile_sigma
from undertag.catalogue.sources.umbrellas import compile_umbrellas
from undertag.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """Everything that the artefact is made of."""

    digest: str
    parts: Parts
    entries: list[SourceEntry]
    index: dict[str, dict[str, list[list[int]]]]
    umbrellas: dict[str, Any]
    sigma: dict[str, Any]
    aliases: list[Any]
    routes: dict[str, Any]
    problems: list[Problem]


def compile_all(root: Path) -> Compiled:
    """Reads the files under `root` and joins them."""
    parts = read_parts(root)
    entries = list(parts.entries())
    index = attribute_index(entries)
    selection = Selection(parts.keys, index)
    umbrellas, of_umbrellas = compile_umbrellas(root, selection)
    sigma, of_sigma = compile_sigma(root, selection, entries)
    recognition, of_recognition = compile_recognition(root, parts.curated.files, selection)
    aliases, of_aliases = compile_aliases(root, selection)
    keys = set(parts.keys)
    problems = [
        *parts.problems,
        *links.duplicate_keys(parts.curated),
        *links.duplicate_keys(parts.prerequisites),
        *links.duplicate_rows(parts.tables),
        *links.missing_facts(parts.curated),
        *links.dangling(parts.curated, parts.prerequisites, keys),
        *links.cycles(parts.prerequisites),
        *links.attack_links(parts.curated),
        *book_problems(parts.curated),
        *of_umbrellas,
        *of_sigma,
        *of_recognition,
        *of_aliases,
    ]
    return Compiled(
        digest=digest(root),
        parts=parts,
        entries=entries,
        index=index,
        umbrellas=umbrellas,
        sigma=sigma,
        aliases=aliases,
        routes=routes_block(sigma["servings"], entries, recognition, selection, parts.curated.files),
        problems=problems,
    )


def write(compiled: Compiled, path: Path) -> int:
    """Writes the artefact; returns its size in bytes."""
    extra = {
        "umbrellas": compiled.umbrellas,
        "sigma": {**compiled.sigma, "servings": [_shown(one) for one in compiled.sigma["servings"]]},
        "aliases": compiled.aliases,
        "routes": compiled.routes,
    }
    return write_artefact(
        path,
        digest=compiled.digest,
        facts={"entries": len(compiled.entries)},
        blocks=blocks(compiled.parts, compiled.entries, compiled.index, extra),
    )


def _shown(serving: Mapping[str, Any]) -> dict[str, Any]:
    """A serving as answers need it: its entries by number alone."""
    return {name: value for name, value in serving.items() if name != "entries"}
