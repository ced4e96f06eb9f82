"""The screen at the end of `undertag tag`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from undertag.apps.cli.output import escape
from undertag.model.problem import printable
from undertag.model.rule import Rule
from undertag.model.tag import KINDS, kind_of

if TYPE_CHECKING:
    from rich.console import Console

    from undertag.pipeline.run import Summary

_KIND_WORDS = {
    "obs": "what it is",
    "ctx": "what surrounds it",
    "stat": "how unusual it is",
    "mit": "what speaks for innocence",
    "beh": "what somebody did",
    "attack": "what ATT&CK calls it",
}
_TOP = 10


def show_summary(summary: Summary, rules: Sequence[Rule], out: str | None, console: Console) -> None:
    """Prints what a run found."""
    from rich.table import Table

    rate = summary.events / summary.seconds if summary.seconds else 0
    share = summary.tagged / summary.events if summary.events else 0
    console.print()
    console.print(
        f"[bold]{summary.events:,}[/] events of {_count(summary.systems, 'system')} in {summary.seconds:.1f} s "
        f"({rate:,.0f}/s), [bold]{summary.tagged:,}[/] tagged ({share:.1%})"
    )
    if not summary.complete:
        console.print("[yellow]interrupted: what follows is only a part[/]")
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True, min_width=9)
    table.add_column(no_wrap=True, min_width=34)
    table.add_column(overflow="ellipsis", no_wrap=True)
    titles = _titles(summary, rules)
    for kind in KINDS:
        tags = {name: count for name, count in summary.tags.items() if kind_of(name) == kind}
        if not tags:
            continue
        table.add_row(
            f"[bold]{sum(tags.values()):,}[/]",
            f"[bold]{kind}[/] [dim]{_KIND_WORDS[kind]}[/]",
            f"[dim]{_count(len(tags), 'tag')}[/]",
        )
        shown = _TOP if kind != "attack" else _TOP // 2
        for name, count in list(tags.items())[:shown]:
            title = titles.get(name, "").removeprefix("undertag: ")
            table.add_row(f"{count:,}", f"  {escape(name)}", escape(title))
        if len(tags) > shown:
            table.add_row("", f"  [dim]… {len(tags) - shown:,} more[/]", "")
    console.print(table)
    _entries(summary, console)
    told = summary.rules
    states = ", ".join(
        f"{told[state]:,} {state}" for state in ("loaded", "evaluated", "inapplicable", "rejected")
    )
    matched = f"{len(summary.rule_hits):,} matched, {summary.hits:,} times"
    console.print(f"[bold]rules[/]    {states}; {matched} (ATT&CK v{escape(summary.attack_version)})")
    if summary.problem_count:
        codes = ", ".join(f"{code} ×{count:,}" for code, count in summary.problem_codes().items())
        console.print(f"[bold]problems[/] {summary.problem_count:,}: {codes}")
    if out and out != "-":
        name = escape(printable(out))
        console.print(f"[bold]written[/]  {name}   [dim]undertag explain {name} --event UID[/]")


def _entries(summary: Summary, console: Console) -> None:
    shown = list(summary.entries.items())[:6]
    if not shown:
        return
    words = ", ".join(f"{escape(key)} {count:,}" for key, count in shown)
    rest = len(summary.entries) - len(shown)
    unknown = (
        f", [yellow]{summary.uncatalogued:,} events of uncatalogued ones[/]" if summary.uncatalogued else ""
    )
    console.print(f"[bold]entries[/]  {words}{f', {rest:,} more' if rest else ''}{unknown}", soft_wrap=True)


def _titles(summary: Summary, rules: Sequence[Rule]) -> dict[str, str]:
    """What each tag is called: by the first rule that gives it, techniques by ATT&CK's name."""
    from undertag.tag.tagger import Tagger, TagSettings

    settings = TagSettings(attack_version=summary.attack_version)
    tagger = Tagger([rule for rule in rules if rule.id in summary.rule_hits], settings)
    return tagger.titles()


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
