"""undertag from Python: rules in, tagged events out.

Contract: the same events get the same tags as from the command line. Nothing is written and no process is started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from typing import TYPE_CHECKING, Any, Final

import orjson

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.engine import Engine
from undertag.match.sigma.cache import load_rules_cached
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

    Attributes:
        problems: what was damaged so far.
    """

    def __init__(
        self, rules: Iterable[Rule] | None = None, *, pack: bool = True, settings: TagSettings | None = None
    ) -> None:
        """`rules`: loaded rules; `pack`: whether undertag's own come with them."""
        own = load_pack().rules if pack else []
        taken = {rule.id for rule in own}
        others = {rule.id: rule for rule in rules or () if rule.id not in taken}
        self.rules = sorted([*own, *others.values()], key=lambda rule: (not rule.pack, rule.id))
        self.problems: list[Problem] = []
        settings = settings or TagSettings(signature_names=pack)
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

        Raises:
            TypeError: an event holds something that JSON has no word for.
        """
        source, ledger = iter(events), Ledger()
        while chunk := list(islice(source, CHUNK)):
            for _, event in self._numbered(chunk, ledger):
                yield event

    def tag_arrow(self, batch: pa.RecordBatch | pa.Table) -> pa.Table:
        """Tags the rows of an Arrow batch or table; columns are fields, null means absent.

        Returns:
            The table with `event_uid`, `entry` (text), `tags` (list of text) and `undertag` (JSON text) added; null for
            rows that can't be read.
        """
        import pyarrow as pa

        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        rows = [
            {name: value for name, value in row.items() if value is not None} for row in table.to_pylist()
        ]
        found: list[TaggedEvent | None] = [None] * len(rows)
        ledger = Ledger()
        for start in range(0, len(rows), CHUNK):
            for index, event in self._numbered(rows[start : start + CHUNK], ledger):
                found[start + index] = event
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

    def _numbered(
        self, chunk: Sequence[Mapping[str, Any]], ledger: Ledger
    ) -> Iterator[tuple[int, TaggedEvent]]:
        raws = [orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS) for event in chunk]
        self._held = Records(raws=raws)
        outcome = self._way.go((Unit(source="<python>", source_no=0, format="jsonl"),))
        self.problems.extend(outcome.tally.problems)
        lines: Lines = outcome.rendered  # type: ignore[assignment]
        lines.rename(ledger.settle(outcome.sources, outcome.uids, outcome.numbers, 0)[1])
        for number in sorted(lines):
            said = orjson.loads(b"".join(lines[number]))["undertag"]
            yield (
                number,
                TaggedEvent(
                    event=chunk[number],
                    uid=said["event_uid"],
                    time=said["time"],
                    system=said["system"],
                    entry=said["entry"],
                    tags=tuple(tag["tag"] for tag in said["tags"]),
                    details=said,
                ),
            )
