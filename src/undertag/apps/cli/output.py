"""How commands talk: one JSON document on standard output, everything else on standard error.

Contract: with `--json` nothing but that document is on standard output; colours and progress only on a terminal.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer

from undertag.model.problem import Problem

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else there.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours (also by NO_COLOR).")]
Config = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Settings file (TOML).")]

SHOWN_PROBLEMS = 20
_MEANT: Final = re.compile(r"(\\+)(?=\[|$)|\[")
_NOTHING: Final = "[none][/none]"


def print_json(document: Any) -> None:
    """Writes the one JSON document."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def replace_closed() -> None:
    """Puts something in place of closed standard streams, so that no file gets their numbers.

    Whoever reads such a standard input or writes to such a standard output is told by the system; what is said on
    standard error goes nowhere.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_WRONLY), encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def reader_gone() -> None:
    """What Python still holds for a stream that takes no more goes nowhere, so that it can end in peace."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


@contextmanager
def if_heard() -> Iterator[None]:
    """For what is said last: if nobody takes it, that is that."""
    try:
        yield
    except OSError:
        reader_gone()


def console(*, no_color: bool = False, stderr: bool = True) -> Console:
    """A console of rich; `stderr` for talk, else for a command's result."""
    from rich.console import Console

    plain = no_color or bool(os.environ.get("NO_COLOR"))
    return Console(stderr=stderr, no_color=plain, highlight=False, soft_wrap=False, emoji=False)


def escape(text: str) -> str:
    """A text from rules, files, settings or arguments, so that rich's markup shows it letter by letter.

    rich's own `escape` takes backslashes away or adds some where no tag follows.
    """
    return _MEANT.sub(lambda found: (found[1] or "") * 2 + ("" if found[1] else "[") + _NOTHING, text)


def say_problems(problems: Sequence[Problem], *, quiet: bool, no_color: bool) -> None:
    """Problems on standard error, a few of each code, with a count of the rest."""
    out = console(no_color=no_color)
    shown: dict[str, int] = {}
    for problem in problems:
        if quiet and problem.severity != "error":
            continue
        shown[problem.code] = shown.get(problem.code, 0) + 1
        if shown[problem.code] <= SHOWN_PROBLEMS // 4:
            colour = {"error": "red", "warning": "yellow"}.get(problem.severity, "dim")
            out.print(f"[{colour}]{problem.severity}[/] {escape(str(problem))}", soft_wrap=True)
    for code, count in shown.items():
        if count > SHOWN_PROBLEMS // 4:
            out.print(f"[dim]… and {count - SHOWN_PROBLEMS // 4} more of {code}[/]")


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as a row of `rejected` or `findings`."""
    place = problem.place
    return {
        "file": place.source if place else None,
        "line": place.line if place else None,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
