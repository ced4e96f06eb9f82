"""What a run over the example found, once as a technique tagger would tell it and once as undertag does.

Contract: everything is counted from the written output and the truth about the example. A *technique tagger* is what
undertag would be if each link from a library to a technique were a claim: the same loads, each an alert. A load or a
claim is *real* if its event belongs to the attack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from undertag.apps.demo import truth_file
from undertag.model.tag import KINDS, STRENGTHS, TAGGING_STRENGTHS, kind_of

LIBRARY_TAGS: Final = ("obs.dll.powershell-automation", "obs.dll.smart-card-api")
_LEVELS: Final = ("informational", "low", "medium", "high", "critical")
_ACTORS: Final = ("ProcessGuid", "SourceProcessGUID")
_MIN_UID: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A tagged event of the output; `tags` and `rules` as in the `undertag` object, `real` the truth about it.

    `processes`: the GUIDs that Sysmon names as who did it; none in other logs.
    """

    uid: str
    time: datetime
    system: str
    tags: Sequence[Mapping[str, Any]]
    rules: Sequence[Mapping[str, Any]]
    real: bool
    processes: frozenset[str]

    @property
    def names(self) -> list[str]:
        """Names of its tags."""
        return [tag["tag"] for tag in self.tags]

    @property
    def techniques(self) -> list[str]:
        """Techniques that are claimed, not only linked."""
        return [tag["technique"] for tag in self.tags if tag["kind"] == "attack" and "technique" in tag]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Loads of one library: how many, how many of them in the attack, and to which technique its tag is linked."""

    tag: str
    library: str
    technique: str
    name: str
    alerts: int
    real: int


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The claim to begin with: `tag` is what undertag says of it, `facts` the evidence, `uid` enough of its uid."""

    event: Event
    tag: Mapping[str, Any]
    facts: Sequence[Mapping[str, Any]]
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Both tales of one week.

    Attributes:
        loads: the technique tagger's alerts, by library.
        beside: the typed tags on the same loads, with counts; `titles` what each is called, without prefix.
        excused: how many of these loads have a mitigation; `claimed` of them a technique,
            `beside_claims` were made by a process that another event claims a technique of.
        claims: the events of the week on which undertag claims a technique, by time.
        attack_events: events of the attack; `attack_tagged` of them have a tag.
    """

    loads: Sequence[Load]
    beside: Mapping[str, int]
    titles: Mapping[str, str]
    excused: int
    claimed: int
    beside_claims: int
    real_beside_claims: int
    claims: Sequence[Event]
    first: First | None
    attack_events: int
    attack_tagged: int

    @property
    def alerts(self) -> int:
        """What a technique tagger would raise."""
        return sum(load.alerts for load in self.loads)

    @property
    def real_alerts(self) -> int:
        """How many of those belong to the attack."""
        return sum(load.real for load in self.loads)

    @property
    def real_claims(self) -> int:
        """How many of undertag's claims belong to the attack."""
        return sum(event.real for event in self.claims)


def find(out: Path) -> Findings:
    """Counts what stands in the output of a run over the example."""
    truth = _truth()
    events = list(_tagged(out, truth))
    on_libraries = [event for event in events if any(tag in LIBRARY_TAGS for tag in event.names)]
    claims = sorted(
        (event for event in events if event.techniques), key=lambda event: (event.time, event.uid)
    )
    suspects = frozenset[str]().union(*(event.processes for event in claims))
    by_suspects = [event for event in on_libraries if event.processes & suspects]
    beside = Counter(name for event in on_libraries for name in event.names)
    return Findings(
        loads=[load for tag in LIBRARY_TAGS if (load := _load(tag, on_libraries)) is not None],
        beside=dict(sorted(beside.items(), key=_by_kind)),
        titles={tag["tag"]: plain(tag["title"]) for event in on_libraries for tag in event.tags},
        excused=sum(any(kind_of(name) == "mit" for name in event.names) for event in on_libraries),
        claimed=sum(bool(event.techniques) for event in on_libraries),
        beside_claims=len(by_suspects),
        real_beside_claims=sum(event.real for event in by_suspects),
        claims=claims,
        first=_first(claims, [event.uid for event in events]),
        attack_events=sum(len(numbers) for numbers in truth.values()),
        attack_tagged=sum(event.real for event in events),
    )


