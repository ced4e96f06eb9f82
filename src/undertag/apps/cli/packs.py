"""`undertag packs`: check a pack of tag rules, print its vocabulary, start a new rule."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
from undertag.model.problem import EXIT_CLEAN, EXIT_FINDINGS, Place, Problem, StoreError
from undertag.model.rule import Rule

app = typer.Typer(help="The vocabulary, at the source: tag rules and their proofs.", no_args_is_help=True)

_PATH_HELP = "A folder of rules or one rule; by default ours."
Folder = Annotated[str | None, typer.Argument(metavar="[PATH]", help=_PATH_HELP)]
Out = Annotated[
    str | None, typer.Option("--out", metavar="FILE", help="Write there, not to standard output.")
]
Tag = Annotated[str, typer.Argument(help="The tag that the rule gives, such as obs.dll.smart-card-api.")]
Title = Annotated[str, typer.Option("--title", help="What the analyst reads, without prefix.")]
Category = Annotated[str, typer.Option("--category", help="Sigma's log source category.")]
Author = Annotated[str, typer.Option("--author", help="Who writes the rule.")]
Where = Annotated[
    str, typer.Option("--folder", metavar="DIR", help="Where the file is put; made if it isn't there.")
]


@app.command("check")
def check(
    folder: Folder = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Check that rules are well-formed, honest in their links, and proven by their examples."""
    from undertag.apps.cli.settings import load_settings
    from undertag.packs import pack_folder
    from undertag.packs.check import inspect_pack

    load_settings(config)
    report = inspect_pack(folder or pack_folder())
    if as_json:
        print_json(
            {
                "rules": len(report.rules),
                "by_kind": report.by_kind,
                "tags": len({tag for rule in report.rules for tag in rule.tags}),
                "techniques": len(_techniques(report.rules)),
                "findings": [problem_json(problem) for problem in report.findings],
            }
        )
        return EXIT_FINDINGS if report.findings else EXIT_CLEAN
    if not quiet:
        kinds = ", ".join(f"{count} {kind}" for kind, count in report.by_kind.items())
        out = console(no_color=no_color, stderr=False)
        out.print(f"{len(report.rules):,} rules ({kinds}), {len(report.findings):,} findings")
    say_problems(report.findings, quiet=quiet, no_color=no_color)
    return EXIT_FINDINGS if report.findings else EXIT_CLEAN


@app.command("docs")
def docs(
    folder: Folder = None,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Print the vocabulary of a pack as a page of Markdown."""
    from undertag.apps.cli.settings import load_settings
    from undertag.catalogue.attack import DEFAULT_VERSION
    from undertag.packs import pack_folder
    from undertag.packs.check import inspect_pack
    from undertag.packs.pages import pack_page

    load_settings(config)
    report = inspect_pack(folder or pack_folder())
    page = pack_page(report, attack_version=DEFAULT_VERSION, own=folder is None)
    if out is not None:
        _write(Path(out), page, overwrite=True)
    if as_json:
        shown = None if out else page
        print_json({"rules": len(report.rules), "by_kind": report.by_kind, "file": out, "page": shown})
    elif out is None and not quiet:
        typer.echo(page, nl=False)
    return EXIT_CLEAN


@app.command("new")
def new(
    tag: Tag,
    title: Title,
    category: Category = "process_creation",
    author: Author = "unknown",
    folder: Where = ".",
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Start a new rule: a valid Sigma file of which the check tells what is still to be said."""
    from datetime import date
    from uuid import uuid4

    from undertag.apps.cli.settings import load_settings
    from undertag.packs.skeleton import new_rule

    load_settings(config)
    text = new_rule(tag, title, category=category, author=author, today=date.today(), uuid=uuid4())
    path = Path(folder) / f"{tag.replace('.', '_').replace('-', '_')}.yml"
    _write(path, text, overwrite=False, make_folder=True)
    if as_json:
        print_json({"file": str(path), "tag": tag})
    elif not quiet:
        typer.echo(str(path))
    return EXIT_CLEAN


def _techniques(rules: list[Rule]) -> set[str]:
    from undertag.packs.schema import Custom, read_custom

    customs = [read_custom(rule.custom) for rule in rules]
    return {link.technique for custom in customs if isinstance(custom, Custom) for link in custom.relates}


def _write(path: Path, text: str, *, overwrite: bool, make_folder: bool = False) -> None:
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        message = f"can't write: {error.strerror or error}"
        raise StoreError(Problem(code="UT601", message=message, place=Place(source=str(path)))) from error
