"""`undertag sources`: what can be switched on, tested and watched.

Contract: `--json` gives the keys of docs/reference/cli.md; answers always tell which tier an entry is of, and what it inherits.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Annotated, Any

import typer

from undertag.apps.cli.output import (
    Config,
    Json,
    NoColor,
    Quiet,
    console,
    print_json,
    problem_json,
    say_problems,
)
from undertag.model.problem import EXIT_CLEAN, EXIT_FINDINGS, EXIT_UNREADABLE, Problem, SettingsError

if TYPE_CHECKING:
    from undertag.catalogue.sources.lookup import Catalogue

app = typer.Typer(
    help="The catalogue of log sources: look up, search, resolve names, check.", no_args_is_help=True
)

TIERS = ("curated", "derived")
SHOWN_ROWS = 200

Prefix = Annotated[
    str, typer.Argument(metavar="[PREFIX]", help="A key, a prefix, or a pattern with * and **.")
]


@app.command("list")
def list_entries(
    prefix: Prefix = "",
    platform: Annotated[str | None, typer.Option("--platform", help="Only this platform.")] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", metavar="curated|derived", help="Only this tier.")
    ] = None,
    difficulty: Annotated[str | None, typer.Option("--difficulty", help="Only of this difficulty.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """List entries: key, tier, title."""
    catalogue = _catalogue(config)
    if tier is not None and tier not in TIERS:
        raise SettingsError(
            Problem(code="UT903", message=f"there is no tier {tier!r}", hint=" or ".join(TIERS))
        )
    keys = catalogue.matching(prefix) if prefix else list(catalogue.keys)
    if platform is not None:
        keys = [key for key in keys if key.startswith(platform + "/")]
    if tier is not None:
        keys = [key for key in keys if catalogue.tier(key) == tier]
    if difficulty is not None:
        wanted = set(catalogue.select([{"difficulty": difficulty}]))
        keys = [key for key in keys if key in wanted]
    _list(catalogue, keys, as_json=as_json, quiet=quiet, no_color=no_color)
    return EXIT_CLEAN


@app.command("show")
def show(
    key: Annotated[str, typer.Argument(metavar="KEY", help="An entry's key, such as windows/security/4688.")],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Show an entry: every attribute, whether it is its own or inherited, and its source."""
    from undertag.apps.cli.sources_json import entry_json
    from undertag.apps.cli.sources_view import show_entry
    from undertag.catalogue.sources.resolving import Resolver

    catalogue = _catalogue(config)
    keys = catalogue.matching(key)
    if len(keys) != 1:
        keys = keys or [key]
        if len(keys) > 1 and not as_json:
            _list(catalogue, keys, as_json=False, quiet=quiet, no_color=no_color)
            return EXIT_CLEAN
    resolver = Resolver(catalogue)
    documents = [entry_json(catalogue, resolver, one) for one in keys]
    if as_json:
        print_json(documents[0] if len(documents) == 1 else {"entries": documents})
    elif not quiet:
        show_entry(documents[0], console(no_color=no_color, stderr=False))
    return EXIT_CLEAN


