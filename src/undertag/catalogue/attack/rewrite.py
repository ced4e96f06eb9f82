"""Plans and applies the rewriting of ATT&CK tags in one text.

Contract: pure. Only the characters of tags change, and, where one tag becomes several or would stand twice,
the list item that holds it; comments, quotes, order, line endings and all else stay as they are. The result
is parsed again and compared with the original: if anything but the planned tags differs, nothing is changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from undertag.catalogue.attack.releases import load_release
from undertag.catalogue.attack.resolution import Resolution
from undertag.catalogue.attack.resolve import resolve_tag
from undertag.catalogue.attack.spans import (
    Document,
    TagSpan,
    events,
    find_tags,
    is_technique_id,
    mentioned_tags,
)
from undertag.model.problem import Place, Problem, RuleError

Deprecated = Literal["keep", "follow"]

_BLOCK_ITEM = re.compile(r"[ \t]*-[ \t]+")
_REST_BLANK = re.compile(r"[ \t]*(\r\n|\n|\r|\Z)")
_REST_COMMENT = re.compile(r"[ \t]+(?=#)")
_FLOW_AFTER = re.compile(r"[ \t]*,[ \t]*")
_FLOW_BEFORE = re.compile(r",[ \t]*\Z")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_BEFORE_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TagEdit:
    """One tag that becomes others; `to` is empty where the new tag stands in the list already."""

    line: int
    tag: str
    to: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A text with its tags rewritten, what was done, and what a person has to decide."""

    text: str
    edits: tuple[TagEdit, ...] = ()
    findings: tuple[Problem, ...] = ()


def needs_look(text: str, to: str) -> bool:
    """Whether any text in it that could be a tag is not simply current in release `to`."""
    return any(not _settled(tag, to) for tag in mentioned_tags(text))


def _settled(tag: str, to: str) -> bool:
    found = resolve_tag(tag, to)
    return found.state in ("current", "not-tracked") and _spelled(tag, found) == tag


def _spelled(tag: str, found: Resolution) -> str:
    """The tag as it should be spelled if its id stays: tactics with hyphens, the rest as it stands."""
    if found.kind == "tactic" and found.ids and not found.id.startswith("TA"):
        return tag[:7] + found.ids[0]
    return tag


def rewrite(text: str, to: str, source: str, deprecated: Deprecated = "keep") -> Rewritten:
    """Rewrites the tags of a Sigma rule file or settings file.

    Args:
        text: YAML without byte order mark, one or more documents.
        to: the ATT&CK release that tags shall be of.
        source: display name for findings.
        deprecated: `follow` replaces a deprecated technique by what ATT&CK names in its place.

    Raises:
        RuleError: UT354, the text is no YAML.
    """
    documents = find_tags(text, source)
    planner = _Planner(text, to, source, deprecated)
    for document in documents:
        planner.plan(document)
    result = planner.result()
    if result.text != text:
        _compare(text, result, source)
    return result


@dataclass(frozen=True, slots=True)
class _Change:
    start: int
    end: int
    new: str


