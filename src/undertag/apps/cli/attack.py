"""`undertag attack`: ATT&CK through time.

Contract: with `--json` exactly one JSON document goes to standard output; all talk goes to standard error.
Exit codes: 0 clean, 1 findings (an unknown id; tags that would change or that a person must look at). Errors
are raised as `UndertagError`. Imports are made when a command runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from undertag.apps.cli.attack_view import (
    details,
    diff_document,
    diff_text,
    migration_document,
    migration_text,
    resolution,
    resolve_text,
    show_text,
)
from undertag.apps.cli.output import Config, Json, NoColor, Quiet, print_json, problem_json, say_problems
from undertag.model.problem import EXIT_FINDINGS

if TYPE_CHECKING:
    from undertag.catalogue.attack.resolution import Resolution

app = typer.Typer(
    name="attack", help="ATT&CK through time: show, resolve, diff, migrate, import.", no_args_is_help=True
)

AttackId = Annotated[str, typer.Argument(metavar="ID", help="T1059.001, TA0005, a tactic's name, or a tag")]
Version = Annotated[
    str | None,
    typer.Option("--version", "-V", metavar="V", help="ATT&CK release; default: the setting's, 19."),
]
To = Annotated[
    str | None, typer.Option("--to", metavar="V", help="ATT&CK release; default: the setting's, 19.")
]


@app.command()
def show(
    attack_id: AttackId,
    version: Version = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> None:
    """What a release says of a technique, a tactic or another object."""
    from undertag.catalogue.attack import notice, resolve_tag

    found = resolve_tag(attack_id, _target(version, config))
    document = {**resolution(found), **details(found), "notice": notice()}
    _say(document, as_json, "" if quiet else show_text(document))
    _end_unless_known(found, quiet)


@app.command()
def resolve(
    attack_id: AttackId,
    to: To = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> None:
    """Where an old id or tag stands in a release, with the chain that leads there."""
    from undertag.catalogue.attack import resolve_tag

    found = resolve_tag(attack_id, _target(to, config))
    _say(resolution(found), as_json, "" if quiet else resolve_text(found))
    _end_unless_known(found, quiet)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="A", help="ATT&CK release, as 6.0")],
    new: Annotated[str, typer.Argument(metavar="B", help="ATT&CK release, as 19")],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> None:
    """What changed between two releases."""
    from undertag.apps.cli.settings import load_settings
    from undertag.catalogue.attack import load_release
    from undertag.catalogue.attack.diff import compare

    load_settings(config)
    found = compare(load_release(old), load_release(new))
    _say(diff_document(found), as_json, "" if quiet else diff_text(found))


@app.command()
def migrate(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH…", help="Sigma rules, settings, folders or globs")
    ],
    to: To = None,
    write: Annotated[
        bool, typer.Option("--write", help="Replace the files; else only show the edits.")
    ] = False,
    follow_deprecated: Annotated[
        bool,
        typer.Option(
            "--follow-deprecated", help="Replace deprecated techniques by what ATT&CK names instead."
        ),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> None:
    """Rewrites ATT&CK tags to those of a release; comments and layout stay untouched."""
    from undertag.catalogue.attack.migrate import migrate as run

    version = _target(to, config)
    done = run(paths, version, write=write, deprecated="follow" if follow_deprecated else "keep")
    say_problems(done.findings, quiet=quiet, no_color=no_color)
    _say(migration_document(done), as_json, "" if quiet else migration_text(done, write))
    if done.findings or done.changed > done.written:
        raise typer.Exit(EXIT_FINDINGS)


@app.command("import")
def import_(
    source: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="An official enterprise-attack STIX bundle")
    ],
    version: Annotated[
        str | None, typer.Option("--as", metavar="V", help="The release, where the bundle doesn't say it.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> None:
    """Adds an ATT&CK release from an official STIX bundle."""
    from undertag.apps.cli.settings import load_settings
    from undertag.catalogue.attack.importing import import_bundle

    load_settings(config)
    done = import_bundle(source, version=version)
    say_problems(done.problems, quiet=quiet, no_color=no_color)
    document = {
        "version": done.version,
        "verified": done.verified,
        "sha256": done.sha256,
        "stix": done.stix,
        "path": str(done.path),
        "techniques": done.techniques,
        "tactics": done.tactics,
        "others": done.others,
        "problems": [problem_json(problem) for problem in done.problems],
        "changed": 1,
        "files": 1,
        "edits": [],
    }
    checked = "its hash is a published one" if done.verified else "unverified"
    text = f"ATT&CK {done.version}: {done.techniques} techniques ({checked})\n{done.path}"
    _say(document, as_json, "" if quiet else text)


def _target(asked: str | None, config: str | None) -> str:
    """The release asked for, else that of the settings file, else the default."""
    from undertag.apps.cli.settings import load_settings

    settings = load_settings(config)
    return settings.attack_version if asked is None else asked


def _say(document: dict[str, Any], as_json: bool, text: str) -> None:
    if as_json:
        print_json(document)
    elif text:
        typer.echo(text)


def _end_unless_known(found: Resolution, quiet: bool) -> None:
    if found.state != "unknown":
        return
    if not quiet:
        hint = f"; did you mean {', '.join(found.suggestions)}?" if found.suggestions else ""
        typer.echo(f"{found.asked} is in no known ATT&CK release{hint}", err=True)
    raise typer.Exit(EXIT_FINDINGS)
