"""Writes the anti-virus book: docs/reference/antivirus.md and a page a product. `--check` only tells.

Made from the products' files under the catalogue; each statement names its sources by a number, listed at the page's end.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from build_catalogue_docs import cell, default, publish
from undertag.catalogue.signatures import read_name
from undertag.catalogue.sources import Catalogue, SourceEntry, load_catalogue
from undertag.catalogue.sources.files import SourceFile, read_curated

_CHAPTERS = (
    ("where", "Where its events go"),
    ("switch_on", "What to switch on"),
    ("worth", "What each type is worth"),
    ("never", "What it will never tell"),
    ("traps", "Traps"),
    ("naming", "How its names are to be read"),
    ("disagreements", "Where sources disagree"),
)
_LEVELS = ("high", "medium", "low", "none", "unknown")


class Notes:
    """Numbers sources in the order in which a page names them."""

    def __init__(self, documents: Mapping[str, Mapping[str, str]]) -> None:
        self._documents = documents
        self._numbers: dict[str, int] = {}

    def mark(self, sources: list[str]) -> str:
        """The numbers of some sources."""
        numbers = [self._numbers.setdefault(source, len(self._numbers) + 1) for source in sources]
        return f" [{', '.join(map(str, sorted(numbers)))}]" if numbers else ""

    def lines(self) -> Iterator[str]:
        """The list at the page's end."""
        for source, number in self._numbers.items():
            document = self._documents[source]
            more = ", ".join(filter(None, (document.get("version"), document.get("date"))))
            yield f"{number}. {cell(document['title'])} ({document['kind']}{', ' + more if more else ''})"


def product_page(file: SourceFile, entries: list[SourceEntry]) -> str:
    """A product from top to bottom."""
    book, notes = file.book, Notes(file.sources)
    lines = [f"# {cell(book['name'])}", "", f"{cell(book['summary'])}", ""]
    lines += [
        f"*{cell(book['vendor'])}. {len(entries):,} types of event under `{file.defaults['prefix']}/…`. Numbers in brackets are sources.*",
        "",
    ]
    for name, title in _CHAPTERS:
        items = book.get(name, ())
        if items:
            lines += [f"## {title}", ""]
            lines += [f"- {cell(said['say'])}{notes.mark(said['sources'])}" for said in items]
            lines.append("")
        if name == "naming" and book.get("examples"):
            lines += ["| name | what it says | `undertag sources av` |", "| --- | --- | --- |"]
            convention = "" if book["names"] == "none" else book["names"]
            for example in book["examples"]:
                name = example["name"].replace("|", "\\|")
                read = _read(example["name"], convention)
                lines.append(f"| `{name}` | {cell(example['reads'])} | {cell(read)} |")
            lines.append("")
    lines += ["## Types of event", "", *_events(file, entries, notes), ""]
    if book.get("unconfirmed"):
        lines += [
            "## Not confirmed",
            "",
            "Known from one person's knowledge only; no entries of the catalogue until a second source is found.",
            "",
        ]
        lines += [
            f"- `{cell(one['event'])}`: {cell(one['title'])}"
            + (f" ({cell(one['why'])})" if one.get("why") else "")
            for one in book["unconfirmed"]
        ]
        lines.append("")
    lines += ["## Sources", "", *notes.lines(), ""]
    return "\n".join(lines)


def _read(name: str, convention: str) -> str:
    read = read_name(name, convention)
    parts = [read.type, read.platform, read.family, read.variant]
    return ", ".join(filter(None, parts)) + f"; {read.fidelity}"


def _events(file: SourceFile, entries: list[SourceEntry], notes: Notes) -> Iterator[str]:
    """Tables of the types, those first that tell most."""
    prefix = f"{file.defaults['prefix']}/"
    usual = Counter(map(default, entries)).most_common(1)[0][0]
    yield from (f"Default, where the table doesn't say otherwise: {cell(usual)}.", "")
    for level in _LEVELS:
        some = [entry for entry in entries if _level(entry) == level]
        if not some:
            continue
        heads = {"none": "No fidelity: they say nothing of threats", "unknown": "Fidelity unknown"}
        yield from (f"### {heads.get(level, level.capitalize() + ' fidelity')}", "")
        yield from ("| type | what happened | done | why so | default |", "| --- | --- | --- | --- | --- |")
        for entry in some:
            fidelity = entry.value("fidelity")
            why = fidelity["why"] if isinstance(fidelity, Mapping) else ""
            name = entry.key.removeprefix(prefix)
            mark = notes.mark([source for source in _sources(entry) if source in file.sources])
            yield f"| `{name}` | {cell(entry.title)}{mark} | {entry.value('outcome', '')} | {cell(why)} | {_unusual(entry, usual)} |"
        yield ""


def _unusual(entry: SourceEntry, usual: str) -> str:
    said = default(entry)
    return "" if said == usual else cell(said)


def _sources(entry: SourceEntry) -> list[str]:
    fact = entry.facts.get("fields") or entry.facts.get("category")
    return (
        []
        if fact is None
        else [source for source in fact.sources if entry.documents[source]["kind"] != "knowledge"]
    )


def _level(entry: SourceEntry) -> str:
    fidelity: Any = entry.value("fidelity")
    return str(fidelity["level"]) if isinstance(fidelity, Mapping) else "unknown"


def index_page(found: Mapping[str, tuple[SourceFile, list[SourceEntry]]]) -> str:
    """All products in one table."""
    events = sum(len(entries) for _, entries in found.values())
    lines = [
        "# The anti-virus book",
        "",
        f"{len(found)} products, {events:,} types of event: what to switch on, what each type is worth, what it will never tell, and",
        "how its signature names are to be read. A blocked hack tool and a quarantined toolbar are not the same log source: each",
        "type has its fidelity, how far a record of it may be taken, unseen, for something malicious that was really there. Every",
        "type is an entry of the catalogue (`undertag sources show KEY`); `undertag sources av NAME` reads signature names, and",
        "`undertag tag` reads those in events.",
        "",
        "| product | types | high | medium | low | none | name a signature |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for slug, (file, entries) in sorted(found.items(), key=lambda item: item[1][0].book["name"].lower()):
        levels = Counter(map(_level, entries))
        named = sum(bool((entry.value("reads") or {}).get("signature")) for entry in entries)
        counts = " | ".join(str(levels[level]) for level in _LEVELS[:4])
        lines.append(
            f"| [{cell(file.book['name'])}](antivirus/{slug}.md) | {len(entries)} | {counts} | {named} |"
        )
    return "\n".join([*lines, ""])


def pages(catalogue: Catalogue | None = None) -> dict[str, str]:
    """Every page by its name under docs/reference."""
    catalogue = catalogue or load_catalogue()
    found: dict[str, tuple[SourceFile, list[SourceEntry]]] = {}
    for file in read_curated().files:
        if file.book:
            slug = str(file.defaults["prefix"]).partition("/")[2]
            found[slug] = file, list(catalogue.entries([key for key in file.entries if key in catalogue]))
    made = {f"antivirus/{slug}.md": product_page(*one) for slug, one in found.items()}
    return {"antivirus.md": index_page(found), **made}


if __name__ == "__main__":
    sys.exit(publish(pages(), "antivirus", sys.argv[1:]))
