"""A whole run: inputs in, tagged events out, a summary at the end.

Contract: `run(job)` reads everything, stops for nothing but an output that can't be written, and gives back what
happened. Results don't depend on the number of workers, the size of units or the order in which rules were found.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from undertag import __version__
from undertag.catalogue.other import other_router
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.catalogue.windows import windows_router
from undertag.match.engine import Engine
from undertag.model.output import NOWHERE
from undertag.model.problem import Problem, UndertagError
from undertag.model.rule import Rule
from undertag.model.source import Unit
from undertag.pipeline.bundles import Bundle, bundled, bytes_of
from undertag.pipeline.counts import Counts, ranked
from undertag.pipeline.ledger import Ledger
from undertag.pipeline.process import Sweeper, settled
from undertag.pipeline.stop import Stop
from undertag.pipeline.tally import Tally
from undertag.pipeline.way import Way
from undertag.pipeline.workers import Interrupted, run_workers, usable_workers
from undertag.read import records, refuse_replacing, units
from undertag.read.normalise.normaliser import Normaliser
from undertag.tag.tagger import Tagger, TagSettings
from undertag.write.events import Sink, Writer

UNIT_BYTES: Final = 1 << 20
LEARN_FROM_BYTES: Final = 64 << 20
"""Inputs smaller than this are done before learning would pay."""
SAMPLE_BYTES: Final = 12 << 20


@dataclass(slots=True, kw_only=True)
class Job:
    """What to do.

    Attributes:
        inputs: files, folders, globs, `-`.
        rules: the rules, already loaded; `rejected` how many could not be.
        sink: where events go, None to count only.
        workers: processes; 1 works in this one.
        size: bytes to read where known, for progress and for whether learning pays.
        progress: called now and then with (events, bytes) done since the last call.
        about: what made the output, kept beside it.
    """

    inputs: Sequence[str]
    rules: Sequence[Rule]
    rejected: int = 0
    rule_problems: Sequence[Problem] = ()
    sink: Sink | None = None
    settings: TagSettings = field(default_factory=TagSettings)
    workers: int = 1
    unit_bytes: int = UNIT_BYTES
    size: int | None = None
    progress: Callable[[int, int], None] | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run found; the counts of the command's `--json`."""

    events: int
    tagged: int
    seconds: float
    systems: int
    entries: dict[str, int]
    uncatalogued: int
    rules: dict[str, int]
    hits: int
    rule_hits: dict[str, int]
    tags: dict[str, int]
    techniques: dict[str, int]
    attack_version: str
    problems: list[Problem]
    """As many as are kept; `counts` knows of all."""
    counts: Mapping[tuple[str, str], int]
    """How many problems there are of each (code, severity)."""
    complete: bool
    unreadable: int
    """Inputs that could not be read, or not to their end."""

    @property
    def problem_count(self) -> int:
        """How many problems there are."""
        return sum(self.counts.values())

    def problem_codes(self) -> dict[str, int]:
        """How many problems there are of each code."""
        codes: Counter[str] = Counter()
        for (code, _), count in self.counts.items():
            codes[code] += count
        return dict(sorted(codes.items()))


def run(job: Job) -> Summary:
    """Does the job.

    Raises:
        SettingsError: the output would replace an input; nothing was written.
        StoreError: the output can't be written.
    """
    started = time.perf_counter()
    engine = Engine(job.rules)
    tagger = Tagger(job.rules, job.settings)
    way = Way(
        records=records,
        normaliser=Normaliser(windows_router(), other_router()),
        engine=engine,
        tagger=tagger,
        renderer=job.sink.renderer() if job.sink else None,
    )
    reading: list[Problem] = []
    output = job.sink.output() if job.sink is not None else NOWHERE
    refuse_replacing(job.inputs, output)
    todo = units(job.inputs, unit_bytes=job.unit_bytes, problems=reading, output=output)
    about = {"undertag": __version__, "attack_version": job.settings.attack_version, **job.about}
    if job.sink is not None:
        job.sink.open(about)
    tally = Tally()
    tally.tell(job.rule_problems)
    complete = False
    with Stop() as stop, settled():
        try:
            complete = _work(job, way, bundled(_until(stop, todo), job.unit_bytes), tally)
        except UndertagError as error:
            reading.append(error.problem)
            raise
        finally:
            stop.settled()
            tally.bound |= engine.bound
            tally.timeouts.update(engine.timeouts())
            tally.tell(_slow_expressions(tally.timeouts))
            tally.tell(reading)
            counts = Counts(job.rules, tally, tagger)
            tally.tell([*tagger.problems, *tagger.claims.problems()])
            if job.sink is not None:
                job.sink.close(
                    complete=complete,
                    problems=tally.problems,
                    about=about,
                )
    return _summary(job, tally, counts, time.perf_counter() - started, complete)


