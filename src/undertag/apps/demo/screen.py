"""The last screen of `undertag demo`: one week told twice.

Contract: fits 80 × 40; from 140 columns on the two tales stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from undertag.apps.demo.findings import plain
from undertag.model.tag import TAGGING_STRENGTHS, kind_of

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from undertag.apps.demo.findings import Event, Findings, First
    from undertag.pipeline.run import Summary

WIDE: Final = 140
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
_FACT_WIDTH: Final = 68
_MIN_VALUE: Final = 12


def show(found: Findings, summary: Summary, out: str, console: Console) -> None:
    """Prints the screen; `out` is the folder as a shell takes it."""
    wide = console.width >= WIDE
    panels = [_techniques(found), _typed(found), _claims(found), _begin(found.first, out, wide)]
    console.print(
        f"[bold]One made-up week, {summary.systems} systems, {summary.events:,} events: "
        f"[red]{found.alerts:,} alerts[/] or [green]{len(found.claims):,} claims[/] to read[/]"
    )
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
    table = Table(box=None, padding=(0, 0, 0, 1), header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(
            column.removeprefix(">"), justify="right" if column.startswith(">") else "left", no_wrap=True
        )
    return table


def _techniques(found: Findings) -> Panel:
    table = _table("every load of", "is told as", ">times", ">real")
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


def _typed(found: Findings) -> Panel:
    shown = list(found.beside.items())[:_MAX_BESIDE]
    table = _table(">loads", "are", "that is")
    for name, count in shown:
        colour = _COLOURS[kind_of(name) or "obs"]
        table.add_row(f"{count:,}", f"[{colour}]{name}[/]", f"[dim]{escape(found.titles[name])}[/]")
    if len(found.beside) > len(shown):
        table.add_row("", f"[dim]… {len(found.beside) - len(shown):,} more tags[/]")
    told = Text.from_markup(
        f"[bold]{found.claimed:,}[/] of {found.alerts:,} claim a technique; [bold]{found.beside_claims:,}[/] "
        f"are of a process that has a claim: [green]read those[/]"
    )
    return _panel(
        Group(table, told), "The same loads, typed: obs is a fact, mit speaks for innocence", "green"
    )


def _claims(found: Findings) -> Panel:
    table = _table("when", "system", "because of", "claims", "real")
    rows = [list(group) for _, group in groupby(found.claims, key=_alike)]
    for events in rows[:_MAX_CLAIMS]:
        event, real = events[0], sum(one.real for one in events)
        tags = [tag["tag"] for tag in event.tags if _speaks(tag)]
        times = f" ×{len(events)}" if len(events) > 1 else ""
        table.add_row(
            f"{event.time:%a %H:%M}",
            escape(event.system.partition(".")[0]),
            f"[yellow]{', '.join(tags)}[/]",
            f"[red]{', '.join(event.techniques)}[/]{times}",
            "[green]yes[/]" if real == len(events) else f"{real} of {len(events)}",
        )
    if len(rows) > _MAX_CLAIMS:
        table.add_row(f"[dim]… {sum(map(len, rows[_MAX_CLAIMS:]))} more[/]")
    return _panel(
        Group(table, _share("claims to read", found.real_claims, len(found.claims), "green")),
        "All that undertag claims in this week",
        "yellow",
    )


def _alike(event: Event) -> tuple[str, ...]:
    """Two logs that tell of one happening make one row."""
    return (
        f"{event.time:%d %H:%M}",
        event.system,
        *event.techniques,
        *(t["tag"] for t in event.tags if _speaks(t)),
    )


def _speaks(tag: Mapping[str, Any]) -> bool:
    return any(link["strength"] in TAGGING_STRENGTHS for link in tag.get("relates", ()))


def _share(what: str, real: int, total: int, colour: str) -> Text:
    share = real / total if total else 0.0
    full = round(share * _BAR)
    return Text.from_markup(
        f"[bold {colour}]{total:,}[/] {what}, [bold]{real:,}[/] of the attack  "
        f"[{colour}]{'█' * full}[/][dim]{'░' * (_BAR - full)}[/] {_percent(share)}"
    )


def _percent(share: float) -> str:
    return f"{share:.1%}".replace(".0%", "%")


def _begin(first: First | None, out: str, wide: bool) -> Panel:
    if first is None:
        return _panel(Text("nothing is claimed"), "Begin here", "cyan")
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("ask", f"[bold]{escape(first.tag.get('ask', ''))}[/]")
    table.add_row("do", escape(first.tag.get("action", "")))
    for number, fact in enumerate(first.facts[:_MAX_FACTS]):
        table.add_row("because" if not number else "", _fact(fact, wide))
    command = Text(
        f"undertag explain {out} --event {first.uid}", style="cyan", no_wrap=False, overflow="fold"
    )
    return _panel(Group(table, command), f"Begin here: {escape(plain(first.tag['title']))}", "cyan")


def _fact(fact: Mapping[str, Any], wide: bool) -> Text:
    """Selection, field, operator, pattern, and of the value what it met; on one line where lines are dear."""
    line = Text(no_wrap=not wide, overflow="fold" if wide else "ellipsis")
    line.append(f"{fact['selection']}: ", style="dim")
    line.append(f"{fact['field'] or 'anywhere'} {fact['operator']} ")
    line.append(str(fact["pattern"]), style="yellow")
    line.append(" ← ", style="dim")
    value = str(fact["value"]).replace("\n", " ")
    room = _FACT_WIDTH if wide else max(_FACT_WIDTH - line.cell_len, _MIN_VALUE)
    line.append(_around(value, str(fact["pattern"]), room))
    return line


def _around(value: str, pattern: str, room: int) -> str:
    """The part of a long value that holds the pattern, else its end."""
    if len(value) <= room:
        return value
    at = value.casefold().rfind(pattern.casefold())
    end = min(len(value), (at if at >= 0 else len(value)) + room - 2)
    start = max(0, end - room + 2)
    return f"{'…' if start else ''}{value[start:end]}{'…' if end < len(value) else ''}"
