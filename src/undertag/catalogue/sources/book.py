"""The anti-virus book's own checks: what every event type and every product must say.

Contract: pure functions from what was read to `Problem`s. An event type that rests on one person's knowledge alone is no entry:
it is told in its product's book under `unconfirmed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from undertag.catalogue.sources.files import Read, SourceFile
from undertag.catalogue.sources.links import merged, unsaid
from undertag.model.problem import Place, Problem

PLATFORM: Final = "antivirus"
REQUIRED: Final = ("delivery", "form", "category", "outcome", "fidelity", "fields")
CHAPTERS: Final = ("where", "switch_on", "worth", "never")
"""What a product's book must have something under."""
_SAID: Final = (*CHAPTERS, "traps", "naming", "disagreements")


def book_problems(curated: Read) -> Iterator[Problem]:
    """All that is wrong with the files of anti-virus products."""
    for file in curated.files:
        if str(file.defaults.get("prefix", "")).partition("/")[0] != PLATFORM:
            if file.book:
                yield Problem(
                    code="UT302", message="a book outside antivirus/", place=Place(source=file.name)
                )
            continue
        yield from _of_product(file)
        for key, entry in file.entries.items():
            yield from _of_event(file, key, merged(file, entry))


def targets(file: SourceFile) -> dict[str, str]:
    """The keys of a product's entries by what `recognise` may call them: their name under the prefix, or the event they are."""
    prefix = str(file.defaults.get("prefix", "")).rstrip("/")
    found = {str(entry.get("event", key.rpartition("/")[2])): key for key, entry in file.entries.items()}
    found.update({key.removeprefix(f"{prefix}/"): key for key in file.entries})
    return found


def _of_product(file: SourceFile) -> Iterator[Problem]:
    if not file.book:
        yield Problem(code="UT309", message="the product has no book", place=Place(source=file.name))
        return
    for chapter in CHAPTERS:
        if not file.book.get(chapter):
            yield Problem(
                code="UT309", message=f"the book says nothing under {chapter}", place=Place(source=file.name)
            )
    for chapter in _SAID:
        for said in file.book.get(chapter, ()):
            if not said["sources"]:
                yield Problem(
                    code="UT309",
                    message=f"book.{chapter}: a statement names no source",
                    place=Place(source=file.name),
                )
            for source in said["sources"]:
                if source not in file.sources:
                    yield Problem(
                        code="UT309",
                        message=f"book.{chapter}: the source {source!r} is not declared",
                        place=Place(source=file.name),
                    )
    known = targets(file)
    for rule in file.book.get("recognise", ()):
        if not rule.get("event") and not rule.get("events"):
            yield Problem(
                code="UT302",
                message="book.recognise leads nowhere",
                place=Place(source=file.name),
                hint="name the field with the type of event under `event`, or the entries under `events`",
            )
        for target in rule.get("events", {}).values():
            if target not in known:
                yield Problem(
                    code="UT305",
                    message=f"book.recognise leads to {target}, which is no entry",
                    place=Place(source=file.name),
                )


def _of_event(file: SourceFile, key: str, facts: Mapping[str, Any]) -> Iterator[Problem]:
    yield from unsaid(file, key, facts, REQUIRED)
    kinds = {file.sources[name]["kind"] for name in facts.get("sources") or () if name in file.sources}
    if kinds <= {"knowledge"}:
        yield Problem(
            code="UT320",
            message=f"{key} rests on knowledge alone",
            place=file.place(key),
            hint="name a second source, or tell it in the book under `unconfirmed`",
        )
    fidelity, reads = facts.get("fidelity"), facts.get("reads")
    cited = fidelity.get("source") if isinstance(fidelity, Mapping) else None
    if cited and cited not in file.sources:
        yield Problem(
            code="UT309", message=f"{key}: the source {cited!r} is not declared", place=file.place(key)
        )
    fields = facts.get("fields")
    for role, path in (reads or {}).items():
        if isinstance(fields, list) and not any(_is_within(path, name) for name in fields):
            yield Problem(
                code="UT309",
                message=f"{key}: reads.{role} names {path}, which is none of its fields",
                place=file.place(key),
            )


def _is_within(path: str, field: str) -> bool:
    """Whether one of two paths is the other or begins with it: fields may list an object whole, or its parts only."""
    return path == field or path.startswith(f"{field}.") or field.startswith(f"{path}.")
