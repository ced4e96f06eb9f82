"""undertag from Python: rules in, tagged events out.

Contract: the same events get the same tags as from the command line. Nothing is written and no process is started.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from os import PathLike
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import orjson

from undertag.catalogue.attack import known_version
from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.engine import Engine
from undertag.match.sigma.cache import load_rules_cached
from undertag.match.sigma.joined import id_taken, joined
from undertag.match.sigma.result import LoadResult
from undertag.model.problem import Problem
from undertag.model.rule import Rule
from undertag.model.source import Records, Unit
from undertag.packs import pack_folder
from undertag.pipeline.ledger import Ledger
from undertag.pipeline.way import Way
from undertag.read.normalise.normaliser import Normaliser
from undertag.tag.tagger import Tagger, TagSettings
from undertag.write.jsonl import LineRenderer, Lines

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK: Final = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedEvent:
    """One event and what is known of it.

    Attributes:
        event: the event as it was given.
        uid: 32 hex digits.
        time: RFC 3339 UTC, None where the event has no usable time.
        system: the host or account that it speaks of.
        entry: key of its log source entry.
        tags: names of its tags.
        details: the `undertag` object as the command line writes it (see `event.schema.json`).
    """

    event: Mapping[str, Any]
    uid: str
    time: str | None
    system: str
    entry: str
    tags: tuple[str, ...]
    details: Mapping[str, Any]


def load_rules(
    paths: Iterable[str | PathLike[str]], *, placeholders: Mapping[str, Sequence[str]] | None = None
) -> LoadResult:
    """Loads Sigma rules from files and folders; what can't be loaded is in the result's `problems`.

    Raises:
        RuleError: a path doesn't exist.
    """
    return load_rules_cached(paths, placeholders=placeholders)


def load_pack() -> LoadResult:
    """undertag's own observation rules."""
    return load_rules_cached([pack_folder()], pack=True)


