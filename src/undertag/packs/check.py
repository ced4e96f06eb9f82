"""Checks a pack: are its rules well-formed, honest and proven?

Contract: `check_pack(folder)` gives every finding as a `Problem` and raises only if the folder can't be read.
A pack without findings loads without problems, has one tag a rule, and every rule is proven by breaking
(proof.py). Codes:

| code | what is wrong |
| --- | --- |
| UT261 | a tag rule's descriptive keys are wrong: author, date, description, level, title, number of documents |
| UT262 | a tag rule's tag is wrong: name, kind, taken by another rule, or an `attack.*` tag on it |
| UT263 | a tag rule's `undertag:` key is missing or malformed, or a text in it is empty or too long |
| UT264 | a tag rule's link names a technique that the ATT&CK release doesn't have, or is too strong without measurement |
| UT265 | a key under a tag rule's `needs` is no entry key, stands there twice, or is of no entry of the catalogue |
| UT266 | a tag rule's example doesn't match |
| UT267 | a tag rule's example still matches when an attribute that matters is spoilt |
| UT268 | a tag rule's counterexample matches, or is of another log source |
| UT269 | a field or a `not` of a tag rule's detection that no example shows to matter |
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from undertag.catalogue.attack import DEFAULT_VERSION, load_release
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.match.sigma.codes import Rejected
from undertag.match.sigma.documents import Mapped, read_documents
from undertag.match.sigma.files import RuleFile, read_rule_files
from undertag.match.sigma.load import load_files
from undertag.model.problem import CatalogueError, Place, Problem
from undertag.model.rule import Rule
from undertag.model.tag import kind_of
from undertag.packs.proof import Fault, prove
from undertag.packs.schema import RULE_KINDS, Custom, faults_of_custom, is_entry_key, is_pack_tag, read_custom

ALERT_LEVELS: Final = frozenset({"medium", "high", "critical"})
MAX_TITLE: Final = 64


@dataclass(slots=True, kw_only=True)
class PackReport:
    """A pack's rules, how many of each kind of tag, and what is wrong with them.

    `descriptions` are by rule id; the engine has no use for them, so a `Rule` doesn't carry its own.
    """

    rules: list[Rule] = field(default_factory=list)
    descriptions: dict[str, str] = field(default_factory=dict)
    by_kind: dict[str, int] = field(default_factory=dict)
    findings: list[Problem] = field(default_factory=list)


def check_pack(folder: str | os.PathLike[str]) -> list[Problem]:
    """Everything that is wrong with the pack in a folder.

    Raises:
        RuleError: UT200, the folder doesn't exist.
    """
    return inspect_pack(folder).findings


def inspect_pack(folder: str | os.PathLike[str]) -> PackReport:
    """The pack in a folder (or one rule file), with all findings.

    Raises:
        RuleError: UT200, the folder doesn't exist.
    """
    files, unreadable = read_rule_files([folder])
    result = load_files(files, unreadable, placeholders={}, pack=True)
    report = PackReport(rules=result.rules, findings=list(result.problems))
    by_file = {rule.file: rule for rule in result.rules}
    kinds: Counter[str] = Counter()
    taken: dict[str, list[Rule]] = {}
    for file in files:
        rule = by_file.get(file.name)
        if rule is None:
            continue
        kinds[rule_kind(rule)] += 1
        documents = _documents(file)
        for document in documents:
            report.descriptions.setdefault(rule.id, str(document.get("description", "")))
        for code, message, hint in _faults(documents, rule, taken):
            place = Place(source=file.shown)
            report.findings.append(Problem(code=code, message=message, hint=hint, place=place))
    report.by_kind = {kind: kinds[kind] for kind in (*RULE_KINDS, "none") if kinds[kind]}
    return report


def rule_kind(rule: Rule) -> str:
    """The kind of a rule's tag, `none` if it gives none of ours."""
    return next((kind for tag in rule.tags if (kind := kind_of(tag)) not in (None, "attack")), None) or "none"


def _faults(documents: list[Any], rule: Rule, taken: dict[str, list[Rule]]) -> Iterator[Fault]:
    kind = rule_kind(rule)
    yield from _tag_faults(rule, kind, taken)
    yield from _key_faults(documents, rule, kind)
    if not rule.custom:
        yield "UT263", "no `undertag:` mapping", "see docs/how-to/write-a-tag-rule.md"
        return
    custom = read_custom(rule.custom)
    if isinstance(custom, str):
        yield "UT263", f"`undertag:` {custom}", "see docs/how-to/write-a-tag-rule.md"
        return
    yield from faults_of_custom(custom, kind)
    yield from _unknown_techniques(custom)
    yield from _unknown_needs(custom)
    yield from prove(rule, custom)


def _tag_faults(rule: Rule, kind: str, taken: dict[str, list[Rule]]) -> Iterator[Fault]:
    ours = [tag for tag in rule.tags if kind_of(tag) not in (None, "attack")]
    if len(ours) != 1:
        yield "UT262", f"{len(ours)} tags of ours, not one", "one observation a rule, one tag a rule"
    for tag in ours:
        if not is_pack_tag(tag):
            yield "UT262", f"'{tag}' is no tag name", "kind.area.what, lower case, at most 31 bytes"
        for other in taken.setdefault(tag, []):
            if other.title != rule.title or other.logsource == rule.logsource:
                hint = "only the same fact from another log source, under the same title, may share a tag"
                yield "UT262", f"'{tag}' is taken by {other.file}", hint
        taken[tag].append(rule)
    if kind != "beh" and any(kind_of(tag) == "attack" for tag in rule.tags):
        yield "UT262", f"a rule of kind {kind} claims a technique itself", "say it under `relates`"


def _key_faults(documents: list[Any], rule: Rule, kind: str) -> Iterator[Fault]:
    if kind == "beh":
        if rule.level not in ALERT_LEVELS:
            yield "UT261", f"level {rule.level} for a behaviour", "a behaviour of one event is medium or more"
    elif rule.level != "informational":
        yield "UT261", f"level {rule.level} for kind {kind}", "only behaviours have another level"
    if len(rule.title) > MAX_TITLE or ":" in rule.title:
        yield "UT261", f"title '{rule.title}'", f"at most {MAX_TITLE} characters, no prefix"
    if len(documents) != 1:
        yield "UT261", f"{len(documents)} documents in the file", "one observation a file"
        return
    for name, wanted in (("author", str), ("description", str), ("status", str), ("date", date), ("id", str)):
        if not isinstance(documents[0].get(name), wanted):
            yield "UT261", f"no `{name}`, or not of the right type", "see docs/how-to/write-a-tag-rule.md"


def _documents(file: RuleFile) -> list[Any]:
    try:
        return [document for document, _line in read_documents(file.data) if isinstance(document, Mapped)]
    except Rejected:
        return []  # the loader has said so already


def _unknown_techniques(custom: Custom) -> Iterator[Fault]:
    release = load_release(DEFAULT_VERSION)
    for link in custom.relates:
        technique = release.technique(link.technique)
        if technique is None or technique.state != "active":
            hint = f"`undertag attack resolve {link.technique}` tells where it went"
            yield "UT264", f"{link.technique} is no active technique of ATT&CK {release.version}", hint


def _unknown_needs(custom: Custom) -> Iterator[Fault]:
    catalogue = load_catalogue()
    for key in filter(is_entry_key, dict.fromkeys(custom.needs)):  # what has no key's form is a fault already
        try:
            catalogue.number(key)
        except CatalogueError as error:
            yield "UT265", error.problem.message, error.problem.hint
