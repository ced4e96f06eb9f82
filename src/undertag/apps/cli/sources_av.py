"""`undertag sources av`: anti-virus signature names, read.

Contract: `--json` gives `names`, one row a name in the order given. Every name is answered, one that says nothing as type `unknown`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from undertag.apps.cli.output import Config, Json, NoColor, Quiet, console, escape, print_json
from undertag.model.problem import EXIT_CLEAN, Place, Problem, ReadError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from rich.console import Console

MAX_LINE = 65_536
"""Bytes of a line of standard input that are read; the rest of it is skipped."""
_WORDS = (("platform", "for"), ("family", "family"), ("variant", "variant"))


def av(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME…", help="Signature names; - reads them from standard input, one a line."
        ),
    ],
    vendor: Annotated[
        str,
        typer.Option("--vendor", metavar="ID", help="Whose names they are; otherwise told by their form."),
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Read anti-virus signature names: type, platform, family, variant, how far the name can be trusted, tags."""
    from undertag.apps.cli.settings import load_settings
    from undertag.catalogue.signatures import load_reader

    load_settings(config)
    reader = load_reader()
    if vendor and not reader.convention(vendor):
        raise SettingsError(
            Problem(
                code="UT903",
                message=f"no convention of names is known for {vendor!r}",
                hint=f"one of {', '.join(reader.conventions())}, or leave it out",
            )
        )
    rows = [_row(reader.read(name, vendor)) for name in _names(names)]
    if as_json:
        print_json({"names": rows})
    elif not quiet:
        _show(rows, console(no_color=no_color, stderr=False))
    return EXIT_CLEAN


def _names(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name == "-":
            try:
                yield from _lines(sys.stdin.buffer)
            except OSError as error:
                message = f"can't read: {error.strerror or error}"
                place = Place(source="<stdin>")
                raise ReadError(Problem(code="UT101", message=message, place=place)) from error
        else:  # an argument's bytes that are no UTF-8 come as lone surrogates, which no JSON can hold
            yield name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _lines(source: BinaryIO) -> Iterator[str]:
    """The lines that say something; what is no UTF-8 in them is replaced."""
    while line := source.readline(MAX_LINE):
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = source.readline(MAX_LINE)
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.strip():
            yield text


def _row(read: Any) -> dict[str, Any]:
    return {
        "name": read.name,
        "vendor": read.vendor,
        "type": read.type,
        "platform": read.platform,
        "family": read.family,
        "variant": read.variant,
        "fidelity": read.fidelity,
        "tags": list(read.tags),
        "modifiers": list(read.modifiers),
        "platform_word": read.platform_word,
        "family_word": read.family_word,
    }


def _show(rows: Sequence[dict[str, Any]], out: Console) -> None:
    for row in rows:
        said = [row["type"] or "nothing said"]
        said += [f"{word} {row[name]}" for name, word in _WORDS if row[name]]
        whose = f"read as {row['vendor']}" if row["vendor"] else "no vendor's form"
        out.print(f"[bold]{escape(row['name'])}[/]  [dim]{escape(whose)}[/]")
        out.print(f"    {escape(', '.join(said))}; fidelity [bold]{row['fidelity']}[/]")
        out.print(f"    [cyan]{escape(' '.join(row['tags']))}[/]")
