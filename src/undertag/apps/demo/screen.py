"""The last screen of `undertag demo`: one week told twice.

Contract: fits 80 × 40; from 120 columns on the two tales stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from undertag.model.tag import TAGGING_STRENGTHS, kind_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from undertag.apps.demo.findings import Findings, First

WIDE: Final = 120
_COLOURS: Final = {
    "obs": "cyan",
    "ctx": "blue",
    "stat": "blue",
    "mit": "green",
    "beh": "yellow",
    "attack": "red",
}
_MAX_BESIDE: Final = 6
_MAX_CLAIMS: Final = 5
_MAX_FACTS: Final = 3
_BAR: Final = 24


def show(found: Findings, out: str, console: Console) -> None:
    """Prints the screen."""
    wide = console.width >= WIDE
    panels = [_techniques(found), _typed(found, wide), _claims(found), _begin(found.first, out)]
    if not wide:
        console.print(Group(*panels))
        return
    width = console.width // 2
    for left, right in zip(panels[::2], panels[1::2], strict=True):
        height = max(
            len(console.render_lines(one, console.options.update(width=width))) for one in (left, right)
        )
        left.height = right.height = height
        pair = Table.grid(expand=True)
        pair.add_column(ratio=1)
        pair.add_column(ratio=1)
        pair.add_row(left, right)
        console.print(pair)


def _panel(content: RenderableType, title: str, colour: str) -> Panel:
    return Panel(content, title=f"[bold]{title}[/]", title_align="left", border_style=colour, box=box.ROUNDED)


def _table(*columns: str) -> Table:
    """A borderless table; a column whose title starts with `>` is of numbers."""
    table = Table(
        box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=any(columns), pad_edge=False
    )
    for column in columns:
        table.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left", no_wrap=True
        )
    return table


def _techniques(found: Findings) -> Panel:
    table = _table("every load of", "is told as", ">alerts", ">real")
    for load in found.loads:
        table.add_row(
            escape(load.library),
            f"[red]{load.technique}[/] {escape(load.name)}",
            f"{load.alerts:,}",
            f"{load.real:,}",
        )
    return _panel(
        Group(table, _share("alerts to read", found.real_alerts, found.alerts, "red")),
        "Tagged with techniques: a library is an attack",
        "red",
    )


def _typed(found: Findings, wide: bool) -> Panel:
    """The same loads with undertag's tags; what is rare there is what an analyst wants, so techniques come first."""
    shown = list(found.beside.items())[: _MAX_BESIDE + wide * 2]
    table = _table(">", "", "")
    for name, count in shown:
        colour = _COLOURS[kind_of(name) or "obs"]
        table.add_row(f"{count:,}", f"[{colour}]{name}[/]", _role(name))
    rest = len(found.beside) - len(shown)
    more = f"[dim], {rest} more tags[/]" if rest else ""
    told = Text.from_markup(
        f"[green]{found.excused:,} of {found.alerts:,}[/] loads bring what speaks for innocence, "
        f"[bold]{found.claimed:,}[/] claim a technique{more}"
    )
    return _panel(Group(table, told), "The same loads with typed tags: what it is", "green")


def _role(name: str) -> str:
    return {"obs": "[dim]a fact[/]", "mit": "[dim]speaks for innocence[/]", "attack": "[dim]a claim[/]"}.get(
        name.partition(".")[0], ""
    )


def _claims(found: Findings) -> Panel:
    table = _table("when", "system", "because of", "technique", "real")
    for event in found.claims[:_MAX_CLAIMS]:
        tags = [tag["tag"] for tag in event.tags if _speaks(tag)]
        table.add_row(
            f"{event.time:%a %H:%M:%S}",
            escape(event.system.partition(".")[0]),
            f"[yellow]{', '.join(tags)}[/]",
            f"[red]{', '.join(event.techniques)}[/]",
            "[green]yes[/]" if event.real else "no",
        )
    rest = len(found.claims) - _MAX_CLAIMS
    if rest > 0:
        table.add_row(f"[dim]… {rest} more[/]")
    return _panel(
        Group(table, _share("claims to read", found.real_claims, len(found.claims), "green")),
        "All that undertag claims in this week",
        "yellow",
    )


def _speaks(tag: Mapping[str, Any]) -> bool:
    return any(link["strength"] in TAGGING_STRENGTHS for link in tag.get("relates", ()))


def _share(what: str, real: int, total: int, colour: str) -> Text:
    share = real / total if total else 0.0
    full = round(share * _BAR)
    return Text.from_markup(
        f"[bold {colour}]{total:,}[/] {what}, [bold]{real:,}[/] of the attack  "
        f"[{colour}]{'█' * full}[/][dim]{'░' * (_BAR - full)}[/] {share:.1%}"
    )


def _begin(first: First | None, out: str) -> Panel:
    if first is None:
        return _panel(Text("nothing is claimed"), "Begin here", "cyan")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("ask", f"[bold]{escape(first.tag.get('ask', ''))}[/]")
    table.add_row("do", escape(first.tag.get("action", "")))
    for number, fact in enumerate(first.facts[:_MAX_FACTS]):
        table.add_row("because" if not number else "", _fact(fact))
    command = Text(
        f"undertag explain {out} --event {first.uid}", style="cyan", no_wrap=False, overflow="fold"
    )
    return _panel(Group(table, command), f"Begin here: {escape(_plain(first.tag['title']))}", "cyan")


def _fact(fact: Mapping[str, Any]) -> Text:
    """Selection, field, operator, pattern, and the value that it met, on one line."""
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{fact['selection']}: ", style="dim")
    line.append(f"{fact['field'] or 'anywhere'} {fact['operator']} ")
    line.append(str(fact["pattern"]), style="yellow")
    line.append("  ← ", style="dim")
    line.append(str(fact["value"]).replace("\n", " "))
    return line


def _plain(title: str) -> str:
    return title.partition(": ")[2] or title
