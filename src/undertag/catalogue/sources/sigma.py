"""Sigma's log sources: which entries serve each, under which field names.

Contract: `compile_sigma` joins the routing table of Windows, `sigma.yml` and what entries say themselves into one list of servings. A log
source that SigmaHQ uses and that no entry serves is a problem (UT312).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from undertag.catalogue.sources import schema
from undertag.catalogue.sources.compiling import ranges
from undertag.catalogue.sources.selectors import Selection
from undertag.catalogue.sources.strict_yaml import read_strict
from undertag.catalogue.windows import slug
from undertag.model.problem import CatalogueError, Place, Problem

NAME: Final = "sigma.yml"
ROUTING: Final = "windows-routing.yml"
Triple = tuple[str | None, str | None, str | None]


class Serving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries that serve a log source alike."""

    entries: list[str | dict[str, str]]
    rename: dict[str, str] = {}
    lost: list[str] = []
    where: dict[str, list[str]] = {}


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


def compile_sigma(root: Path, selection: Selection) -> tuple[dict[str, Any], list[Problem]]:
    """Servings and notes as stored, and what is wrong."""
    try:
        document = read_strict((root / NAME).read_bytes(), NAME)
        file = schema.convert(document, SigmaFile)
        routing = _routing(root)
    except (CatalogueError, OSError, msgspec.ValidationError) as error:
        problem = error.problem if isinstance(error, CatalogueError) else None
        return {"servings": [], "notes": {}, "sigmahq": []}, [
            problem or Problem(code="UT302", message=str(error), place=Place(source=NAME))
        ]
    problems: list[Problem] = []
    servings = [*_windows(routing, selection), *_others(file, selection, problems), *_own(selection)]
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


def _routing(root: Path) -> dict[str, Any]:
    import yaml

    document: dict[str, Any] = yaml.load(
        (root / ROUTING).read_bytes(),
        Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506
    )
    return document


def _windows(routing: Mapping[str, Any], selection: Selection) -> Iterator[dict[str, Any]]:
    services: dict[str, list[str]] = {}
    for service, channels in routing["services"].items():
        for channel in channels:
            services.setdefault(channel.lower(), []).append(service)
        found = {n for channel in channels for n in selection.numbers(f"windows/{slug(channel)}/**")}
        yield _serving(("windows", None, service), sorted(found))
    for row in routing["categories"]:
        place = row.get("channel", row.get("provider"))
        wanted = ",".join(str(number) for number in row["ids"])
        numbers = selection.numbers(f"windows/{slug(place)}/{{{wanted}}}") or selection.numbers(
            f"windows/{slug(place)}-*/{{{wanted}}}"
        )
        made = {
            name: "+".join(how["join"]) if "join" in how else how.get("map") or "+".join(how["registry"])
            for name, how in row.get("derive", {}).items()
        }
        for name in services.get(row.get("channel", "").lower(), [None]):
            yield _serving(
                ("windows", row["category"], name),
                numbers,
                rename=row.get("rename"),
                where=row.get("where"),
                derive=made,
            )
    linux = routing.get("linux_sysmon", {})
    for category, ids in linux.get("categories", {}).items():
        wanted = ",".join(map(str, ids))
        yield _serving(("linux", category, "sysmon"), selection.numbers(f"linux/sysmon/{{{wanted}}}"))


def _others(file: SigmaFile, selection: Selection, problems: list[Problem]) -> Iterator[dict[str, Any]]:
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
                    rename=serving.rename,
                    lost=serving.lost,
                    where=serving.where,
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
