"""`undertag tag`: the main job."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from undertag.apps.cli.output import (
    Config,
    Json,
    NoColor,
    Quiet,
    console,
    print_json,
    reader_gone,
    say_problems,
)
from undertag.apps.cli.rules_note import note_rules
from undertag.apps.cli.sinks import sink_of
from undertag.model.output import NOWHERE
from undertag.model.problem import (
    EXIT_CLEAN,
    EXIT_FINDINGS,
    EXIT_INTERRUPTED,
    EXIT_RULES,
    EXIT_UNREADABLE,
    Problem,
    SettingsError,
    printable,
)

if TYPE_CHECKING:
    from undertag.pipeline.run import Summary
    from undertag.write.events import Sink

UNSET_PLACEHOLDER = "UT214"
"""A rule that waits for a setting is reported and doesn't run, but nothing is wrong with it."""


def tag(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT…", help="Files, folders, globs, or - for standard input.")
    ],
    rule_paths: Annotated[
        list[str] | None,
        typer.Option("--rules", metavar="PATH", help="Sigma rules: a file or folder; may be given often."),
    ] = None,
    no_pack: Annotated[
        bool,
        typer.Option(
            "--no-pack", help="Leave out what undertag itself observes: its rules, and signature names read."
        ),
    ] = False,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR|FILE|-",
            help="Where events go: a folder (Parquet), a file (JSON lines), or - .",
        ),
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="jsonl|parquet", help="Form of the output, where --out leaves it open."
        ),
    ] = None,
    only_tagged: Annotated[
        bool, typer.Option("--only-tagged", help="Write only events that got a tag.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, max=256, help="Processes (default: one a core).")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Tag events: say of each what it is, with evidence, and what it may mean.

    Reads EVTX, JSON (lines, arrays, documents; EVTX-as-JSON, Winlogbeat, flat), Windows event XML and CSV, plain or
    compressed; what a file holds is found by looking, never by its name.
    """
    from undertag.apps.cli.loading import load_rule_set
    from undertag.apps.cli.settings import load_settings
    from undertag.pipeline.run import Job, run
    from undertag.tag.tagger import TagSettings

    gc.disable()  # rules are millions of objects that all stay; `pipeline.process` sweeps while events are worked on
    settings = load_settings(config).with_release()
    loaded = load_rule_set(rule_paths or settings.rules, settings, pack=not no_pack)
    sink = sink_of(out, format_name, settings.attack_version, only_tagged)
    if out == "-" and as_json:
        raise SettingsError(
            Problem(
                code="UT903", message="--out - and --json both want standard output", hint="give --out a file"
            )
        )
    size = _size(inputs, sink)
    count = workers or settings.workers or _worker_count(size)
    try:
        with _progress(size, shown=not (as_json or quiet), no_color=no_color) as progress:
            summary = run(
                Job(
                    inputs=inputs,
                    rules=loaded.rules,
                    rejected=loaded.rejected,
                    rule_problems=loaded.problems,
                    sink=sink,
                    settings=TagSettings(
                        prefix=settings.prefix,
                        attack_version=settings.attack_version,
                        downgrade_informational=settings.downgrade_informational,
                        signature_names=not no_pack,
                    ),
                    workers=count,
                    size=size,
                    progress=progress,
                    about={
                        "inputs": [printable(one) for one in inputs],
                        **note_rules(rule_paths or settings.rules),
                        "pack": not no_pack,
                        "placeholders": settings.placeholders,
                        "only_tagged": only_tagged,
                    },
                )
            )
    except BrokenPipeError:  # as of `… --out - | head`; a named pipe's is a StoreError
        reader_gone()
        return EXIT_CLEAN
    if as_json:
        print_json(summary_json(summary))
    elif not quiet:
        from undertag.apps.cli.summary import show_summary

        show_summary(summary, loaded.rules, out, console(no_color=no_color, stderr=out == "-"))
    say_problems(summary.problems, quiet=quiet, no_color=no_color)
    return exit_code(summary)


def exit_code(summary: Summary) -> int:
    """The worst that happened."""
    if not summary.complete:
        return EXIT_INTERRUPTED
    if summary.unreadable:
        return EXIT_UNREADABLE
    errors = {
        code[:3] for code, severity in summary.counts if severity == "error" and code != UNSET_PLACEHOLDER
    }
    if "UT2" in errors:
        return EXIT_RULES
    return EXIT_FINDINGS if errors else EXIT_CLEAN


def summary_json(summary: Summary) -> dict[str, Any]:
    """The keys of the command's contract."""
    return {
        "events": summary.events,
        "tagged": summary.tagged,
        "problems": summary.problem_count,
        "problem_codes": summary.problem_codes(),
        "seconds": summary.seconds,
        "systems": summary.systems,
        "entries": summary.entries,
        "uncatalogued": summary.uncatalogued,
        "rules": summary.rules,
        "hits": summary.hits,
        "rule_hits": summary.rule_hits,
        "tags": summary.tags,
        "techniques": summary.techniques,
        "attack_version": summary.attack_version,
        "complete": summary.complete,
    }


def _size(inputs: list[str], sink: Sink | None) -> int | None:
    """Bytes that lie before us, None where a pipe hides them."""
    from undertag.read import input_size

    return input_size(inputs, output=sink.output() if sink is not None else NOWHERE)


def _worker_count(size: int | None) -> int:
    """As many as there are cores; one where starting more would take longer than the work."""
    if size is not None and size < 16 << 20:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress(
    size: int | None, *, shown: bool, no_color: bool
) -> Iterator[Callable[[int, int], None] | None]:
    """A line with a rate and an estimate, on a terminal only."""
    out = console(no_color=no_color)
    if not shown or not out.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("tagging"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events  {task.fields[rate]:,}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=size, events=0, rate=0)

        def advance(events: int, size_done: int) -> None:
            total = bar.tasks[0].fields["events"] + events
            seconds = max(bar.tasks[0].elapsed or 0.0, 0.001)
            bar.update(task, advance=size_done, events=total, rate=int(total / seconds))

        yield advance
