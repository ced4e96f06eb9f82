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
    "Times include start-up and loading rules (from the cache); the table on loading tells how much that is.",
    "The input lies in the page cache and the output is not synced: a disk's speed is not measured.",
)
PEER_CAVEATS = (
    "rsigma reads events that were flattened for it beforehand, and labelled in one case;",
    "  that work is not in its time. It writes matches only; undertag reads nested events and writes each.",
    "rsigma knows one category an event: where an event serves two, its rules of the broader one can't fire;",
    "  without labels, rules of other products and categories fire as well (more hits, not better ones).",
)


@dataclass(frozen=True, slots=True)
class Section:
    """Cases that were interleaved; the first is the base of the ratios."""

    title: str
    cases: list[Case]
    runs: dict[str, list[Run]]
    per_event: bool = True


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
    unit, scale = ("µs/event", 1e6) if section.per_event else ("ms", 1e3)
    print(f"\n{section.title}" + f" ({base.events:,} events)" * section.per_event)
    print(f"  {'':<44} {unit:>9} {'min':>8} {'max':>8} {'CPU':>8} {'ratio':>7} {'hits/event':>11}")
    rows = []
    for case in section.cases:
        runs = section.runs[case.name]
        spent = sorted(one.seconds * scale / case.events for one in runs)
        median = statistics.median(spent)
        cpu = statistics.median(one.cpu_seconds * scale / case.events for one in runs)
        ratio = paired_ratio(runs, section.runs[base.name], case.events, base.events)
        hits = runs[-1].hits
        shown = f"{hits / case.events:11.4f}" if hits is not None and section.per_event else f"{'':>11}"
        columns = f"{median:9.2f} {spent[0]:8.2f} {spent[-1]:8.2f} {cpu:8.2f} {ratio:7.2f} {shown}"
        print(f"  {case.name:<44} {columns}")
        rows.append(
            {
                "name": case.name,
                "events": case.events,
                "seconds": [one.seconds for one in runs],
                "cpu_seconds": [one.cpu_seconds for one in runs],
                "ratio": ratio,
                "hits": hits,
                "out_bytes": runs[-1].out_bytes,
                **runs[-1].details,
            }
        )
    return {"title": section.title, "cases": rows}