@app.command("search")
def search(
    text: Annotated[list[str], typer.Argument(metavar="TEXT…", help="Words; an entry has all of them.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many at most.")] = 50,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Search keys and titles; curated entries come first."""
    catalogue = _catalogue(config)
    keys = catalogue.search(" ".join(text), limit)
    _list(catalogue, keys, as_json=as_json, quiet=quiet, no_color=no_color)
    return EXIT_CLEAN


@app.command("tree")
def tree(
    prefix: Prefix = "",
    depth: Annotated[int, typer.Option("--depth", min=1, max=8, help="Levels to show.")] = 2,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Show the catalogue as a tree, with how many entries lie under each branch."""
    from undertag.apps.cli.sources_json import branches
    from undertag.apps.cli.sources_view import show_tree

    found = branches(_catalogue(config), prefix.rstrip("/"), depth)
    if as_json:
        print_json({"prefix": prefix, "branches": found})
    elif not quiet:
        show_tree(prefix or "catalogue", found, console(no_color=no_color, stderr=False))
    return EXIT_CLEAN


@app.command("relations")
def relations(
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="An entry; all where left out.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Show how entries stand to each other: duplicates, subset-of, poorer-than, needs, replaces."""
    from undertag.apps.cli.sources_json import relation_rows
    from undertag.apps.cli.sources_view import show_relations

    found = relation_rows(_catalogue(config), key)
    if as_json:
        print_json({"key": key, "relations": found})
    elif not quiet:
        show_relations(found, console(no_color=no_color, stderr=False))
    return EXIT_CLEAN


@app.command("resolve")
def resolve(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A data source or platform of 2019, a log source of ATT&CK v18.1 or Sigma, a component, a key.",
        ),
    ],
    channel: Annotated[
        str | None, typer.Argument(metavar="[CHANNEL]", help="The channel of a log source of ATT&CK.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Say which entries a name stands for."""
    from undertag.apps.cli.sources_view import show_resolution
    from undertag.catalogue.sources.resolving import Resolver

    catalogue = _catalogue(config)
    found = Resolver(catalogue).resolve(name, channel)
    if as_json:
        print_json(found.to_json())
    elif not quiet:
        show_resolution(catalogue, found, console(no_color=no_color, stderr=False))
    return EXIT_CLEAN


@app.command("check")
def check(
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Validate the catalogue's files, and say what they hold."""
    from undertag.apps.cli.settings import load_settings
    from undertag.apps.cli.sources_figures import show_figures
    from undertag.catalogue.sources.check import check_catalogue
    from undertag.catalogue.sources.figures import figures

    load_settings(config)
    gc.disable()  # half a million objects that all stay: looking for cycles among them takes a third of the time
    compiled, problems = check_catalogue()
    found = figures(compiled)
    if as_json:
        print_json({**found, "errors": [problem_json(problem) for problem in problems]})
    else:
        if not quiet:
            show_figures(found, console(no_color=no_color, stderr=False))
        say_problems(problems, quiet=quiet, no_color=no_color)
    return EXIT_FINDINGS if problems else EXIT_CLEAN


@app.command("export")
def export(
    prefix: Prefix = "",
    tier: Annotated[
        str | None, typer.Option("--tier", metavar="curated|derived", help="Only this tier.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Write every entry with every attribute, always as JSON: one document with `--json`, else a line an entry."""
    from undertag.apps.cli.sources_json import export_document, exported, write_lines

    if tier is not None and tier not in TIERS:
        raise SettingsError(
            Problem(code="UT903", message=f"there is no tier {tier!r}", hint=" or ".join(TIERS))
        )
    catalogue = _catalogue(config)
    keys = catalogue.matching(prefix) if prefix else catalogue.keys
    keys = [key for key in keys if tier is None or catalogue.tier(key) == tier]
    if as_json:
        write_lines([export_document(catalogue, keys)])
    else:
        write_lines(exported(catalogue, keys))
    return EXIT_CLEAN


@app.command("from")
def from_events(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT…", help="Files, folders, globs, or - for standard input.")
    ],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Say which entries events really are of, how often, with which fields; draft those that are unknown."""
    from undertag.apps.cli.sources_figures import show_survey
    from undertag.apps.cli.sources_survey import survey

    found = survey(inputs, _catalogue(config))
    if as_json:
        print_json(found.to_json())
    else:
        if not quiet:
            show_survey(found.to_json(), console(no_color=no_color, stderr=False))
        say_problems(found.problems, quiet=quiet, no_color=no_color)
    if found.unreadable:
        return EXIT_UNREADABLE
    return EXIT_CLEAN


def _catalogue(config: str | None) -> Catalogue:
    """The catalogue; settings decide nothing here, but settings that can't be read are said to be so."""
    from undertag.apps.cli.settings import load_settings
    from undertag.catalogue.sources.lookup import load_catalogue

    load_settings(config)
    return load_catalogue()


def _list(catalogue: Catalogue, keys: list[str], *, as_json: bool, quiet: bool, no_color: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"key": key, "tier": catalogue.tier(key), "title": catalogue.title(key)} for key in keys
    ]
    if as_json:
        print_json({"count": len(rows), "entries": rows})
    elif not quiet:
        from undertag.apps.cli.sources_view import show_list

        show_list(rows, console(no_color=no_color, stderr=False), limit=SHOWN_ROWS)
