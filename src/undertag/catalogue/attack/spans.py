"""Finds ATT&CK tags in a YAML text, each with the place of its characters.

Contract: the text is only looked at; nothing is built from it, so aliases can't blow up and layout plays no
part. A span covers the tag itself, without quotes, anchor or comment; `text[start:end]` is the tag. In a
Sigma rule tags are the items of `tags:` and what stands whole under `undertag:`; in any other document
(settings) every scalar that is an ATT&CK tag as a whole counts, keys included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import yaml

from undertag.model.problem import Place, Problem, RuleError

MAX_DEPTH: Final = 100
_RULE_KEYS: Final = frozenset({"detection", "correlation", "filter", "logsource"})
_TAG = re.compile(r"attack\.[a-z0-9][a-z0-9._/-]*", re.IGNORECASE)
_SETTINGS_TAG = re.compile(
    r"attack\.(?:(?:ta|t|s|g|ds|dc|c)\d{4}(?:[./]\d{3})?|[a-z]+(?:[-_][a-z]+)*)", re.IGNORECASE
)
_MENTION = re.compile(r"(?<![\w./-])attack\.[a-z0-9][a-z0-9._/-]*", re.IGNORECASE)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Setting = Literal["block", "flow", "value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSpan:
    """One tag: its text, where it stands (characters from 0, line from 1), and in what."""

    tag: str
    start: int
    end: int
    line: int
    quote: str
    """`'`, `"` or nothing."""
    setting: Setting
    """`block` or `flow`: item of a list so written; `value`: anything else, such as a mapping's key."""
    in_tags: bool
    """Whether it is an item of a `tags` list, where the same tag must not stand twice."""


@dataclass(slots=True)
class Document:
    """The tags of one YAML document."""

    spans: list[TagSpan] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    kind: Literal["map", "seq"]
    flow: bool
    path: tuple[str, ...]
    key: str | None = None
    at_key: bool = True


def mentioned_tags(text: str) -> set[str]:
    """All texts that could be tags: a cheap look before `find_tags`, which finds fewer but never others."""
    return {match.rstrip(".") for match in _MENTION.findall(text)}


def find_tags(text: str, source: str) -> list[Document]:
    """The ATT&CK tags of each document of a YAML text.

    Args:
        text: without byte order mark.
        source: display name for errors.

    Raises:
        RuleError: UT354, the text is no YAML, or nested deeper than `MAX_DEPTH`.
    """
    try:
        return _walk(text, source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        reason = getattr(error, "problem", None) or str(error)
        raise RuleError(
            Problem(
                code="UT354",
                message=f"the file is no YAML: {reason}",
                place=Place(source=source, line=line),
                hint="mend it first; it was left as it is",
            )
        ) from error


def events(text: str) -> Iterator[tuple[str, str | None]]:
    """The text's YAML events as (kind, value): what must stay the same when tags are rewritten."""
    for event in yaml.parse(text, Loader=_LOADER):
        yield type(event).__name__, getattr(event, "value", None)


def _walk(text: str, source: str) -> list[Document]:
    documents: list[Document] = []
    found: list[tuple[TagSpan, tuple[str, ...]]] = []
    keys: set[str] = set()
    stack: list[_Frame] = []
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            found, keys = [], set()
        elif isinstance(event, yaml.DocumentEndEvent):
            documents.append(_document(found, is_rule=bool(keys & _RULE_KEYS)))
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            _check_depth(stack, event, source)
            kind: Literal["map", "seq"] = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
            path = _enter(stack)
            stack.append(_Frame(kind=kind, flow=bool(event.flow_style), path=path))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            stack.pop()
            _leave(stack)
        elif isinstance(event, yaml.ScalarEvent):
            path = _enter(stack)
            if len(stack) == 1 and stack[0].at_key and stack[0].kind == "map":
                keys.add(event.value)
            span = _span(text, event, stack, path)
            if span is not None:
                found.append((span, path))
            _leave(stack, event.value)
        elif isinstance(event, yaml.AliasEvent):
            _leave(stack, "")
    return documents


def _check_depth(stack: list[_Frame], event: yaml.Event, source: str) -> None:
    if len(stack) >= MAX_DEPTH:
        raise RuleError(
            Problem(
                code="UT354",
                message=f"the file is nested deeper than {MAX_DEPTH} levels",
                place=Place(source=source, line=event.start_mark.line + 1 if event.start_mark else None),
            )
        )


def _enter(stack: list[_Frame]) -> tuple[str, ...]:
    """The path of the node that begins now."""
    if not stack:
        return ()
    top = stack[-1]
    if top.kind == "seq":
        return (*top.path, "[]")
    return (*top.path, "{}" if top.at_key else top.key or "")


def _leave(stack: list[_Frame], scalar: str | None = None) -> None:
    """A node has ended: a key is followed by its value, a value by a key."""
    if stack and stack[-1].kind == "map":
        top = stack[-1]
        if top.at_key:
            top.key = scalar
        top.at_key = not top.at_key


def _span(text: str, event: yaml.ScalarEvent, stack: list[_Frame], path: tuple[str, ...]) -> TagSpan | None:
    tag: str = event.value
    if not _TAG.fullmatch(tag) or event.start_mark is None or event.end_mark is None:
        return None
    quote = event.style if event.style in ("'", '"') else ""
    end = event.end_mark.index
    if quote and text[end - 1 : end] == quote:
        end -= 1
    start = end - len(tag)
    if text[start:end] != tag or (quote and text[start - 1] != quote):
        return None
    setting: Setting = "value"
    if stack and stack[-1].kind == "seq":
        setting = "flow" if stack[-1].flow else "block"
    return TagSpan(
        tag=tag,
        start=start,
        end=end,
        line=event.start_mark.line + 1,
        quote=quote,
        setting=setting,
        in_tags=path[-2:] == ("tags", "[]"),
    )


def _document(found: list[tuple[TagSpan, tuple[str, ...]]], *, is_rule: bool) -> Document:
    spans = []
    for span, path in found:
        in_rule_tags = path in (("tags", "[]"), ("tags",))
        under_ours = path[:1] == ("undertag",) and _SETTINGS_TAG.fullmatch(span.tag) is not None
        elsewhere = not is_rule and _SETTINGS_TAG.fullmatch(span.tag) is not None
        if in_rule_tags or under_ours or elsewhere:
            spans.append(span)
    return Document(spans=spans)
