"""`undertag formats`, `stats`, `version`, `completion`."""

from __future__ import annotations

import platform
import sys
from typing import Annotated, Final

import typer

from undertag import __version__
from undertag.apps.cli.output import Config, Json, NoColor, Quiet, console, escape, print_json
from undertag.model.problem import EXIT_CLEAN, Problem, SettingsError

COMPLETING: Final = "_UNDERTAG_COMPLETE"
"""The variable by which a shell asks what may come next."""


def formats(
    as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False, config: Config = None
) -> int:
    """What can be read. A format is found by looking into a file, never by its name."""
    from undertag.apps.cli.settings import load_settings
    from undertag.read.registry import describe_formats

    load_settings(config)
    rows = describe_formats()
    if as_json:
        print_json(
            {
                "formats": [{"name": name, "what": what} for name, what in rows],
                "containers": ["gzip", "zstd", "zip", "tar"],
            }
        )
    elif not quiet:
        out = console(no_color=no_color, stderr=False)
        for name, what in rows:
            out.print(f"[bold]{escape(f'{name:<10}')}[/]{escape(what)}")
        out.print("[dim]each plain, or in gzip, zstd, zip and tar[/]")
    return EXIT_CLEAN


def stats(
    out: Annotated[str, typer.Argument(metavar="OUT", help="What `undertag tag --out` wrote.")],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Counts of an output: events, tags, entries, systems and days."""
    from undertag.apps.cli.settings import load_settings
    from undertag.write.store.count import count_output

    load_settings(config)
    counts = count_output(out)
    if as_json:
        print_json(counts)
    elif not quiet:
        screen = console(no_color=no_color, stderr=False)
        screen.print(
            f"{counts['events']:,} events, {counts['tagged']:,} tagged, of {counts['systems']:,} systems"
        )
        if counts["complete"] is False:
            screen.print("[yellow]the run that wrote it did not end well: this is only a part[/]")
        for title in ("tags", "entries", "days"):
            screen.print(f"[bold]{title}[/]")
            for name, count in list(counts[title].items())[:15]:
                screen.print(f"  {escape(f'{name:<48}')} {count:>10,}")
    return EXIT_CLEAN


def version(
    as_json: Json = False, quiet: Quiet = False, no_color: NoColor = False, config: Config = None
) -> int:
    """The version, and of what it is made."""
    from importlib.metadata import version as installed

    from undertag.apps.cli.settings import load_settings
    from undertag.tag.tagger import DEFAULT_ATTACK_VERSION

    load_settings(config)
    parts = {
        name: installed(name)
        for name in ("evtx", "pysigma", "ahocorasick-rs", "google-re2", "msgspec", "pyarrow")
    }
    if as_json:
        print_json(
            {
                "version": __version__,
                "python": platform.python_version(),
                "attack_version": DEFAULT_ATTACK_VERSION,
                "libraries": parts,
            }
        )
    elif not quiet:
        print(f"undertag {__version__}, ATT&CK v{DEFAULT_ATTACK_VERSION}, Python {platform.python_version()}")  # noqa: T201
        print(", ".join(f"{name} {number}" for name, number in parts.items()), file=sys.stderr)  # noqa: T201
    return EXIT_CLEAN


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.")] = "bash",
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Print a script that completes commands in your shell."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from undertag.apps.cli.settings import load_settings

    load_settings(config)
    if shell not in ("bash", "zsh", "fish", "powershell", "pwsh"):
        raise SettingsError(
            Problem(code="UT903", message=f"unknown shell {shell!r}", hint="bash, zsh, fish or powershell")
        )
    script = get_completion_script(prog_name="undertag", complete_var=COMPLETING, shell=shell)
    if as_json:
        print_json({"shell": shell, "script": script})
    elif not quiet:
        print(script)  # noqa: T201
    return EXIT_CLEAN
