"""What `undertag sources` answers as JSON: entries with what follows from others, the export, trees, relations.

Contract: pure; the keys are the contract of docs/reference/cli.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from undertag.catalogue.sources.needs import outcomes

if TYPE_CHECKING:
    from undertag.catalogue.sources.lookup import Catalogue
    from undertag.catalogue.sources.resolving import Resolver


def entry_json(catalogue: Catalogue, resolver: Resolver, key: str) -> dict[str, Any]:
    """Every attribute of an entry, with what follows from others: commands, audit subcategories, log sources, relations."""
    document = catalogue.entry(key).to_json()
    _add_computed(document, catalogue, resolver)
    document["prerequisites"] = [
        {"id": name, **catalogue.prerequisites.get(name, {})} for name in document["prerequisites"]
    ]
    return document


def _add_computed(document: dict[str, Any], catalogue: Catalogue, resolver: Resolver) -> None:
    key = document["key"]
    audited = outcomes(document.get("needs"))
    names = catalogue.prerequisites_of(key)
    known = [
        {"id": name, **catalogue.prerequisites[name]} for name in names if name in catalogue.prerequisites
    ]
    document["prerequisites"] = names
    for name in ("enable", "undo"):
        steps = [step for one in known for step in _steps(one.get(name), audited.get(one["id"]))]
        if steps:
            document[name] = steps if name == "enable" else steps[::-1]
            document["origins"][name] = "computed"
    document["audit_subcategories"] = _audits(audited, known)
    served = resolver.servings_of(key)
    if served:
        document["sigma"] = served
    related = catalogue.relations(key)
    if related:
        document["relations"] = related


def _steps(value: Any, outcome: Mapping[str, bool] | None) -> list[str]:
    """The commands of a prerequisite, without those for an outcome that isn't needed."""
    if not isinstance(value, list):
        return []
    wanted = {name for name in ("success", "failure") if outcome and outcome.get(name)}
    if not wanted:
        return list(value)
    return [
        step
        for step in value
        if not any(f"/{name}:" in step for name in ("success", "failure"))
        or any(f"/{name}:" in step for name in wanted)
    ]


def _audits(
    audited: Mapping[str, Mapping[str, bool]], prerequisites: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The audit subcategories that an entry needs, alternatives included, by GUID, with the outcomes to be audited."""
    return [
        {
            "guid": one["guid"],
            "subcategory": one["title"].removeprefix("Audit "),
            "category": one.get("category", ""),
            "success": audited.get(one["id"], {}).get("success"),
            "failure": audited.get(one["id"], {}).get("failure"),
        }
        for one in prerequisites
        if one.get("kind") == "audit-subcategory"
    ]


def exported(catalogue: Catalogue, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Entries with every attribute, one after the other; prerequisites by id, sources by the file that names them."""
    from undertag.catalogue.sources.resolving import Resolver

    resolver = Resolver(catalogue)
    for entry in catalogue.entries(keys):
        document = entry.to_json()
        del document["documents"]
        _add_computed(document, catalogue, resolver)
        yield document


def export_document(catalogue: Catalogue, keys: Iterable[str]) -> dict[str, Any]:
    """The whole export: `entries`, and what they point to."""
    return {
        "digest": catalogue.artefact.head.digest,
        "entries": list(exported(catalogue, keys)),
        "prerequisites": catalogue.prerequisites,
        "sources": catalogue.documents(),
    }


def write_lines(entries: Iterable[Mapping[str, Any]]) -> None:
    """A line of JSON an entry."""
    for entry in entries:
        sys.stdout.buffer.write(orjson.dumps(entry) + b"\n")
    sys.stdout.buffer.flush()


def branches(catalogue: Catalogue, prefix: str, depth: int) -> list[dict[str, Any]]:
    """The tree below a prefix."""
    found = []
    for branch in catalogue.children(prefix):
        node: dict[str, Any] = {"path": branch.path, "entries": branch.entries, "curated": branch.curated}
        if branch.leaf:
            node["title"] = catalogue.title(branch.path)
        elif depth > 1:
            node["branches"] = branches(catalogue, branch.path, depth - 1)
        found.append(node)
    return found


def relation_rows(catalogue: Catalogue, key: str | None) -> list[dict[str, Any]]:
    """Relations of one entry, or of all, as rows (from, kind, to, lost, why)."""
    if key is not None:
        return [
            {"from": key, **row} if "to" in row else {"to": key, **row} for row in catalogue.relations(key)
        ]
    sources = sorted({source for rows in catalogue.relations_to.values() for source, _ in rows})
    return [
        {"from": entry.key, **row}
        for entry in catalogue.entries(sources)
        for row in entry.value("relations") or ()
    ]