def plain(title: str) -> str:
    """A tag's title without the organisation's prefix."""
    return title.partition(": ")[2] or title


def _by_kind(item: tuple[str, int]) -> tuple[int, int, str]:
    """What it is before what it may mean, then what is frequent."""
    name, count = item
    kind = kind_of(name)
    return KINDS.index(kind) if kind else len(KINDS), -count, name


def _truth() -> dict[tuple[str, str], frozenset[int]]:
    told = orjson.loads(truth_file().read_bytes())
    return {
        (system, channel): frozenset(numbers)
        for system, channels in told.items()
        for channel, numbers in channels.items()
    }


def _tagged(out: Path, truth: Mapping[tuple[str, str], frozenset[int]]) -> Iterator[Event]:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    from undertag.write.store.parquet import part_files

    some = pc.list_value_length(ds.field("tags")) > 0
    for row in ds.dataset(part_files(out), format="parquet").to_table(filter=some).to_pylist():
        record = orjson.loads(row["raw"])["Event"]
        header, data = record["System"], record.get("EventData") or {}
        place = (header["Computer"], header["Channel"])
        yield Event(
            uid=row["event_uid"],
            time=row["time"],
            system=row["system"],
            tags=orjson.loads(row["tag_details"]),
            rules=orjson.loads(row["rules"]),
            real=header["EventRecordID"] in truth.get(place, ()),
            processes=frozenset(data[field] for field in _ACTORS if field in data),
        )


def _load(name: str, events: Sequence[Event]) -> Load | None:
    """The loads of one library; None where there are none or where its tag has no link to misread."""
    mine = [event for event in events if name in event.names]
    said = next((tag for event in mine for tag in event.tags if tag["tag"] == name), None)
    if said is None or not said.get("relates"):
        return None
    files = Counter(
        str(fact["value"]).rpartition("\\")[2]
        for event in mine
        for rule in event.rules
        if rule["id"] in said["rules"]
        for fact in rule["evidence"]
    )
    link = said["relates"][0]
    return Load(
        tag=name,
        library=min(files, key=lambda file: (-files[file], file)),
        technique=link["technique"],
        name=link.get("name", ""),
        alerts=len(mine),
        real=sum(event.real for event in mine),
    )


def _first(claims: Sequence[Event], uids: Sequence[str]) -> First | None:
    """The strongest claim: by the strength of its link, the level of its rule, then by time."""
    ranked = [(_weight(event, tag), event, tag) for event in claims for tag in event.tags if _strength(tag)]
    if not ranked:
        return None
    _, event, tag = max(ranked, key=lambda one: one[0])  # of equals the first, so the earliest
    facts = [fact for rule in event.rules if rule["id"] in tag["rules"] for fact in rule["evidence"]]
    length = _MIN_UID
    while sum(uid.startswith(event.uid[:length]) for uid in uids) > 1:
        length += 1
    return First(event=event, tag=tag, facts=facts, uid=event.uid[:length])


def _strength(tag: Mapping[str, Any]) -> int:
    """How strong the strongest of its links is that may claim; 0 where none may."""
    strong = [link["strength"] for link in tag.get("relates", ()) if link["strength"] in TAGGING_STRENGTHS]
    return max((STRENGTHS.index(strength) for strength in strong), default=0)


def _weight(event: Event, tag: Mapping[str, Any]) -> tuple[int, int]:
    levels = [_LEVELS.index(rule["level"]) for rule in event.rules if rule["id"] in tag["rules"]]
    return max(levels, default=0), _strength(tag)
