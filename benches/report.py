"""The bench's report: tables of ratios, the machine, the corpus, and where the figures mislead."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Case, Run, paired_ratio

CORPUS = (
    "Corpus: seeded copies of real attack recordings (EVTX-ATTACK-SAMPLES, Security-Datasets). Each copy",
    "has its own GUIDs, pids, logon sessions, hosts (of 200), times (of a week), command lines, Temp paths.",
)
CAVEATS = (
    "Attack recordings hit far more rules than a quiet network does: evaluating and writing hits weigh more.",
    "Copies repeat file names, DLLs, registry keys and call traces: a memo of seen values helps more",
    "  than on fresh ones. Command lines and GUIDs are new in each copy, more so than in most networks.",
    "Copies of a recording stand together: batches are fuller than in a stream of 200 interleaved hosts.",
    "Rules ×2 and ×10 are variants that fire about a seventh as often: they cost filtering, and little more.",
    "`first s` is the command on the first copy of the events: start-up, rules from the cache, and what",
    "  is prepared when a kind of event is first seen; `then µs` is each event after (rough in a quick run).",
    "The input lies in the page cache. undertag brings its output to the disk before it ends; the others leave theirs in the cache.",
)
PEER_CAVEATS = (
    "rsigma reads events that were flattened for it beforehand, and labelled in one case;",
    "  that work is not in its time. It writes matches only; undertag reads nested events and writes each.",
    "rsigma knows one category an event: where an event serves two, its rules of the broader one can't fire;",
    "  without labels, rules of other products and categories fire as well (more hits, not better ones).",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Cases that were interleaved; the first is the base of the ratios.

    `firsts` holds runs of the same commands on the first `first_events` events, in the same repetitions; None
    where not the time an event is asked for, but that of the run.
    """

    title: str
    cases: list[Case]
    runs: dict[str, list[Run]]
    first_events: int = 0
    firsts: dict[str, list[Run]] | None = None


def machine() -> dict[str, Any]:
    """What the figures were measured on, and how busy it was when the bench began."""
    cpuinfo = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    models = [
        line.partition(":")[2].strip() for line in cpuinfo.splitlines() if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def print_report(
    about: dict[str, Any], sections: list[Section], memory: dict[str, Run], *, repetitions: int, peer: bool
) -> dict[str, Any]:
    """Print the report; the same figures as a document."""
    print(
        f"\nMachine: {about['cpu']}, {about['cores']} cores, {about['memory_bytes'] / 2**30:.0f} GiB, "
        f"{about['system']}, Python {about['python']}"
    )
    if about["load"] > 0.5:
        print(
            f"THE MACHINE WAS BUSY (load {about['load']:.1f} at the start): trust ratios and CPU, not seconds"
        )
    print(*CORPUS, sep="\n")
    print(
        f"Medians of {repetitions} interleaved repetitions; a ratio is the median of each repetition's own."
    )
    figures = [_section(section) for section in sections]
    if memory:
        print("\nPeak memory (proportional set size of all processes together)")
        for name, one in memory.items():
            print(f"  {name:<48} {one.peak_bytes / 1e6:8.0f} MB")
    print("\nWhere these figures mislead")
    for caveat in (*CAVEATS, *(PEER_CAVEATS if peer else ())):
        print(f"  {caveat}" if caveat.startswith(" ") else f"- {caveat}")
    peaks = {name: one.peak_bytes for name, one in memory.items()}
    return {"machine": about, "repetitions": repetitions, "sections": figures, "peak_memory_bytes": peaks}


def _section(section: Section) -> dict[str, Any]:
    base = section.cases[0]
    print(f"\n{section.title}" + f" ({base.events:,} events)" * (section.firsts is not None))
    head = f"{'µs/event' if section.firsts else 'ms':>9} {'min':>8} {'max':>8} {'CPU':>8} {'ratio':>6}"
    print(
        f"  {'':<41} {head}"
        + f" {'first s':>8} {'then µs':>8} {'ratio':>6} {'hits/ev':>8}" * bool(section.firsts)
    )
    return {"title": section.title, "cases": [_row(section, case) for case in section.cases]}


def _row(section: Section, case: Case) -> dict[str, Any]:
    base, runs = section.cases[0], section.runs[case.name]
    scale = 1e6 if section.firsts else 1e3
    spent = sorted(one.seconds * scale / case.events for one in runs)
    cpu = statistics.median(one.cpu_seconds * scale / case.events for one in runs)
    ratio = paired_ratio(runs, section.runs[base.name], case.events, base.events)
    columns = f"{statistics.median(spent):9.2f} {spent[0]:8.2f} {spent[-1]:8.2f} {cpu:8.2f} {ratio:6.2f}"
    row: dict[str, Any] = {
        "name": case.name.strip(),
        "events": case.events,
        "seconds": [one.seconds for one in runs],
        "cpu_seconds": [one.cpu_seconds for one in runs],
        "ratio": ratio,
        "hits": runs[-1].hits,
        "out_bytes": runs[-1].out_bytes,
        **runs[-1].details,
    }
    if section.firsts:
        first, then = _then(section, case)
        row |= {"first_seconds": first, "then_seconds": then}
        columns += f" {first:8.2f} {then * 1e6:8.2f} {then / _then(section, base)[1]:6.2f}"
        columns += f" {row['hits'] / case.events:8.4f}" if row["hits"] is not None else ""
    print(f"  {case.name:<41} {columns}")
    return row


def _then(section: Section, case: Case) -> tuple[float, float]:
    """Seconds for the first events, and seconds for each event after them (medians over the repetitions)."""
    assert section.firsts is not None
    firsts, runs = section.firsts[case.name], section.runs[case.name]
    rest = statistics.median(run.seconds - first.seconds for run, first in zip(runs, firsts, strict=True))
    return statistics.median(one.seconds for one in firsts), rest / (case.events - section.first_events)
