"""The bench: `run.py [--events N] [--quick] [--repetitions R] [--json FILE]`, called by `make bench`.

Prints what each way of going over the same events costs, as a ratio to decoding and rewriting them alone,
with the machine, the corpus and where the figures mislead. Data is made once under benches/data and reused.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generate import DATA, corpus_file
from measure import Case, Run, interleaved, run
from report import Section, machine, print_report
from sources import corpora, evtx_files
from vary_rules import multiply

HERE = Path(__file__).resolve().parent
SEED = 1
COPY_EVENTS = 8255
"""Events of the EVTX recordings: one copy of them."""
RULE_FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")
OUT = DATA / "out"
WHOLE_WAY = "undertag, the whole way (rules and pack)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a run works on: programs, sizes, folders."""

    undertag: str
    rsigma: str | None
    events: int
    cache: Path = DATA / "cache"

    def tag(
        self, name: str, source: Path, events: int, *, rules: int = 1, pack: bool = False, workers: int = 1
    ) -> Case:
        """`undertag tag` over `source` with the rules multiplied by `rules`, every event written."""
        out = OUT / "tagged.jsonl"
        command = [self.undertag, "tag", str(source), "--out", str(out), "--workers", str(workers), "--json"]
        command += ["--rules", str(rule_folder(rules))] if rules else []
        command += [] if pack else ["--no-pack"]
        env = {"XDG_CACHE_HOME": str(self.cache)}
        return Case(name=name, command=command, events=events, out=out, env=env, summary="undertag")

    def floor(self, name: str, source: Path, events: int) -> Case:
        """Decoding and rewriting alone."""
        out = OUT / "floor.jsonl"
        command = [sys.executable, str(HERE / "floor.py"), str(source), str(out)]
        return Case(name=name, command=command, events=events, out=out)

    def peer(self, name: str, source: Path, events: int, *, labels: bool) -> Case:
        """rsigma over events flattened (and labelled) for it, on its standard input; writes matches only."""
        assert self.rsigma
        command = [self.rsigma, "engine", "eval", "-r", str(rule_folder(1)), "--input-format", "json"]
        command += ["--output-format", "ndjson", *(["--logsource-routing"] if labels else [])]
        return Case(
            name=name, command=command, events=self.events, out=OUT / "peer", stdin=source, summary="lines"
        )


def rule_folder(times: int) -> Path:
    """The corpora's Sigma rules, multiplied; made once."""
    digest = hashlib.sha256((HERE / "vary_rules.py").read_bytes()).hexdigest()[:12]
    folder = DATA / f"rules-x{times}-{digest}"
    if not folder.is_dir():
        part = DATA / f"rules-x{times}.part"
        shutil.rmtree(part, ignore_errors=True)
        sigma = corpora() / "sigma"
        print(f"making {folder.name}", file=sys.stderr)
        multiply([sigma / name for name in RULE_FOLDERS], times, part)
        part.rename(folder)
    return folder


def evtx_folder(times: int) -> Path:
    """The corpora's EVTX recordings `times` times over, as links where the file system allows."""
    folder = DATA / f"evtx-x{times}"
    if not folder.is_dir():
        part = DATA / f"evtx-x{times}.part"
        shutil.rmtree(part, ignore_errors=True)
        base = corpora()
        for copy in range(times):
            for file in evtx_files(base):
                target = part / f"{copy:03d}" / file.relative_to(base / "evtx-attack-samples")
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(file, target)
                except OSError:  # another file system, or links forbidden
                    shutil.copyfile(file, target)
        part.rename(folder)
    return folder


