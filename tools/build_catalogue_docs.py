"""Writes the reference of the catalogue: docs/reference/catalogue.md, a page a platform, and a page to search. `--check` only tells.

What the pages say comes from the compiled catalogue alone, so they are current if it is.
"""

from __future__ import annotations

import html
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from undertag.catalogue.sources import Catalogue, Resolver, SourceEntry, load_catalogue
from undertag.catalogue.sources.needs import clauses

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
_SCRIPT = """
const list = document.getElementById("list"), box = document.getElementById("q"), count = document.getElementById("n");
function show() {
  const words = box.value.toLowerCase().split(/\\s+/).filter(Boolean);
  const hits = words.length ? DATA.filter(r => words.every(w => r[4].includes(w))) : DATA;
  count.textContent = hits.length + " entries";
  list.replaceChildren(...hits.slice(0, 300).map(r => {
    const row = document.createElement("tr");
    for (const text of r.slice(0, 4)) { const cell = document.createElement("td"); cell.textContent = text; row.append(cell); }
    return row;
  }));
}
for (const r of DATA) r.push(r.join(" ").toLowerCase());
box.addEventListener("input", show); show();
"""


def cell(text: str) -> str:
    """Text within a table of Markdown."""
    return (
        html.escape(text, quote=False)
        .replace("|", "\\|")
        .replace("\n", " ")
        .replace("*", "\\*")
        .replace("_", "\\_")
    )


def anchor(heading: str) -> str:
    """Where a heading of Markdown is linked to."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def default(entry: SourceEntry) -> str:
    """An entry's default in a few words."""
    value = entry.value("default")
    if not isinstance(value, list):
        return "unknown"
    return "; ".join(f"{one['state']} ({one['where']})" for one in value)


def needs(entry: SourceEntry) -> str:
    """An entry's prerequisites by id; alternatives with `or`."""
    return ", ".join(" or ".join(f"`{one['id']}`" for one in need) for need in clauses(entry.value("needs")))


def volume(entry: SourceEntry) -> str:
    """An entry's volume as a range."""
    value = entry.value("volume")
    return f"{value['low']:,}–{value['high']:,} {value['unit']}" if isinstance(value, dict) else "unknown"


