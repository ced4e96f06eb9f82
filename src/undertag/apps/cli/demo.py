"""`undertag demo`: the real job over the example that ships with undertag, and what that is good for."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from undertag.apps.cli.output import Config, Json, NoColor, Quiet, console, print_json, say_problems
from undertag.apps.cli.tag import exit_code, summary_json

if TYPE_CHECKING:
    from undertag.apps.cli.loading import RuleSet
    from undertag.apps.cli.settings import Settings
    from undertag.apps.demo.findings import Event, Findings
    from undertag.pipeline.run import Summary


def demo(
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Where the tagged events go; by default a new folder."
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
    config: Config = None,
) -> int:
    """Tag an example: a made-up week of two Windows systems, many innocent loads of two libraries, one attack.

    Nothing is fetched; the events ship with undertag. Only undertag's own rules run.
    """
    from undertag.apps.cli.loading import load_rule_set
    from undertag.apps.cli.settings import load_settings
    from undertag.apps.demo.findings import find

    settings = load_settings(config).with_release()
    loaded = load_rule_set((), settings, pack=True)
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="undertag-demo-"))
    summary = _run(folder, loaded, settings)
    if not summary.complete:
        raise KeyboardInterrupt
    found = find(folder)
    if as_json:
        print_json(demo_json(found, folder, summary))
    elif not quiet:
        from undertag.apps.cli.summary import show_summary
        from undertag.apps.demo.screen import show

        screen = console(no_color=no_color, stderr=False)
        show_summary(summary, loaded.rules, None, screen)
        screen.print()
        show(found, summary, shlex.quote(str(folder)), screen)
    say_problems(summary.problems, quiet=quiet or as_json, no_color=no_color)
    return exit_code(summary)


def demo_json(found: Findings, folder: Path, summary: Summary) -> dict[str, Any]:
    """The keys of `undertag demo --json`: those of `tag`, and the two tales."""
    first = found.first
    return {
        **summary_json(summary),
        "out": str(folder),
        "attack_events": found.attack_events,
        "attack_tagged": found.attack_tagged,
        "technique_tagger": {
            "alerts": found.alerts,
            "real": found.real_alerts,
            "loads": [
                {
                    "tag": load.tag,
                    "library": load.library,
                    "technique": load.technique,
                    "alerts": load.alerts,
                    "real": load.real,
                }
                for load in found.loads
            ],
        },
        "typed": {
            "tags": dict(found.beside),
            "mitigated": found.excused,
            "claimed": found.claimed,
            "beside_claims": found.beside_claims,
            "real_beside_claims": found.real_beside_claims,
            "claims": len(found.claims),
            "real": found.real_claims,
            "claim_events": [_claim_json(event) for event in found.claims],
        },
        "first": first
        and {
            **_claim_json(first.event),
            "tag": first.tag["tag"],
            "title": first.tag["title"],
            "ask": first.tag.get("ask"),
            "action": first.tag.get("action"),
            "evidence": list(first.facts),
            "command": f"undertag explain {shlex.quote(str(folder))} --event {first.uid}",
        },
    }


def _claim_json(event: Event) -> dict[str, Any]:
    return {
        "event_uid": event.uid,
        "time": event.time.isoformat().replace("+00:00", "Z"),
        "system": event.system,
        "tags": event.names,
        "techniques": event.techniques,
        "real": event.real,
    }


def _run(folder: Path, loaded: RuleSet, settings: Settings) -> Summary:
    """The same job as `undertag tag … --out DIR`."""
    from undertag.apps.demo import week_file
    from undertag.pipeline.run import Job, run
    from undertag.tag.tagger import TagSettings
    from undertag.write.store.parquet import StoreSink

    week = str(week_file())
    return run(
        Job(
            inputs=[week],
            rules=loaded.rules,
            rejected=loaded.rejected,
            rule_problems=loaded.problems,
            sink=StoreSink(folder, attack_version=settings.attack_version, only_tagged=False),
            settings=TagSettings(prefix=settings.prefix, attack_version=settings.attack_version),
            size=week_file().stat().st_size,
            about={"inputs": [week], "rules": [], "pack": True, "placeholders": {}, "only_tagged": False},
        )
    )
