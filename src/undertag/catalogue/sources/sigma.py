"""Sigma's log sources: which entries serve each, under which field names.

Contract: `compile_sigma` joins `sigma.yml`, what entries say themselves and what anti-virus events read into one list of servings. A log
source that SigmaHQ uses and that no entry serves is a problem (UT312). The engine routes events by the same servings (`catalogue.routes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.catalogue.sources import schema
from undertag.catalogue.sources.compiling import ranges
from undertag.catalogue.sources.record import SourceEntry
from undertag.catalogue.sources.selectors import Selection
from undertag.catalogue.sources.strict_yaml import read_strict
from undertag.model.problem import CatalogueError, Place, Problem

NAME: Final = "sigma.yml"
ANTIVIRUS: Final = "*/antivirus/*"
Triple = tuple[str | None, str | None, str | None]


class Derived(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a field is made that the entry doesn't have: one of `account`, `map`, `registry`, `registry_data`, `drive`.

    See `model.entry.Derivation`.
    """

    account: list[str] = []
    map: str = ""
    values: dict[str, str] = {}
    registry: list[str] = []
    registry_data: list[str] = []
    drive: str = ""

    def __post_init__(self) -> None:
        ways = (self.account, self.map, self.registry, self.registry_data, self.drive)
        if sum(map(bool, ways)) != 1:
            raise ValueError("a derived field has one of account, map, registry, registry_data and drive")
        if len(self.account) % 3:
            raise ValueError("an account is made from a SID, a domain and a name, or several such three")


class Serving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries that serve a log source alike; `entries` are patterns on keys, so that they say it of unknown events too."""

    entries: list[str]
    rename: dict[str, str] = {}
    lost: list[str] = []
    where: dict[str, list[str]] = {}
    derive: dict[str, Derived] = {}


class Served(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A log source as written."""

    serves: list[Serving] = []
    like: str = ""
    note: str = ""


class SigmaFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sigma.yml`: log sources, and the list of those that SigmaHQ has."""

    logsources: dict[str, Served]
    sigmahq: list[str]


def parse(text: str) -> Triple:
    """A log source from `product/category/service`, `*` for what isn't given.

    Raises:
        ValueError: it hasn't three parts.
    """
    product, category, service = (None if part in ("*", "") else part for part in text.split("/"))
    return product, category, service


def shown(triple: Iterable[str | None]) -> str:
    """The text of a log source."""
    return "/".join(part or "*" for part in triple)


def fits(wanted: Triple, have: Triple) -> bool:
    """Whether a rule for `wanted` applies to what serves `have`."""
    return all(want is None or want == part for want, part in zip(wanted, have, strict=True))


def compile_sigma(
    root: Path, selection: Selection, entries: Iterable[SourceEntry] = ()
) -> tuple[dict[str, Any], list[Problem]]:
    """Servings and notes as stored, and what is wrong."""
    try:
        document = read_strict((root / NAME).read_bytes(), NAME)
        file = schema.convert(document, SigmaFile)
    except (CatalogueError, OSError, msgspec.ValidationError) as error:
        problem = error.problem if isinstance(error, CatalogueError) else None
        return {"servings": [], "notes": {}, "sigmahq": []}, [
            problem or Problem(code="UT302", message=str(error), place=Place(source=NAME))
        ]
    problems: list[Problem] = []
    servings = [
        *_antivirus(entries, selection),
        *_written(file, selection, problems),
        *_own(selection),
    ]
    for text in file.sigmahq:
        if not any(fits(parse(text), parse(s["logsource"])) and s["ranges"] for s in servings):
            problems.append(
                Problem(
                    code="UT312",
                    message=f"no entry serves the log source {text}",
                    place=Place(source=NAME),
                    hint="add it to sigma.yml, or the entries that it means",
                )
            )
    notes = {text: served.note for text, served in file.logsources.items() if served.note}
    return {"servings": servings, "notes": notes, "sigmahq": file.sigmahq}, problems


def _serving(triple: Iterable[str | None], numbers: Iterable[int], **more: Any) -> dict[str, Any]:
    kept = {name: value for name, value in more.items() if value}
    return {"logsource": shown(triple), "ranges": ranges(numbers), **kept}


def _antivirus(entries: Iterable[SourceEntry], selection: Selection) -> Iterator[dict[str, Any]]:
    """Events that name a signature, alike ones together: what Sigma calls Signature and Filename, each product spells its own way."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for entry in entries:
        reads = entry.value("reads")
        if entry.platform == "antivirus" and isinstance(reads, Mapping) and reads.get("signature"):
            spelt = (reads["signature"], reads.get("file", ""), reads.get("action", ""))
            alike.setdefault(spelt, []).append(entry.key)
    for (signature, file, action), keys in alike.items():
        rename = {"Signature": signature, "Filename": file, "Action": action}
        yield _serving(
            parse(ANTIVIRUS),
            selection.all(keys),
            entries=keys,
            rename={name: field for name, field in rename.items() if field and name != field},
        )


def _written(file: SigmaFile, selection: Selection, problems: list[Problem]) -> Iterator[dict[str, Any]]:
    for text, served in file.logsources.items():
        place = Place(source=NAME)
        other = file.logsources.get(served.like)
        if served.like and (other is None or other.like):
            problems.append(
                Problem(code="UT312", message=f"{text}: there is no log source {served.like!r}", place=place)
            )
            continue
        try:
            triple = parse(text)
            for serving in other.serves if other else served.serves:
                yield _serving(
                    triple,
                    selection.all(serving.entries),
                    entries=serving.entries,
                    rename=serving.rename,
                    lost=serving.lost,
                    where=serving.where,
                    derive=msgspec.to_builtins(serving.derive),
                )
        except ValueError:
            problems.append(
                Problem(code="UT312", message=f"{text!r} is no product/category/service", place=place)
            )
        except CatalogueError as error:
            problems.append(Problem(code="UT312", message=f"{text}: {error.problem.message}", place=place))


def _own(selection: Selection) -> Iterator[dict[str, Any]]:
    for text in selection.values("sigma"):
        yield _serving(parse(text), selection.numbers({"sigma": text}))