class _Planner:
    def __init__(self, text: str, to: str, source: str, deprecated: Deprecated) -> None:
        self.text = text
        self.to = to
        self.release = load_release(to)
        self.source = source
        self.deprecated = deprecated
        self.changes: list[_Change] = []
        self.edits: list[TagEdit] = []
        self.findings: list[Problem] = []

    def result(self) -> Rewritten:
        parts, last = [], 0
        for change in sorted(self.changes, key=lambda change: change.start):
            parts += [self.text[last : change.start], change.new]
            last = change.end
        parts.append(self.text[last:])
        return Rewritten(text="".join(parts), edits=tuple(self.edits), findings=tuple(self.findings))

    def plan(self, document: Document) -> None:
        found = [resolve_tag(span.tag, self.to) for span in document.spans]
        tactics = self._tactics(found)
        wanted = [
            (span, *self._wanted(span, one, tactics)) for span, one in zip(document.spans, found, strict=True)
        ]
        kept = {(span.group, span.tag.lower()) for span, tags, _ in wanted if tags == (span.tag,)}
        for span, tags, reason in wanted:
            if tags == (span.tag,):
                continue
            if span.group:
                left = tuple(tag for tag in dict.fromkeys(tags) if (span.group, tag.lower()) not in kept)
                kept.update((span.group, tag.lower()) for tag in left)
                reason = reason if left else f"{reason}; {', '.join(tags)} stands there already"
                tags = left
            self._change(span, tags, reason)

    def _tactics(self, found: Iterable[Resolution]) -> frozenset[str]:
        """The tactics of all techniques that the document's tags lead to."""
        names: set[str] = set()
        for resolution in found:
            if resolution.kind == "technique" and resolution.state in ("current", "moved", "split"):
                for one in resolution.ids:
                    technique = self.release.technique(one)
                    names.update(technique.tactics if technique else ())
        return frozenset(names)

    def _wanted(
        self, span: TagSpan, found: Resolution, tactics: frozenset[str]
    ) -> tuple[tuple[str, ...], str]:
        """What a tag shall become, and why; the tag itself where it stays."""
        same = (span.tag,)
        if found.state in ("current", "not-tracked"):
            spelled = _spelled(span.tag, found)
            return ((spelled,), "spelling: tactics have hyphens") if spelled != span.tag else (same, "")
        if found.state == "unknown":
            near = ", ".join(_like(span.tag, one) for one in found.suggestions)
            hint = f"did you mean {near}?" if near else ""
            self._tell(span, "UT355", f"{span.tag} is in no known ATT&CK release", hint)
            return same, ""
        if found.state == "absent":
            hint = (
                f"nearest by its parent: {', '.join(found.suggestions)}" if found.suggestions else found.note
            )
            self._tell(span, "UT356", f"{span.tag} has no counterpart in ATT&CK {self.to}", hint)
            return same, ""
        new = tuple(_like(span.tag, one) for one in found.ids)
        if found.state == "deprecated":
            if self.deprecated == "follow" and new:
                return new, f"{found.id} is deprecated; ATT&CK names {', '.join(found.ids)}"
            said = f"{span.tag} is deprecated in ATT&CK {self.to}"
            self._tell(span, "UT357", said, f"ATT&CK {found.advice}")
            return same, ""
        if found.kind == "tactic" and found.state == "split":
            return self._split(span, found, tactics)
        if found.state == "split":
            self._tell(span, "UT358", f"{span.tag} became several", f"choose among {', '.join(found.ids)}")
            return same, ""
        return new, f"{' → '.join(found.chain)} (ATT&CK {found.hops[-1].by})"

    def _split(
        self, span: TagSpan, found: Resolution, tactics: frozenset[str]
    ) -> tuple[tuple[str, ...], str]:
        """A tactic that became several: those that the document's techniques are in, else all of them."""
        chosen = [one for one in found.ids if one in tactics]
        split = f"{found.id} was split in ATT&CK {found.hops[-1].by}"
        if chosen:
            tags = tuple(_like(span.tag, one) for one in chosen)
            return tags, f"{split}; the techniques here are in {', '.join(chosen)}"
        both = ", ".join(found.ids)
        hint = f"remove what doesn't fit of {both}"
        self._tell(span, "UT358", f"{span.tag} was split and no technique here decides it", hint)
        return tuple(_like(span.tag, one) for one in found.ids), f"{split}; no technique here decides, so all"

    def _tell(self, span: TagSpan, code: str, message: str, hint: str = "") -> None:
        place = Place(source=self.source, line=span.line)
        self.findings.append(Problem(code=code, message=message, severity="warning", place=place, hint=hint))

    # Characters

    def _change(self, span: TagSpan, tags: tuple[str, ...], reason: str) -> None:
        if span.setting == "fixed":
            change: _Change | None = None
        elif len(tags) == 1:
            change = _Change(span.start, span.end, tags[0])
        elif not tags:
            change = self._removal(span)
        else:
            change = self._several(span, tags)
        if change is None:
            what = ("several tags" if len(tags) > 1 else tags[0]) if tags else "nothing"
            hint = f"put {', '.join(tags)} there yourself" if tags else "it stands in the list twice"
            self._tell(
                span, "UT359", f"{span.tag} should become {what}, which this layout doesn't allow", hint
            )
            return
        self.changes.append(change)
        self.edits.append(TagEdit(line=span.line, tag=span.tag, to=tags, reason=reason))

    def _lead(self, place: int) -> str | None:
        """What stands before a place in its line; None where the line is too long to be a plain list item."""
        near = self.text[max(0, place - _BEFORE_CHARS) : place]
        begin = max(near.rfind("\n"), near.rfind("\r")) + 1
        return near[begin:] if begin or place <= _BEFORE_CHARS else None

    def _several(self, span: TagSpan, tags: tuple[str, ...]) -> _Change | None:
        q = span.quote
        if span.setting == "flow":
            return _Change(span.start, span.end, f"{q}, {q}".join(tags))
        lead = self._lead(span.start - len(q))
        if span.setting != "block" or lead is None or not _BLOCK_ITEM.fullmatch(lead):
            return None
        newline = _NEWLINE.search(self.text, span.end)
        end_of_line = newline.group() if newline else "\n"
        above = "".join(f"{lead}{q}{tag}{q}{end_of_line}" for tag in tags[:-1])
        return _Change(span.start - len(q) - len(lead), span.end, f"{above}{lead}{q}{tags[-1]}")

    def _removal(self, span: TagSpan) -> _Change | None:
        start, end = span.start - len(span.quote), span.end + len(span.quote)
        if span.setting == "flow":
            after = _FLOW_AFTER.match(self.text, end)
            if after:
                return _Change(start, after.end(), "")
            before = _FLOW_BEFORE.search(self.text[max(0, start - _BEFORE_CHARS) : start])
            return _Change(start - len(before.group()), end, "") if before else None
        lead = self._lead(start)
        if span.setting != "block" or lead is None or not _BLOCK_ITEM.fullmatch(lead):
            return None
        begin = start - len(lead)
        blank = _REST_BLANK.match(self.text, end)
        if blank:
            return _Change(begin, blank.end(), "")
        comment = _REST_COMMENT.match(self.text, end)
        if comment:
            dash = begin + lead.index("-")
            return _Change(dash, comment.end(), "")
        return None


