"""Whether what the files point to exists: prerequisites, other entries, ATT&CK objects, declared sources.

Contract: pure functions from what was read to `Problem`s; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from undertag.catalogue.sources.derived import DerivedTable
from undertag.catalogue.sources.files import Read, SourceFile
from undertag.catalogue.sources.needs import need_ids
from undertag.catalogue.windows import event_key
from undertag.model.problem import Place, Problem

REQUIRED: Final = ("platform", "product", "default", "volume", "cost", "difficulty", "sources")
"""What every curated entry must say, be it `unknown`."""


def merged(file: SourceFile, entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry with what it inherits from its file."""
    return {**file.defaults, **{name: value for name, value in entry.items() if value is not None}}


def duplicate_keys(read: Read) -> Iterator[Problem]:
    """Keys that two files have, or that differ only in case."""
    seen: dict[str, tuple[str, str]] = {}
    for file, key, _ in read.entries():
        folded = key.lower()
        other = seen.setdefault(folded, (key, file.name))
        if other != (key, file.name):
            yield Problem(
                code="UT304",
                message=f"{key}: {other[1]} has {other[0]} already",
                place=file.place(key),
                hint="one key, one entry",
            )


def duplicate_rows(tables: Iterable[DerivedTable]) -> Iterator[Problem]:
    """Keys that two derived tables have."""
    seen: dict[str, str] = {}
    for table in tables:
        for key in table.rows:
            other = seen.setdefault(key, table.name)
            if other != table.name:
                yield Problem(
                    code="UT304",
                    message=f"{key}: derived/{other}.tsv has it already",
                    place=Place(source=f"derived/{table.name}.tsv"),
                    hint="one key, one row",
                )


def unsaid(file: SourceFile, key: str, facts: Mapping[str, Any], names: Iterable[str]) -> Iterator[Problem]:
    """Attributes of which an entry must say something, be it `unknown`, and doesn't."""
    for name in names:
        if facts.get(name) in (None, "", []):
            yield Problem(
                code="UT309",
                message=f"{key} says nothing of {name}",
                place=file.place(key),
                hint=f"in the entry or the file's defaults; `{name}: unknown` where it isn't known",
            )


def missing_facts(read: Read) -> Iterator[Problem]:
    """Entries that say nothing of an attribute, name a source that isn't declared, or stand under a wrong key."""
    for file, key, entry in read.entries():
        facts = merged(file, entry)
        yield from unsaid(file, key, facts, REQUIRED)
        for name in sorted(cited_sources(facts) - file.sources.keys()):
            yield Problem(
                code="UT309", message=f"{key}: the source {name!r} is not declared", place=file.place(key)
            )
        if facts.get("platform") and key.partition("/")[0] != facts["platform"]:
            yield Problem(
                code="UT303", message=f"{key}: its platform is {facts['platform']}", place=file.place(key)
            )
        expected = windows_key(facts, key)
        if expected is not None and expected != key:
            yield Problem(
                code="UT316",
                message=f"{key}: events of this channel and provider have the key {expected}",
                place=file.place(key),
            )


def windows_key(facts: Mapping[str, Any], key: str) -> str | None:
    """The key that events of the entry get from their channel and provider; None where the rule doesn't apply."""
    name = key.rpartition("/")[2]
    channel = facts.get("channel")
    if facts.get("platform") != "windows" or not channel or not name.isdigit():
        return None
    return event_key(channel, facts.get("provider") or "", int(name))


def cited_sources(facts: Mapping[str, Any]) -> set[str]:
    """Ids of all sources that an entry's facts name."""
    found = set(facts.get("sources") or ())
    for value in (facts.get("volume"), facts.get("cost"), *_items(facts.get("default"))):
        if isinstance(value, dict) and value.get("source"):
            found.add(value["source"])
    return found


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()


def dangling(read: Read, prerequisites: Read, keys: Collection[str]) -> Iterator[Problem]:
    """Needs and relations that lead nowhere, and sources of prerequisites that aren't declared."""
    known = {key for _, key, _ in prerequisites.entries()}
    for file, key, entry in read.entries():
        facts = merged(file, entry)
        for need in need_ids(facts.get("needs")):
            if need not in known:
                yield Problem(
                    code="UT306", message=f"{key} needs {need}, which no file defines", place=file.place(key)
                )
        for relation in facts.get("relations") or ():
            if relation["to"] not in keys:
                yield Problem(
                    code="UT305",
                    message=f"{key} {relation['kind']} {relation['to']}, which is no entry",
                    place=file.place(key),
                )
            elif relation["to"] == key:
                yield Problem(code="UT305", message=f"{key} relates to itself", place=file.place(key))
    for file, key, entry in prerequisites.entries():
        for need in entry.get("needs", ()):
            if need not in known:
                yield Problem(
                    code="UT306", message=f"{key} needs {need}, which no file defines", place=file.place(key)
                )
        if entry.get("source") and entry["source"] not in file.sources:
            yield Problem(
                code="UT309",
                message=f"{key}: the source {entry['source']!r} is not declared",
                place=file.place(key),
            )


def cycles(prerequisites: Read) -> Iterator[Problem]:
    """Prerequisites that need themselves, by whatever way."""
    needs = {key: list(entry.get("needs", ())) for _, key, entry in prerequisites.entries()}
    places: dict[str, Place] = {key: file.place(key) for file, key, _ in prerequisites.entries()}
    done: set[str] = set()
    for start in needs:
        way: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            key, position = stack.pop()
            if position == 0:
                if key in done or key not in needs:
                    continue
                if key in way:
                    loop = [*way[way.index(key) :], key]
                    yield Problem(
                        code="UT307", message=f"needs go in a circle: {' → '.join(loop)}", place=places[key]
                    )
                    continue
                way.append(key)
            if position < len(needs[key]):
                stack.append((key, position + 1))
                stack.append((needs[key][position], 0))
            else:
                way.pop()
                done.add(key)


def attack_links(read: Read) -> Iterator[Problem]:
    """Components, data sources of October 2019 and techniques that ATT&CK doesn't have."""
    from undertag.catalogue.attack import DEFAULT_VERSION, load_release
    from undertag.catalogue.sources.attack_names import data_sources

    components, techniques = load_release("18.1"), load_release(DEFAULT_VERSION)
    names = data_sources("6.0").keys()
    for file, key, entry in read.entries():
        links = merged(file, entry).get("attack")
        if not isinstance(links, dict):
            continue
        wrong = [
            *(f"component {i}" for i in links.get("components", ()) if components.object(i) is None),
            *(f"data source {n!r}" for n in links.get("data_sources_2019", ()) if n not in names),
            *(f"technique {i}" for i in links.get("techniques", ()) if techniques.technique(i) is None),
        ]
        for what in wrong:
            yield Problem(code="UT308", message=f"{key}: ATT&CK has no {what}", place=file.place(key))
