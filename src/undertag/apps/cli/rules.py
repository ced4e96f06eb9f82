"""`undertag rules`: check rule files, and run SigmaHQ's regression data."""

from __future__ import annotations

from typing import Annotated

import typer

from undertag.apps.cli.output import (
    Config,
    Json,
    NoColor,
    Quiet,
    console,
    escape,
    print_json,
    problem_json,
    say_problems,
)
from undertag.model.problem import EXIT_CLEAN, EXIT_FINDINGS, EXIT_RULES

app = typer.Typer(help="Check Sigma rules and their regression data.", no_args_is_help=True)


@app.command("check")
def check(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Rule files or folders.")],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Load rules and report each that can't be, and each that no known log source serves."""
    from undertag.apps.cli.settings import load_settings
    from undertag.catalogue.sources import load_catalogue
    from undertag.match.sigma.cache import load_rules_cached

    settings = load_settings(config)
    result = load_rules_cached(paths, placeholders=settings.placeholders)
    serves = load_catalogue().routes.serves
    inapplicable = [rule for rule in result.rules if not serves(rule.logsource)]
    if as_json:
        print_json(
            {
                "files": result.files,
                "loaded": len(result.rules),
                "inapplicable": len(inapplicable),
                "inapplicable_logsources": sorted({str(rule.logsource) for rule in inapplicable}),
                "correlations": result.correlations,
                "rejected": [problem_json(problem) for problem in result.rejected],
                "warnings": [
                    problem_json(problem) for problem in result.problems if problem.severity != "error"
                ],
            }
        )
    elif not quiet:
        out = console(no_color=no_color, stderr=False)
        out.print(
            f"{len(result.rules):,} rules loaded from {result.files:,} files, {len(result.rejected):,} rejected"
        )
        if inapplicable:
            sources = sorted({str(rule.logsource) for rule in inapplicable})
            out.print(f"{len(inapplicable):,} are inapplicable: no entry known here serves their log source")
            out.print("  " + escape(", ".join(sources)), style="dim")
        if result.correlations:
            out.print(f"{result.correlations:,} correlations are not evaluated yet")
        say_problems(result.problems, quiet=quiet, no_color=no_color)
    return EXIT_RULES if result.rejected else EXIT_CLEAN


@app.command("regress")
def regress(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="A folder that holds rules and regression_data.")
    ],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Run SigmaHQ's regression data: does every rule find its own recording?"""
    from undertag.apps.cli.settings import load_settings
    from undertag.pipeline.regress import run_regression

    result = run_regression(folder, placeholders=load_settings(config).placeholders)
    if as_json:
        print_json(result.to_json())
    elif not quiet:
        out = console(no_color=no_color, stderr=False)
        failed, over = len(result.failed), len(result.over)
        out.print(
            f"{result.passed} of {result.total} passed, {failed} failed, {over} found more than expected"
        )
        for word, cases in (("[red]failed[/]", result.failed), ("[dim]over[/]  ", result.over)):
            for case in cases:
                who = escape(f"{case.title} ({case.rule})")
                counts = f"expected {case.expected}, found {case.found}"
                out.print(f"{word} {who}: {counts} {escape(case.reason)}".rstrip(), soft_wrap=True)
        say_problems(result.problems, quiet=quiet, no_color=no_color)
    return EXIT_FINDINGS if result.failed else EXIT_CLEAN


@app.command("lint")
def lint(
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Rule files or folders.")],
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Say what is wrong or misleading in rules: moved techniques, twins, tests that match nearly everything."""
    from undertag.apps.cli.settings import load_settings
    from undertag.match.sigma.cache import load_rules_cached
    from undertag.pipeline.lint import lint as find

    settings = load_settings(config).with_release()
    result = load_rules_cached(paths, placeholders=settings.placeholders)
    findings = [*result.problems, *find(result.rules, settings.attack_version)]
    if as_json:
        print_json({"files": result.files, "findings": [problem_json(finding) for finding in findings]})
    elif not quiet:
        out = console(no_color=no_color, stderr=False)
        for finding in findings:
            out.print(str(finding), markup=False, soft_wrap=True)
        out.print(f"{len(findings):,} findings in {result.files:,} files")
    return EXIT_FINDINGS if any(finding.severity != "info" for finding in findings) else EXIT_CLEAN
