"""A Sigma document → a `Rule`: who it is, where it applies, what its selections and condition mean.

Contract: what the engine needs (title, id, log source, detection) is checked strictly and its absence rejects
the rule; what only describes (level, status, tags, …) is left out with a warning where it is malformed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any, Final, cast, get_args
from uuid import UUID

import orjson
from sigma.exceptions import SigmaLogsourceError
from sigma.rule import SigmaLogSource

from undertag.match.sigma.codes import Rejected
from undertag.match.sigma.condition import convert_condition
from undertag.match.sigma.detection import Placeholders, Selection, convert
from undertag.match.sigma.documents import Mapped
from undertag.match.sigma.trees import any_of
from undertag.model.expr import Expr
from undertag.model.rule import Level, LogSource, Rule

LEVELS: Final = frozenset(get_args(Level))
_MAX_TITLE: Final = 256  # the specification's limit
_MAX_BITS: Final = 63


@dataclass(frozen=True, slots=True)
class Converted:
    """A rule, and what else the loader needs to know of it."""

    rule: Rule
    name: str | None
    """Sigma's `name`, by which filters and correlations may refer to it."""
    line: int
    id_line: int
    warnings: tuple[tuple[str, int], ...]


def convert_rule(document: Mapped, *, file: str, pack: bool, placeholders: Placeholders) -> Converted:
    """Convert a rule's document.

    Raises:
        Rejected: the rule can't be loaded.
    """
    warnings: list[tuple[str, int]] = []
    digest = document_hash(document)
    title = title_of(document)
    identity = id_of(document) or f"sha256:{digest}"
    rule = Rule(
        id=identity,
        title=title,
        logsource=logsource_of(document),
        condition=_condition(document, placeholders),
        level=_level(document, warnings),
        status=_text(document, "status", warnings).lower(),
        tags=_texts(document, "tags", warnings),
        hash=digest,
        file=file,
        pack=pack,
        falsepositives=_texts(document, "falsepositives", warnings),
        custom=_custom(document, warnings),
    )
    name = document.get("name")
    return Converted(
        rule, name if isinstance(name, str) else None, document.line, document.line_of("id"), tuple(warnings)
    )


def document_hash(document: Mapping[Any, Any]) -> str:
    """SHA-256 of the document as canonical JSON (keys sorted), first 16 hex digits."""
    try:
        data = orjson.dumps(document, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except TypeError:  # an integer beyond 64 bits, which orjson has no place for
        data = json.dumps(plain(document), sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()[:16]


def title_of(document: Mapped) -> str:
    """The title, which every kind of document needs."""
    title = document.get("title")
    if not isinstance(title, str) or not title.strip():
        raise Rejected("UT206", "no title", hint="add `title:`", line=document.line_of("title"))
    if len(title) > _MAX_TITLE:
        message = f"title of {len(title)} characters; at most {_MAX_TITLE}"
        raise Rejected("UT206", message, hint="shorten the title", line=document.line_of("title"))
    return title


def id_of(document: Mapped) -> str | None:
    """The id as a UUID in lower case; None if there is none."""
    identity = document.get("id")
    if identity is None:
        return None
    try:
        return str(UUID(identity if isinstance(identity, str) else ""))
    except ValueError as error:
        hint = "give a random UUID, or leave the id out"
        raise Rejected(
            "UT207", f"id '{identity}' is no UUID", hint=hint, line=document.line_of("id")
        ) from error


def logsource_of(document: Mapped) -> LogSource:
    """The log source, which must name at least one of product, category and service."""
    line = document.line_of("logsource")
    hint = "give at least one of product, category, service"
    logsource = document.get("logsource")
    if not isinstance(logsource, Mapping):
        raise Rejected(
            "UT206", "no log source" if logsource is None else "log source is no map", hint=hint, line=line
        )
    for part in ("product", "category", "service"):
        if logsource.get(part) is not None and not (isinstance(logsource[part], str) and logsource[part]):
            raise Rejected("UT206", f"log source {part} is no text", hint=hint, line=line)
    try:
        parsed = SigmaLogSource.from_dict(cast(dict[str, str], logsource))
    except SigmaLogsourceError as error:
        raise Rejected("UT206", str(error.args[0]), hint=hint, line=line) from error
    return LogSource(product=parsed.product, category=parsed.category, service=parsed.service)


def selections_of(
    section: Mapped, skip: tuple[str, ...], label: str, placeholders: Placeholders
) -> dict[str, Expr]:
    """Convert all selections of a `detection:` or `filter:`; `label` goes before their names in evidence."""
    selections = {
        str(name): convert(definition, Selection(f"{label}{name}", section.line_of(name), placeholders))
        for name, definition in section.items()
        if name not in skip
    }
    if not selections:
        raise Rejected("UT215", "no selection", hint="add a selection", line=section.line)
    return selections


def _condition(document: Mapped, placeholders: Placeholders) -> Expr:
    section = document.get("detection")
    if not isinstance(section, Mapped):
        hint = "add `detection:` with a selection and a condition"
        raise Rejected("UT206", "no detection", hint=hint, line=document.line_of("detection"))
    line = section.line_of("condition")
    conditions = section.get("condition")
    listed = conditions if isinstance(conditions, list) else [conditions]
    if conditions is None or not listed:
        raise Rejected("UT206", "no condition", hint="add `condition: selection`", line=line)
    selections = selections_of(section, ("condition", "timeframe"), "", placeholders)
    return any_of(convert_condition(condition, selections, line) for condition in listed)


def _level(document: Mapped, warnings: list[tuple[str, int]]) -> Level:
    level = document.get("level")
    if level is None:
        return "medium"
    if isinstance(level, str) and level.lower() in LEVELS:
        return cast(Level, level.lower())
    warnings.append((f"level '{level}' is none of Sigma's; taken as medium", document.line_of("level")))
    return "medium"


def _text(document: Mapped, key: str, warnings: list[tuple[str, int]]) -> str:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    warnings.append((f"{key} is no text", document.line_of(key)))
    return ""


def _texts(document: Mapped, key: str, warnings: list[tuple[str, int]]) -> tuple[str, ...]:
    value = document.get(key)
    if value is None:
        return ()
    listed = value if isinstance(value, list) else [value]
    texts = tuple(item for item in listed if isinstance(item, str))
    if len(texts) != len(listed) or not isinstance(value, list):
        warnings.append((f"{key} is no list of texts", document.line_of(key)))
    return texts


def _custom(document: Mapped, warnings: list[tuple[str, int]]) -> dict[str, Any]:
    custom = document.get("undertag")
    if custom is None:
        return {}
    if not isinstance(custom, Mapping):
        warnings.append(("`undertag` is no mapping", document.line_of("undertag")))
        return {}
    return cast(dict[str, Any], plain(custom))


def plain(value: Any) -> Any:
    """A document's value as what JSON and msgpack can hold: text keys; dates and odd numbers as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return str(value) if isinstance(value, int) and value.bit_length() > _MAX_BITS else value