def _until(stop: Stop, todo: Iterator[Unit]) -> Iterator[Unit]:
    """The units; an interrupt comes between two of them or while the next is waited for."""
    while True:
        with stop.waiting():
            unit = next(todo, None)
        if unit is None:
            return
        yield unit


def _learn(way: Way, todo: Iterator[Bundle]) -> Iterator[Bundle]:
    """Lets the plans learn from the first units, and gives all units back."""
    first: list[Bundle] = []
    size = 0
    for bundle in todo:
        first.append(bundle)
        size += bytes_of(bundle)
        if size >= SAMPLE_BYTES:
            break
    way.learn(first)
    return chain(first, todo)


def _work(job: Job, way: Way, todo: Iterator[Bundle], tally: Tally) -> bool:
    """Takes every unit its way; False if it was interrupted."""
    ledger = Ledger()

    def done(size: int, events: int) -> None:
        if job.progress is not None:
            job.progress(events, size)

    def take(data: bytes) -> None:
        if job.sink is not None:
            job.sink.take(data)

    def make_writer() -> Writer:
        return job.sink.writer() if job.sink is not None else _Nowhere()

    writer = make_writer()
    workers = usable_workers(job.workers)
    try:
        if job.size is not None and job.size >= LEARN_FROM_BYTES:
            todo = _learn(way, todo)
        sweeper = Sweeper()
        for bundle in todo:
            outcome = way.go(bundle)
            tally.add(outcome.tally)
            size = writer.size(outcome.rendered) if outcome.rendered is not None else 0
            offset, new_uids = ledger.settle(outcome.sources, outcome.uids, outcome.numbers, size)
            if outcome.rendered is not None:
                take(writer.write(outcome.rendered, offset, new_uids))
            done(bytes_of(bundle), outcome.tally.events)
            sweeper.after(bytes_of(bundle))
            if workers > 1:  # the first units taught the plans; the workers inherit them
                tally.add(
                    run_workers(
                        todo,
                        way=way,
                        writer=make_writer,
                        ledger=ledger,
                        workers=workers,
                        take=take,
                        done=done,
                    )
                )
                break
    except Interrupted as stop:
        tally.add(stop.tally)
        return False
    except KeyboardInterrupt:
        return False
    finally:
        writer.close()
    return True


class _Nowhere:
    """Takes nothing: the run only counts."""

    def size(self, rendered: Any) -> int:
        return 0

    def write(self, rendered: Any, offset: int, new_uids: Sequence[Any]) -> bytes:
        return b""

    def close(self) -> None:
        pass


def _summary(job: Job, tally: Tally, counts: Counts, seconds: float, complete: bool) -> Summary:
    serves = load_catalogue().routes.serves
    sources = Counter([rule.logsource for rule in job.rules])
    return Summary(
        events=tally.events,
        tagged=tally.tagged,
        seconds=round(seconds, 3),
        systems=len(tally.systems - {""}),
        entries=ranked(tally.entries),
        uncatalogued=tally.uncatalogued,
        rules={
            "loaded": len(job.rules),
            "rejected": job.rejected,
            "inapplicable": sum(count for source, count in sources.items() if not serves(source)),
            "evaluated": len(tally.bound),
        },
        hits=counts.rule_hits.total(),
        rule_hits=ranked(counts.rule_hits),
        tags=ranked(counts.tags),
        techniques=ranked(counts.techniques),
        attack_version=job.settings.attack_version,
        problems=tally.problems,
        counts=tally.problem_codes,
        complete=complete,
        unreadable=tally.unread,
    )


def _slow_expressions(timeouts: Counter[str]) -> list[Problem]:
    return [
        Problem(
            code="UT260",
            severity="warning",
            message=f"a regular expression took too long on {count} values, which count as no match: {pattern[:200]}",
            hint="re2 does not take it; write it without look-around and back-references",
        )
        for pattern, count in sorted(timeouts.items())
    ]