def first_events(events: int) -> int:
    """Events after which nearly every kind was seen: those of one copy, or a quarter of a small run."""
    return min(COPY_EVENTS, events // 4)


def bench_lines(bench: Bench, repetitions: int) -> Section:
    """EVTX as JSON lines: rules ×0, ×1, ×2, ×10, one and two workers, and the peer."""

    def cases(events: int) -> list[Case]:
        source = corpus_file(events, SEED, "evtx-json")
        found = [bench.floor("decode and rewrite only", source, events)]
        found += [bench.tag("undertag, no rules, no pack", source, events, rules=0)]
        found += [bench.tag(f"undertag, rules ×{times}", source, events, rules=times) for times in (1, 2, 10)]
        found += [bench.tag(WHOLE_WAY, source, events, pack=True)]
        found += [bench.tag("  the same, 2 workers", source, events, pack=True, workers=2)]
        if bench.rsigma:
            flattened = corpus_file(events, SEED, "flattened-labelled")
            found += [bench.peer("rsigma, flattened and labelled for it", flattened, events, labels=True)]
            found += [bench.peer("rsigma, flattened for it", flattened, events, labels=False)]
        return found

    return _section("EVTX as JSON lines", cases(bench.events), cases(first_events(bench.events)), repetitions)


def bench_flat(bench: Bench, repetitions: int) -> Section:
    """Flat records with long messages, as log shippers write them."""

    def cases(events: int) -> list[Case]:
        source = corpus_file(events, SEED, "flat")
        return [
            bench.floor("decode and rewrite only", source, events),
            bench.tag(WHOLE_WAY, source, events, pack=True),
        ]

    events = max(1000, bench.events * 3 // 10)
    return _section(
        "Flat JSON lines of a log shipper", cases(events), cases(first_events(events)), repetitions
    )


def bench_evtx(bench: Bench, repetitions: int) -> Section:
    """Binary EVTX files."""
    out = OUT / "evtx.jsonl"

    def cases(times: int) -> list[Case]:
        source, events = evtx_folder(times), times * COPY_EVENTS
        floor = [sys.executable, str(HERE / "evtx_floor.py"), str(source), str(out)]
        return [
            Case(name="parse and write only", command=floor, events=events, out=out),
            bench.tag(WHOLE_WAY, source, events, pack=True),
        ]

    times = max(2, bench.events // 5 // COPY_EVENTS)
    return _section("EVTX files", cases(times), cases(1), repetitions)


def bench_compile(bench: Bench, repetitions: int) -> Section:
    """Start to end on one event: rules compiled from scratch, and from the cache."""
    source = corpus_file(1, SEED, "evtx-json")
    cases = [bench.tag("undertag, no rules, no pack (start-up)", source, 1, rules=0)]
    for times in (1, 10):
        warm = bench.tag(f"rules ×{times} and pack, from the cache", source, 1, rules=times, pack=True)
        run(warm)
        cold_cache = DATA / "cache-cold"
        cases.append(
            Case(
                name=f"rules ×{times} and pack, from scratch",
                command=warm.command,
                events=1,
                out=warm.out,
                env={"XDG_CACHE_HOME": str(cold_cache)},
                summary=warm.summary,
                fresh=cold_cache,
            )
        )
        cases.append(warm)
    runs = interleaved(cases, repetitions)
    return Section(title="Loading rules (one event)", cases=cases, runs=runs)


def bench_memory(bench: Bench) -> dict[str, Run]:
    """Peak memory, all processes together, at a tenth of the input and at all of it."""
    found = {}
    for workers in (1, 2):
        for events in (bench.events // 10, bench.events):
            source = corpus_file(events, SEED, "evtx-json")
            name = f"the whole way, {workers} worker{'s' * (workers > 1)}, {events:,} events"
            case = bench.tag(name, source, events, pack=True, workers=workers)
            found[name] = run(case, sample_memory=True)
            print(f"  {name}: {found[name].peak_bytes / 1e6:.0f} MB", file=sys.stderr)
    return found


def _section(title: str, cases: list[Case], firsts: list[Case], repetitions: int) -> Section:
    """Measure `cases`, and what each costs on the first copy of the events; caches are warmed before."""
    for case in (*firsts, cases[0]):
        run(case)
    firsts = [replace(case, name=f"{case.name}, first copy") for case in firsts]
    runs = interleaved([case for pair in zip(cases, firsts, strict=True) for case in pair], repetitions)
    return Section(
        title=title,
        cases=cases,
        runs={case.name: runs[case.name] for case in cases},
        first_events=firsts[0].events,
        firsts={case.name: runs[first.name] for case, first in zip(cases, firsts, strict=True)},
    )


def main(argv: list[str] | None = None) -> None:
    """Run the sections asked for and print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="50,000 events, two repetitions")
    parser.add_argument("--repetitions", type=int)
    sections = ["lines", "flat", "evtx", "compile", "memory"]
    parser.add_argument("--only", nargs="+", choices=sections, default=sections)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments: Any = parser.parse_args(argv)
    events = 50_000 if arguments.quick else arguments.events
    repetitions = arguments.repetitions or (2 if arguments.quick else 3)
    if events < 1000 or repetitions < 1:
        parser.error("at least 1000 events and one repetition")
    bench = Bench(undertag=_undertag(), rsigma=_rsigma(), events=events)
    makers = {"lines": bench_lines, "flat": bench_flat, "evtx": bench_evtx, "compile": bench_compile}
    about = machine()
    found = [
        makers[name](bench, repetitions) for name in sections if name in arguments.only and name in makers
    ]
    memory = bench_memory(bench) if "memory" in arguments.only else {}
    figures = print_report(about, found, memory, repetitions=repetitions, peer=bench.rsigma is not None)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


def _undertag() -> str:
    beside = Path(sys.executable).with_name("undertag")
    found = str(beside) if beside.exists() else shutil.which("undertag")
    if not found:
        raise SystemExit("undertag is not installed beside this Python: run `pip install -e .` first")
    return found


def _rsigma() -> str | None:
    usual = Path.home() / ".cargo/bin/rsigma"
    return shutil.which("rsigma") or (str(usual) if usual.exists() else None)


if __name__ == "__main__":
    main()
