"""The table of commands, and how an error becomes an exit code.

Contract: `run(argv)` returns the exit code: 0 clean, 1 findings, 2 rule error, 3 usage or settings, 4 input unreadable,
130 interrupted. Heavy imports are made by the commands that need them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from undertag import __version__
from undertag.apps.cli import attack, demo, explain, info, packs, rules, sources, sources_av, tag
from undertag.apps.cli.output import print_json, problem_json, reader_gone
from undertag.model.problem import EXIT_CLEAN, EXIT_INTERRUPTED, EXIT_USAGE, Problem, UndertagError

# Some versions of typer carry a click of their own, so its errors are found through what typer exports.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="undertag",
    help="Says what each security event is, and weighs what it may mean.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("tag")(tag.tag)
app.command("explain")(explain.explain)
app.command("demo")(demo.demo)
app.add_typer(rules.app, name="rules")
sources.app.command("av")(sources_av.av)
app.add_typer(sources.app, name="sources")
app.add_typer(packs.app, name="packs")
app.add_typer(attack.app, name="attack")
app.command("formats")(info.formats)
app.command("stats")(info.stats)
app.command("version")(info.version)
app.command("completion")(info.completion)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"undertag {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Says what each security event is, and weighs what it may mean."""


def run(argv: Sequence[str]) -> int:
    """Runs one command line and returns its exit code."""
    try:
        code = app(list(argv), standalone_mode=False, prog_name="undertag")
        return code if isinstance(code, int) else EXIT_CLEAN
    except UndertagError as error:
        if "--json" in argv:
            print_json({"error": problem_json(error.problem)})
        print(f"undertag: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except typer.Exit as end:
        return end.exit_code
    except (_UsageError, _ClickError) as error:
        if "--json" in argv:
            message = error.format_message()  # type: ignore[attr-defined]
            print_json({"error": problem_json(Problem(code="UT903", message=message))})
        error.show(file=sys.stderr)  # type: ignore[attr-defined]
        return EXIT_USAGE
    except (typer.Abort, KeyboardInterrupt):
        print("undertag: interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        reader_gone()
        return EXIT_CLEAN
