"""How commands talk: one JSON document on standard output, everything else on standard error.

Contract: with `--json` nothing but that document is on standard output; colours and progress only on a terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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


def print_json(document: Any) -> None:
    """Writes the one JSON document."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    sys.stdout.buffer.flush()


def reader_gone() -> None:
    """Whoever read standard output has seen enough: what Python still holds for it goes nowhere."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def console(*, no_color: bool = False, stderr: bool = True) -> Console:
    """A console of rich; `stderr` for talk, else for a command's result."""
    from rich.console import Console

    plain = no_color or bool(os.environ.get("NO_COLOR"))
    return Console(stderr=stderr, no_color=plain, highlight=False, soft_wrap=False)


def say_problems(problems: Sequence[Problem], *, quiet: bool, no_color: bool) -> None:
    """Problems on standard error, a few of each code, with a count of the rest."""
    from rich.markup import escape

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