def platform_page(catalogue: Catalogue, platform: str) -> str:
    """Every curated entry of a platform by channel, and how many derived ones there are."""
    lines = [
        f"# {platform}",
        "",
        "Made by `tools/build_catalogue_docs.py`; `undertag sources show KEY` has every attribute with its source.",
        "",
    ]
    groups: dict[str, list[str]] = {}
    for key in catalogue.select([f"{platform}/**"]):
        groups.setdefault(key.rpartition("/")[0], []).append(key)
    derived: list[str] = []
    if platform == "antivirus":
        lines += ["What an analyst needs besides is in [the anti-virus book](../antivirus.md).", ""]
    named = [prefix for prefix, keys in groups.items() if any(catalogue.tier(k) == "curated" for k in keys)]
    if len(named) > 5:
        links = (f"[{prefix.partition('/')[2] or prefix}](#{anchor(prefix)})" for prefix in named)
        lines += [" · ".join(links), ""]
    for prefix, keys in groups.items():
        curated = [key for key in keys if catalogue.tier(key) == "curated"]
        if not curated:
            derived.append(f"`{prefix}` {len(keys):,}")
            continue
        entries = list(catalogue.entries(curated))
        channel = entries[0].value("channel")
        lines += [f"## {prefix}", ""]
        more = f"{len(keys) - len(curated):,} derived entries besides." if len(keys) > len(curated) else ""
        about = " ".join(filter(None, (f"Channel `{channel}`." if channel else "", more)))
        lines += [about, ""] if about else []
        lines += [
            "| entry | what | default | needs | difficulty | volume |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for entry in entries:
            name = entry.key.rpartition("/")[2]
            lines.append(
                f"| `{name}` | {cell(entry.title)} | {cell(default(entry))} | {needs(entry)} | {entry.difficulty} | {cell(volume(entry))} |"
            )
        lines.append("")
    if derived:
        lines += ["## Derived only", "", ", ".join(derived) + ".", ""]
    return "\n".join(lines).rstrip() + "\n"


def index_page(catalogue: Catalogue, resolver: Resolver) -> str:
    """Platforms, umbrellas, log sources of Sigma, corrections and prose of ATT&CK's log sources."""
    lines = [
        "# The catalogue of log sources",
        "",
        "Made by `tools/build_catalogue_docs.py`. To look for something: [the page to search](catalogue-search.html) (curated",
        "entries), or `undertag sources search` (all).",
        "How the files are written: [catalogue-format.md](catalogue-format.md).",
        "Anti-virus products have a book of their own: [antivirus.md](antivirus.md).",
        "",
        "| platform | entries | curated |",
        "| --- | --- | --- |",
    ]
    for branch in catalogue.children():
        lines.append(
            f"| [{branch.path}](catalogue/{branch.path}.md) | {branch.entries:,} | {branch.curated:,} |"
        )
    lines += ["", *umbrella_lines(resolver), *sigma_lines(catalogue, resolver), *alias_lines(resolver)]
    return "\n".join(lines).rstrip() + "\n"


def umbrella_lines(resolver: Resolver) -> Iterator[str]:
    """The names of October 2019."""
    yield from (
        "## The names of October 2019",
        "",
        "The 59 data sources and nine platforms of ATT&CK v6.0. `undertag sources resolve NAME` has the entries.",
        "",
    )
    yield from (
        "| name | entries | techniques | better named | how hard | relations |",
        "| --- | --- | --- | --- | --- | --- |",
    )
    for name in resolver.umbrellas:
        found = resolver.resolve(name)
        detail: Any = found.detail
        relations = "; ".join(f"{r['kind']} {r['to']}" for r in detail["relations"])
        told = f"{cell(detail['better'])} | {cell(detail['difficulty'])} | {cell(relations)}"
        yield f"| {cell(name)} | {len(found.keys):,} | {len(detail['techniques'])} | {told} |"
    yield from ("", "Why they stand so to each other:", "")
    for name, umbrella in resolver.umbrellas.items():
        for relation in umbrella["relations"]:
            yield f"- **{cell(name)}** {relation['kind']} **{cell(relation['to'])}**: {cell(relation['why'])}"
    yield ""


def sigma_lines(catalogue: Catalogue, resolver: Resolver) -> Iterator[str]:
    """The log sources of Sigma."""
    yield from (
        "## Log sources of Sigma",
        "",
        "All that SigmaHQ names; fields that are spelt otherwise in the entries.",
        "",
    )
    yield from ("| log source | entries | renames | lost |", "| --- | --- | --- | --- |")
    for text in resolver.sigma["sigmahq"]:
        found = resolver.resolve(text)
        detail: Any = found.detail
        renames = {
            f"{a} → {b}": None for s in detail.get("servings", ()) for a, b in s.get("rename", {}).items()
        }
        lost = {name: None for s in detail.get("servings", ()) for name in s.get("lost", ())}
        yield f"| `{text}` | {len(found.keys):,} | {cell(', '.join(renames))} | {cell(', '.join(lost))} |"
    yield ""


def alias_lines(resolver: Resolver) -> Iterator[str]:
    """Corrections and prose."""
    rows = [
        (name, channel, *pair)
        for name, pairs in resolver.aliases.items()
        for channel, pair in pairs.items()
        if pair[0]
    ]
    states = {
        state: sum(row[3] == state for row in rows) for state in ("events", "component", "log", "prose")
    }
    yield from ("## Log sources of ATT&CK v18.1", "")
    yield f"{len(rows):,} pairs of name and channel: {states['events']:,} name events, {states['component']:,} are prose"
    yield f"narrowed by the data component that lists them, {states['log']:,} lead to a log as a whole, {states['prose']:,} to"
    yield "nothing that could be switched on or watched. The names are MITRE's (see NOTICE)."
    yield from (
        "",
        "### Corrections",
        "",
        "| name | channel | what is wrong | entries |",
        "| --- | --- | --- | --- |",
    )
    for name, channel, _, _, spans, why in rows:
        if why:
            yield f"| `{name}` | {cell(channel)} | {cell(why)} | {sum(end - first for first, end in spans):,} |"
    yield from ("", "### Pairs that lead nowhere", "", "| name | channel |", "| --- | --- |")
    for name, channel, _, state, _, _ in rows:
        if state == "prose":
            yield f"| `{name}` | {cell(channel)} |"
    yield ""


def search_page(catalogue: Catalogue) -> str:
    """A page that looks through the curated entries without any network."""
    keys = [key for key in catalogue.keys if catalogue.tier(key) == "curated"]
    rows = [[e.key, e.title, e.difficulty, ", ".join(e.fields[:40])] for e in catalogue.entries(keys)]
    data = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>undertag: the catalogue of log sources</title>\n'
        "<style>body{font:14px sans-serif;margin:2em}td{padding:2px 12px 2px 0;vertical-align:top}td:first-child{font-family:monospace}"
        "td:nth-child(4){color:#777}input{font-size:16px;width:30em}</style>\n"
        '<h1>The catalogue of log sources</h1>\n<p><input id="q" autofocus placeholder="words"> <span id="n"></span></p>\n'
        f'<table><tbody id="list"></tbody></table>\n<script>const DATA={data};{_SCRIPT}</script></html>\n'
    )


def pages() -> dict[str, str]:
    """Every page by its name under docs/reference."""
    catalogue = load_catalogue()
    resolver = Resolver(catalogue)
    found = {"catalogue.md": index_page(catalogue, resolver), "catalogue-search.html": search_page(catalogue)}
    for branch in catalogue.children():
        found[f"catalogue/{branch.path}.md"] = platform_page(catalogue, branch.path)
    return found


def publish(made: dict[str, str], folder: str, argv: list[str]) -> int:
    """Writes pages under docs/reference, and takes away those of `folder` that are no more.

    Returns:
        0 written or current, 1 not current and `--check` asked.
    """
    have = {path.relative_to(REFERENCE).as_posix() for path in REFERENCE.glob(f"{folder}/*.md")}
    stale = [
        name
        for name, text in made.items()
        if not (REFERENCE / name).exists() or (REFERENCE / name).read_text(encoding="utf-8") != text
    ]
    gone = sorted(have - made.keys())
    if "--check" in argv:
        print("\n".join(f"stale: {name}" for name in [*stale, *gone]), file=sys.stderr)
        return int(bool(stale or gone))
    for name in stale:
        (REFERENCE / name).parent.mkdir(parents=True, exist_ok=True)
        (REFERENCE / name).write_text(made[name], encoding="utf-8")
    for name in gone:
        (REFERENCE / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(publish(pages(), "catalogue", sys.argv[1:]))