class Tagging:
    """Tags events with a set of rules; make it once, use it for all events.

    Threads may share one: they take turns, a few thousand events each. It gains no speed; processes with one each do.

    Attributes:
        problems: what was damaged so far, and which rules were left out.
    """

    def __init__(
        self, rules: Iterable[Rule] | None = None, *, pack: bool = True, settings: TagSettings | None = None
    ) -> None:
        """`rules`: loaded rules; `pack`: whether undertag's own come with them.

        Of rules with one id the first stays, undertag's own before all; the others are told in `problems`.

        Raises:
            CatalogueError: there is no such ATT&CK release as the settings name.
        """
        settings = settings or TagSettings(signature_names=pack)
        settings = replace(settings, attack_version=known_version(settings.attack_version))
        self.problems: list[Problem] = []
        self.rules, left_out = joined(chain(load_pack().rules if pack else (), rules or ()))
        self.problems.extend(id_taken(rule, first) for rule, first in left_out if rule != first)
        self._lock = Lock()
        self._held: Records = Records(raws=[])
        self._way = Way(
            records=lambda unit: self._held,
            normaliser=Normaliser(windows_router(), other_router()),
            engine=Engine(self.rules),
            tagger=Tagger(self.rules, settings),
            renderer=LineRenderer(attack_version=settings.attack_version),
        )

    def tag(self, events: Iterable[Mapping[str, Any]]) -> Iterator[TaggedEvent]:
        """Tags events as they come, a few thousand at a time, in their order.

        The events of one call are one source: equal ones stay apart by their uids.

        An event is a mapping in any of the shapes that the command reads: EVTX-as-JSON, Winlogbeat, or flat with
        `Channel` and `EventID`. One that can't be read is left out and told in `problems`.

        Numbers that are none (NaN, infinity) are read as null.

        Raises:
            TypeError: an event holds something that JSON has no word for, holds itself, or is nested deeper than Python
                can follow. What came before it is given first, as it is where `events` raises.
        """
        source, ledger, start = iter(events), Ledger(), 0
        failed: Exception | None = None
        while failed is None:
            chunk: list[Mapping[str, Any]] = []
            raws: list[bytes] = []
            try:
                for event in islice(source, CHUNK):
                    raws.append(_written(event))
                    chunk.append(event)
            except Exception as error:  # noqa: BLE001 - raised again below
                failed = error
            if not chunk:
                break
            for number, said in self._numbered(raws[: len(chunk)], ledger, start):
                yield _tagged(chunk[number], said)
            start += len(chunk)
        if failed is not None:
            raise failed

    def tag_arrow(self, batch: pa.RecordBatch | pa.Table) -> pa.Table:
        """Tags the rows of an Arrow batch or table; columns are fields, null means absent.

        Columns of any type are read: see `pipeline.arrow_rows` for what times, durations, decimals and bytes become.

        Returns:
            The table with `event_uid`, `entry` (text), `tags` (list of text) and `undertag` (JSON text) added; null for
            rows that can't be read.
        """
        import pyarrow as pa

        from undertag.pipeline.arrow_rows import row_json, rows_of

        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        rows = rows_of(table)
        found: list[TaggedEvent | None] = [None] * len(rows)
        ledger = Ledger()
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            for number, said in self._numbered(list(map(row_json, chunk)), ledger, start):
                found[start + number] = _tagged(chunk[number], said)
        columns = {
            "event_uid": pa.array([event and event.uid for event in found], pa.string()),
            "entry": pa.array([event and event.entry for event in found], pa.string()),
            "tags": pa.array([event and list(event.tags) for event in found], pa.list_(pa.string())),
            "undertag": pa.array(
                [event and orjson.dumps(event.details).decode() for event in found], pa.string()
            ),
        }
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table

    def _numbered(self, raws: list[bytes], ledger: Ledger, start: int) -> list[tuple[int, dict[str, Any]]]:
        """What is known of each event that could be read, with its number among `raws`; `start` came before them.

        One thread at a time: the engine remembers, and what it works on lies in `_held`.
        """
        with self._lock:
            self._held = Records(raws=raws)
            outcome = self._way.go((Unit(source="<python>", source_no=0, format="jsonl"),))
            self.problems.extend(_counted_on(problem, start) for problem in outcome.tally.problems)
        lines: Lines = outcome.rendered  # type: ignore[assignment]
        lines.rename(ledger.settle(outcome.sources, outcome.uids, outcome.numbers, 0)[1])
        return [(number, orjson.loads(b"".join(lines[number]))["undertag"]) for number in sorted(lines)]


def _tagged(event: Mapping[str, Any], said: dict[str, Any]) -> TaggedEvent:
    return TaggedEvent(
        event=event,
        uid=said["event_uid"],
        time=said["time"],
        system=said["system"],
        entry=said["entry"],
        tags=tuple(tag["tag"] for tag in said["tags"]),
        details=said,
    )


def _written(event: Mapping[str, Any]) -> bytes:
    """An event as JSON, as the command would read it.

    Raises:
        TypeError: JSON can't say it.
    """
    try:
        return orjson.dumps(event, default=_plain, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # whole numbers beyond 64 bits, half surrogate pairs, very deep ones
        pass
    try:
        text = _dumped(event)
        if "NaN" in text or "Infinity" in text:  # words that JSON hasn't: null, as orjson writes them
            text = _dumped(json.loads(text, parse_constant=lambda _: None))
    except (
        ValueError,
        RecursionError,
    ) as error:  # circular, too deep, or a whole number of thousands of digits
        raise TypeError(f"Event is not JSON serializable: {error}") from error
    return text.encode(errors="backslashreplace")  # half a pair: a JSON escape, told as damaged


def _dumped(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    """Something that a JSON library doesn't know, in words that it does; `json` doesn't know all that orjson does (times).

    Raises:
        TypeError: neither knows it.
    """
    if isinstance(value, Mapping):
        return dict(value)
    return orjson.loads(orjson.dumps(value))


def _counted_on(problem: Problem, start: int) -> Problem:
    """A problem whose record is counted from the first event of the call."""
    place = problem.place
    if not start or place is None or place.record is None:
        return problem
    return replace(problem, place=replace(place, record=place.record + start))
