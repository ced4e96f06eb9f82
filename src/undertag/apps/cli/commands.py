"""The table of commands, and how an error becomes an exit code.

Contract: `run(argv)` returns the exit code: 0 clean, 1 findings, 2 rule error, 3 usage or settings, 4 input unreadable,
130 interrupted. Whoever stops reading standard output has seen enough: 0. Heavy imports are made by the commands that
need them.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from typer.main import get_command

from undertag import __version__
from undertag.apps.cli import attack, demo, explain, info, packs, rules, sources, sources_av, tag
from undertag.apps.cli.output import if_heard, print_json, problem_json, reader_gone, replace_closed
from undertag.model.problem import (
    EXIT_CLEAN,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    Problem,
    UndertagError,
)

# Some versions of typer carry a click of their own, so its errors are found through what typer exports.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
_ClickError: type[Exception] = typer.BadParameter.__mro__[2]
_STOPPED: Final = Problem(code="UT905", message="interrupted")
_UNWRITABLE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EBADF)

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
    replace_closed()
    try:
        code = _command(list(argv))
        print(end="", flush=True)  # noqa: T201 - what can't be written is told now, when Python ends it is too late
        if code == EXIT_INTERRUPTED:
            _tell("undertag: interrupted")
        return code
    except UndertagError as error:
        _tell(f"undertag: {error}", error.problem if "--json" in argv else None)
        return error.exit_code
    except (_UsageError, _ClickError) as error:
        shown = io.StringIO()
        error.show(file=shown)  # type: ignore[attr-defined]
        message = error.format_message()  # type: ignore[attr-defined]
        _tell(shown.getvalue().rstrip(), Problem(code="UT903", message=message) if "--json" in argv else None)
        return EXIT_USAGE
    except (typer.Abort, KeyboardInterrupt):
        _tell("undertag: interrupted", _STOPPED if "--json" in argv else None)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        reader_gone()
        return EXIT_CLEAN
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):  # with which rich ends the process by itself
            raise
        reader_gone()
        return EXIT_CLEAN
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        from undertag.write.streams import stdout_error

        fault = stdout_error(error)
        _tell(f"undertag: {fault}")
        return fault.exit_code


def _command(argv: list[str]) -> int:
    """What the command says; typer's own `main` would turn interrupts and closed pipes into exit codes of its own."""
    if info.COMPLETING in os.environ:  # a shell asks what may come next; typer answers and ends the process
        app(argv, prog_name="undertag")
    command = get_command(app)
    try:
        with command.make_context("undertag", argv) as context:
            code = command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else EXIT_CLEAN


def _tell(said: str, problem: Problem | None = None) -> None:
    """What went wrong: to people, and to the program that asked for JSON, as far as they still listen."""
    if problem is not None:
        with if_heard():
            print_json({"error": problem_json(problem)})
    with if_heard():
        print(said, file=sys.stderr, flush=True)  # noqa: T201
    reader_gone()  # what standard output did not take would be told once more when Python ends
