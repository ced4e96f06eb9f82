"""Finds ATT&CK tags in a YAML text, each with the place of its characters.

Contract: the text is only looked at; nothing is built from it, so aliases can't blow up and layout plays no
part. A span covers the tag itself, without quotes, anchor or comment; `text[start:end]` is the tag, unless the span
is `fixed`. In a Sigma rule tags are the items of `tags:` and what stands whole under `undertag:`; in any other
document (settings) every scalar that is an ATT&CK tag as a whole counts, keys included. The techniques of
`undertag: relates:` count by their bare ids; example events are data and never count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import yaml

from undertag.model.problem import Place, Problem, RuleError

MAX_DEPTH: Final = 100
MAX_ALIASED: Final = 1000
"""Tags that the aliases of a document stand for; those beyond aren't looked at."""
_RULE_KEYS: Final = frozenset({"detection", "correlation", "filter", "logsource"})
_TAG = re.compile(r"attack\.[a-z0-9][a-z0-9._/ -]*", re.IGNORECASE)
_SETTINGS_TAG = re.compile(
    r"attack\.(?:(?:ta|t|s|g|ds|dc|c)\d{4}(?:[./]\d{3})?|[a-z]+(?:[-_][a-z]+)*)", re.IGNORECASE
)
_MENTION = re.compile(r"(?<![\w./-])attack\.[a-z0-9][a-z0-9._/-]*", re.IGNORECASE)
_ID = re.compile(r"T\d{4}(?:\.\d{3})?", re.ASCII)
_MENTIONED_ID = re.compile(r"(?<![\w.])T\d{4}(?:\.\d{3})?(?!\w)", re.ASCII)
_RELATES: Final = ("undertag", "relates", "[]", "technique")
_ROOTS: Final = ((), ("[]",))
"""Where a rule's mapping stands: alone in its document, or in a list of rules."""
_EVENTS: Final = (("undertag", "examples"), ("undertag", "counterexamples"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Setting = Literal["block", "flow", "value", "fixed"]


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
    """`block` or `flow`: item of a list so written; `value`: anything else, such as a mapping's key; `fixed`: the tag
    doesn't stand there as it is (block scalar, escapes, alias), so it can't be rewritten; start and end are the node's start."""
    group: int
    """Number of the list in which the same tag must not stand twice (`tags`, `relates`); 0 for none."""
    target: int | None = None
    """Of an alias: where the tag that it names starts."""


@dataclass(slots=True)
class Document:
    """The tags of one YAML document."""

    spans: list[TagSpan] = field(default_factory=list)


@dataclass(slots=True)
class _Frame:
    kind: Literal["map", "seq"]
    flow: bool
    path: tuple[str, ...]
    number: int
    anchor: str | None
    first: int
    """How many texts were found before it."""
    key: str | None = None
    at_key: bool = True


def mentioned_tags(text: str) -> set[str]:
    """All texts that could be tags: a cheap look before `find_tags`, which finds fewer but never others."""
    found = {match.rstrip(".") for match in _MENTION.findall(text)}
    return found.union(_MENTIONED_ID.findall(text)) if "relates" in text else found


def is_technique_id(text: str) -> bool:
    """Whether a text is a technique's bare id (`T1059.001`)."""
    return _ID.fullmatch(text) is not None


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
    anchors: dict[str, list[tuple[TagSpan, tuple[str, ...]]]] = {}
    stack: list[_Frame] = []
    number = left = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.DocumentStartEvent):
            found, keys, anchors, left = [], set(), {}, MAX_ALIASED
        elif isinstance(event, yaml.DocumentEndEvent):
            documents.append(_document(found, keys))
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            _check_depth(stack, event, source)
            kind: Literal["map", "seq"] = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
            number += 1
            frame = _Frame(
                kind=kind,
                flow=bool(event.flow_style),
                path=_enter(stack),
                number=number,
                anchor=event.anchor,
                first=len(found),
            )
            stack.append(frame)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            frame = stack.pop()
            if frame.anchor is not None:
                inner = found[frame.first : frame.first + MAX_ALIASED]
                anchors[frame.anchor] = [(span, path[len(frame.path) :]) for span, path in inner]
            _leave(stack)
        elif isinstance(event, yaml.ScalarEvent):
            path = _enter(stack)
            if stack and stack[-1].at_key and stack[-1].kind == "map" and stack[-1].path in _ROOTS:
                keys.add(event.value)
            span = _span(text, event, stack, path)
            if span is not None:
                found.append((span, path))
            if event.anchor is not None:
                anchors[event.anchor] = [(span, ())] if span is not None else []
            _leave(stack, event.value)
        elif isinstance(event, yaml.AliasEvent):
            path = _enter(stack)
            meant = anchors.get(event.anchor or "", [])[:left]
            left -= len(meant)
            found += [_aliased(span, event, stack, (*path, *rest)) for span, rest in meant]
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
    tag: str = event.value.rstrip("\n") if event.style in ("|", ">") else event.value
    shape = _ID if tag[:1] == "T" and (path == _RELATES or event.anchor is not None) else _TAG
    if not shape.fullmatch(tag) or event.start_mark is None or event.end_mark is None:
        return None
    quote = event.style if event.style in ("'", '"') else ""
    end = event.end_mark.index
    if quote and text[end - 1 : end] == quote:
        end -= 1
    start = end - len(tag)
    setting: Setting = "value"
    if stack and stack[-1].kind == "seq":
        setting = "flow" if stack[-1].flow else "block"
    if event.style in ("|", ">") or text[start:end] != tag or (quote and text[start - 1] != quote):
        setting, quote = "fixed", ""
        start = end = event.start_mark.index
    return TagSpan(
        tag=tag,
        start=start,
        end=end,
        line=event.start_mark.line + 1,
        quote=quote,
        setting=setting,
        group=_group(stack, path),
    )


def _group(stack: list[_Frame], path: tuple[str, ...]) -> int:
    if path[-2:] == ("tags", "[]"):
        return stack[-1].number
    return stack[-2].number if path == _RELATES and len(stack) > 1 else 0


def _aliased(
    span: TagSpan, event: yaml.AliasEvent, stack: list[_Frame], path: tuple[str, ...]
) -> tuple[TagSpan, tuple[str, ...]]:
    """The tag that an alias stands for, as if it stood there."""
    target = span.start if span.setting != "fixed" else span.target
    start = event.start_mark.index if event.start_mark else 0
    line = event.start_mark.line + 1 if event.start_mark else span.line
    group = _group(stack, path) if stack else 0
    changed = replace(
        span, start=start, end=start, line=line, quote="", setting="fixed", group=group, target=target
    )
    return changed, path


def _document(found: list[tuple[TagSpan, tuple[str, ...]]], keys: set[str]) -> Document:
    """The texts that count as tags; an alias of one that counts itself changes with it."""
    is_rule = bool(keys & _RULE_KEYS)
    spans = [span for span, path in found if _counts(span, _merged(path, keys), is_rule=is_rule)]
    placed = {span.start for span in spans if span.setting != "fixed"}
    return Document(spans=[span for span in spans if span.target is None or span.target not in placed])


def _merged(path: tuple[str, ...], keys: set[str]) -> tuple[str, ...]:
    """The path that a text gets by a merge (`<<: *base`), unless the rule has a key of that name itself."""
    if path[:1] != ("<<",):
        return path
    rest = path[2:] if path[1:2] == ("[]",) else path[1:]
    return path if rest[:1] and rest[0] in keys else rest


def _counts(span: TagSpan, path: tuple[str, ...], *, is_rule: bool) -> bool:
    path = path[1:] if path[:1] == ("[]",) else path
    if path in (("tags", "[]"), ("tags",)):
        return True
    if path[:2] in _EVENTS:
        return False
    if path == _RELATES and is_technique_id(span.tag):
        return True
    return (not is_rule or path[:1] == ("undertag",)) and _SETTINGS_TAG.fullmatch(span.tag) is not None
