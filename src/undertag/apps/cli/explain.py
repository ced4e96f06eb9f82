"""`undertag explain`: why an event has its tags, or why a rule did not fire on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from undertag.apps.cli.output import Config, Json, NoColor, Quiet, console, escape, print_json
from undertag.model.problem import EXIT_CLEAN, Problem, SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from undertag.apps.cli.settings import Settings
    from undertag.model.rule import Rule


def explain(
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="What `undertag tag --out` wrote: a folder or a file.")
    ],
    event: Annotated[
        str, typer.Option("--event", metavar="UID", help="The event's uid, or its first 6 or more digits.")
    ],
    rule: Annotated[
        str | None,
        typer.Option("--rule", metavar="ID", help="Say why this rule fired, or which part of it failed."),
    ] = None,
    rule_paths: Annotated[
        list[str] | None,
        typer.Option(
            "--rules", metavar="PATH", help="Where the rule is; by default where it was when OUT was written."
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Show which rule, selection, field, operator, pattern and value put a tag on an event."""
    from msgspec.structs import replace

    from undertag.apps.cli.settings import load_settings
    from undertag.write.store.find import about_of, find_event

    settings = load_settings(config).with_release()
    written = find_event(out, event)
    document: dict[str, Any] = {
        "event_uid": written.uid,
        "time": written.undertag.get("time"),
        "system": written.undertag.get("system"),
        "entry": written.undertag.get("entry"),
        "tags": written.undertag.get("tags", []),
        "rules": written.undertag.get("rules", []),
    }
    if rule is not None:
        from undertag.pipeline.why import SIGNATURE_NAME, why, why_named

        entry = written.undertag.get("entry", "")
        if rule == SIGNATURE_NAME:
            document["rule"] = why_named(written.raw, entry, settings.attack_version)
        else:
            about = about_of(out)
            if config is None:  # as the run had them that wrote it
                settings = replace(settings, placeholders=about.get("placeholders", {}))
            document["rule"] = why(_wanted(rule, rule_paths, about, settings), written.raw, entry)
    if as_json:
        print_json(document)
    elif not quiet:
        _show(document, console(no_color=no_color, stderr=False))
    return EXIT_CLEAN


def _wanted(rule: str, paths: list[str] | None, about: dict[str, Any], settings: Settings) -> Rule:
    """The rule of this id or title, from where it was when the output was written if nothing else is said.

    Raises:
        SettingsError: UT904, there is none.
    """
    from undertag.apps.cli.loading import load_rule_set
    from undertag.apps.cli.rules_note import noted_rules

    loaded = load_rule_set(paths or noted_rules(about), settings, pack=bool(about.get("pack", True)))
    for one in loaded.rules:
        if rule in (one.id, one.title):
            return one
    raise SettingsError(
        Problem(
            code="UT904",
            message=f"no rule {rule!r} is loaded",
            hint="name it by id, and its place with --rules",
        )
    )


def _show(document: dict[str, Any], out: Console) -> None:
    when, system, entry = (escape(str(document[name])) for name in ("time", "system", "entry"))
    out.print(f"[bold]{escape(document['event_uid'])}[/]  {when}  {system}  [dim]{entry}[/]")
    rules = {rule["id"]: rule for rule in document["rules"]}
    for tag in document["tags"]:
        out.print(f"\n[bold cyan]{escape(tag['tag'])}[/]  {escape(tag['title'])}")
        for rule_id in tag.get("rules", ()):
            for fact in rules.get(rule_id, {}).get("evidence", ()):
                out.print(f"    {_fact(fact)}", soft_wrap=True)
        read = tag.get("signature")
        if read:
            says = f"fidelity {read['fidelity']}, outcome {read['outcome']}"
            out.print(
                f"    [bold]name[/]  read as {escape(read['vendor'] or 'no vendor')}'s; {says}",
                soft_wrap=True,
            )
        for word in ("ask", "action"):
            if tag.get(word):
                out.print(f"    [bold]{word}[/]  {escape(tag[word])}", soft_wrap=True)
        if tag.get("benign"):
            out.print(f"    [bold]innocent[/]  {escape('; '.join(map(str, tag['benign'])))}", soft_wrap=True)
        for link in tag.get("relates", ()):
            out.print(
                f"    [dim]{link['strength']} with {link['technique']} {escape(link.get('name', ''))}[/]"
            )
    if not document["tags"]:
        out.print("no tags")
    if "rule" in document:
        told = document["rule"]
        outcome = "[green]fired[/]" if told["fired"] else "[red]did not fire[/]"
        out.print(f"\n[bold]{escape(told['title'])}[/] ({escape(told['id'])}) {outcome}")
        if told.get("reason"):
            out.print(f"    {escape(told['reason'])}")
        for condition in told["conditions"]:
            out.print(f"    {_mark(condition)} {_fact(condition)}", soft_wrap=True)


def _mark(condition: dict[str, Any]) -> str:
    """✓ what speaks for the rule, ✗ what kept it from firing, · what another alternative stands in for."""
    if condition["failed"]:
        return "[red]✗[/]"
    return "[dim]·[/]" if condition["held"] == condition["negated"] else "[green]✓[/]"


def _fact(fact: dict[str, Any]) -> str:
    field = fact["field"] or "anywhere"
    value = fact.get("value")
    shown = (
        escape(str(value)[:160])
        if value not in (None, "")
        else "[dim]absent[/]"
        if value is None
        else "[dim]empty[/]"
    )
    test = f"{escape(field)} {fact['operator']} [yellow]{escape(str(fact['pattern']))}[/]"
    negation = "[bold]not[/] " if fact.get("negated") else ""
    return f"{negation}[dim]{escape(str(fact['selection']))}[/] {test}  ← {shown}"
