"""What `undertag sources` shows to people.

Contract: texts of the catalogue are shown as they are, never as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from undertag.apps.cli.output import escape

if TYPE_CHECKING:
    from rich.console import Console

    from undertag.catalogue.sources.lookup import Catalogue
    from undertag.catalogue.sources.resolution import Resolution

_HIDDEN: Final = frozenset({"key", "tier", "title", "origins", "fact_sources", "documents", "file", "table"})
_MARKS: Final = {"own": "", "inherited": "inherited", "table": "table", "computed": "computed"}


def show_list(rows: Sequence[Mapping[str, Any]], out: Console, *, limit: int) -> None:
    """Keys with tier and title, as many as people read."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("key", overflow="fold")
    table.add_column("tier")
    table.add_column("title", overflow="fold")
    for row in rows[:limit]:
        style = "" if row["tier"] == "curated" else "dim"
        table.add_row(escape(row["key"]), row["tier"], escape(row["title"]), style=style)
    out.print(table)
    more = len(rows) - limit
    out.print(f"{len(rows):,} entries" + (f", {more:,} not shown (--json has all)" if more > 0 else ""))


def show_entry(document: Mapping[str, Any], out: Console) -> None:
    """An entry as a table of its attributes, where each comes from, and its sources."""
    from rich.table import Table

    inherits = sorted(name for name, origin in document["origins"].items() if origin == "inherited")
    out.print(f"[bold]{escape(document['key'])}[/]  {escape(document['title'])}")
    tier = "written by hand" if document["tier"] == "curated" else "derived from a table of facts"
    out.print(
        f"[dim]{document['tier']}: {tier}, {escape(document['file'])}"
        + (f"; {len(inherits)} attributes inherited" if inherits else "")
        + "[/]"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for style in ("bold", "", "dim"):
        table.add_column(style=style, overflow="fold")
    for name, value in document.items():
        if name in _HIDDEN or value in ([], ""):
            continue
        mark = _MARKS.get(document["origins"].get(name, ""), "")
        cited = ", ".join(document["fact_sources"].get(name, ()))
        table.add_row(name, escape(said(name, value)), escape(" ".join(filter(None, (mark, cited)))))
    out.print(table)
    for name, text in document["documents"].items():
        out.print(f"[dim]{escape(name)}: {text['kind']}, {escape(text['title'])}[/]")


def said(name: str, value: Any) -> str:
    """An attribute's value as text."""
    if isinstance(value, list):
        if name in ("fields", "parameters"):
            return ", ".join(map(str, value))
        return "\n".join(_item(name, item) for item in value)
    return _item(name, value)


def _item(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    if name == "needs":
        return _need(value)
    if name == "default":
        return f"{value['state']} ({value['basis']}): {value['where']}"
    if name == "fidelity":
        return f"{value['level']}: {value['why']}"
    if name == "volume":
        return f"{value['low']:,} to {value['high']:,} {value['unit']} ({value['basis']})"
    if name == "prerequisites":
        return f"{value['id']}: {value.get('title', '?')} ({value.get('kind', '?')})"
    if name == "relations":
        whom = value["to"] if "to" in value else f"← {value['from']}"
        lost = f"; lost: {', '.join(value['lost'])}" if value.get("lost") else ""
        return f"{value['kind']} {whom}{lost}" + (f": {value['why']}" if value.get("why") else "")
    if name == "sigma" and "logsource" in value:
        renamed = ", ".join(f"{a} → {b}" for a, b in value.get("rename", {}).items())
        return str(value["logsource"]) + (f"  ({renamed})" if renamed else "")
    return ", ".join(
        f"{part}: {_plain(inner)}" for part, inner in value.items() if inner not in (None, [], "")
    )


def _need(value: Mapping[str, Any]) -> str:
    """A need in one line: `audit/logon (failure; why)`, or `one of: …` with its alternatives."""
    alternatives = value.get("any")
    if alternatives:
        named = ", ".join(one if isinstance(one, str) else _need(one) for one in alternatives)
        return f"one of: {named}" + (f": {value['why']}" if value.get("why") else "")
    audited = ", ".join(name for name in ("success", "failure") if value.get(name))
    about = "; ".join(filter(None, (audited, value.get("why", ""))))
    return f"{value['id']} ({about})" if about else str(value["id"])


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def show_tree(name: str, found: Sequence[Mapping[str, Any]], out: Console) -> None:
    """The tree as lines."""
    from rich.tree import Tree

    def grow(parent: Tree, nodes: Sequence[Mapping[str, Any]]) -> None:
        for node in nodes:
            last = escape(node["path"].rpartition("/")[2])
            if "title" in node:
                parent.add(f"{last}  [dim]{escape(node['title'])}[/]")
                continue
            text = f"[bold]{last}[/]  {node['entries']:,}" + (
                f" ({node['curated']:,} curated)" if node["curated"] else ""
            )
            grow(parent.add(text), node.get("branches", ()))

    root = Tree(escape(name))
    grow(root, found)
    out.print(root)


def show_relations(rows: Sequence[Mapping[str, Any]], out: Console) -> None:
    """Relations as a table."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("from", "kind", "to", "lost", "why"):
        table.add_column(name, overflow="fold")
    for row in rows:
        lost = ", ".join(row.get("lost", ()))
        table.add_row(*map(escape, (row["from"], row["kind"], row["to"], lost, row.get("why", ""))))
    out.print(table)
    out.print(f"{len(rows):,} relations")


def show_resolution(catalogue: Catalogue, found: Resolution, out: Console) -> None:
    """What a name means, then the entries."""
    out.print(f"[bold]{escape(found.name)}[/]  ({found.kind})")
    for text in (found.note, found.detail.get("difficulty", "")):
        if text:
            out.print(escape(text))
    if found.detail.get("better"):
        out.print(f"better named: [bold]{escape(found.detail['better'])}[/]")
    for relation in found.detail.get("relations", ()):
        out.print(f"  {relation['kind']} [bold]{escape(relation['to'])}[/]: {escape(relation['why'])}")
    techniques = found.detail.get("techniques", ())
    if techniques:
        out.print(f"[dim]cited by {len(techniques)} techniques of ATT&CK v6.0: {', '.join(techniques)}[/]")
    for serving in found.detail.get("servings", ()):
        renamed = ", ".join(f"{a} → {b}" for a, b in serving.get("rename", {}).items())
        if renamed:
            out.print(
                f"  [dim]{escape(serving['logsource'])} on {len(serving['entries'])} entries: {escape(renamed)}[/]"
            )
    rows = [{"key": key, "tier": catalogue.tier(key), "title": catalogue.title(key)} for key in found.keys]
    show_list(rows, out, limit=60)