def _like(tag: str, attack_id: str) -> str:
    """The new id as a tag, in upper or lower case as the old one was written."""
    begin = 7 if tag[:7].lower() == "attack." else 0
    upper = tag[begin : begin + 1].isupper() and attack_id[:1].isupper()
    return tag[:begin] + (attack_id if upper else attack_id.lower())


def _compare(before: str, result: Rewritten, source: str) -> None:
    """Raises if anything but the planned tags differs between the two texts."""
    old, new = list(events(before)), list(events(result.text))
    expected = Counter(_tags(old))
    for edit in result.edits:
        expected[edit.tag] -= 1
        expected.update(edit.to)
    same_rest = [item for item in old if not _is_tag(item)] == [item for item in new if not _is_tag(item)]
    if not same_rest or Counter(_tags(new)) != +expected:
        raise RuleError(
            Problem(
                code="UT354",
                message="rewriting would change more than the tags, so nothing was changed",
                place=Place(source=source),
                hint="please report the file's layout",
            )
        )


def _is_tag(item: tuple[str, str | None]) -> bool:
    return item[1] is not None and (item[1][:7].lower() == "attack." or is_technique_id(item[1]))


def _tags(items: list[tuple[str, str | None]]) -> list[str]:
    return [value for item in items if _is_tag(item) and (value := item[1]) is not None]
