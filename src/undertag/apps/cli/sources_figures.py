"""The figures of the catalogue and of a survey, as text.

Contract: pure rendering of documents that the commands made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from undertag.apps.cli.output import escape

if TYPE_CHECKING:
    from rich.console import Console


def show_figures(found: Mapping[str, Any], out: Console) -> None:
    """The figures of the check as tables."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("platform", "entries", "curated", "channels"):
        table.add_column(name, justify="left" if name == "platform" else "right")
    for platform, count in found["by_platform"].items():
        curated = found["curated_by_platform"].get(platform, 0)
        table.add_row(platform, f"{count:,}", f"{curated:,}", f"{found['channels'][platform]:,}")
    table.add_row(
        "all", f"{found['entries']:,}", f"{found['curated']:,}", f"{sum(found['channels'].values()):,}"
    )
    out.print(table)
    aliases = found["aliases"]
    out.print(
        f"umbrellas {found['umbrellas']['resolved']} of {found['umbrellas']['total']}; "
        f"log sources of Sigma {found['sigma']['resolved']} of {found['sigma']['total']}; "
        f"of ATT&CK v18.1 {aliases['resolved']:,} of {aliases['total']:,} "
        f"({aliases['by_events']:,} by events, {aliases['by_component']:,} by component, {aliases['by_log']:,} by log; "
        f"{aliases['corrected']:,} corrected, {aliases['prose']:,} prose)"
    )
    book = found["antivirus"]
    out.print(
        f"anti-virus {book['products']} products, {book['events']:,} types of event; known of them "
        + ", ".join(f"{name} {share['share']:.0%}" for name, share in book["known"].items())
    )
    known = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("known of", "curated", "own", "all"):
        known.add_column(name, justify="left" if name == "known of" else "right")
    for name, share in found["known"]["curated"].items():
        whole = found["known"]["all"][name]["share"]
        known.add_row(name, f"{share['share']:.1%}", f"{share['own']:.1%}", f"{whole:.1%}")
    out.print(known)


def show_survey(found: Mapping[str, Any], out: Console) -> None:
    """Which entries events are of, the most frequent first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("entry", "events", "systems", "a day", "first", "last", "fields"):
        table.add_column(
            name, overflow="fold", justify="right" if name in ("events", "systems", "a day") else "left"
        )
    for key, row in list(found["entries"].items())[:100]:
        style = "" if row["catalogued"] else "yellow"
        rate = "" if row["per_system_day"] is None else f"{row['per_system_day']:,.1f}"
        cells = (
            f"{row['events']:,}",
            f"{row['systems']:,}",
            rate,
            row["first"] or "",
            row["last"] or "",
            str(len(row["fields"])),
        )
        table.add_row(escape(key), *cells, style=style)
    out.print(table)
    share = found["uncatalogued"] / found["events"] if found["events"] else 0
    out.print(
        f"{found['events']:,} events of {len(found['entries']):,} entries; "
        f"{found['uncatalogued']:,} uncatalogued ({share:.2%}), {len(found['drafts']):,} drafts (--json has them)"
    )
