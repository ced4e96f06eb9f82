"""Hits → typed tags, ready to be written.

Contract: `Tagger.tags_of(numbers)` gives the tags that a set of rules puts on one event, each tag once, with the rules
behind it; the same set of rules always gives the same object. Nothing here looks at events: evidence belongs to hits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from undertag.model.problem import Problem
from undertag.model.rule import Rule
from undertag.model.tag import TAGGING_STRENGTHS, is_tag_name, kind_of
from undertag.tag.antivirus import AntivirusTags, NamedTags
from undertag.tag.technique_claims import Claim, TechniqueClaims

DEFAULT_PREFIX: Final = "undertag"
DEFAULT_ATTACK_VERSION: Final = "19"
_MEMO_SIZE: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class TagSettings:
    """What an organisation decides about its tags.

    `signature_names`: whether the names that anti-virus events give are read and tagged.
    `downgrade_informational`: an informational rule's own ATT&CK tag counts as a `compatible` link, not as a claim.
    """

    prefix: str = DEFAULT_PREFIX
    attack_version: str = DEFAULT_ATTACK_VERSION
    downgrade_informational: bool = False
    signature_names: bool = True


@dataclass(frozen=True, slots=True)
class TagSet:
    """The tags of one set of rules: names, techniques claimed, and the JSON array that is written."""

    names: tuple[str, ...]
    techniques: tuple[str, ...]
    json: bytes


@dataclass(slots=True)
class _RuleTags:
    """The tags that one rule puts on an event: name → what is said with it."""

    tags: dict[str, dict[str, Any]] = field(default_factory=dict)
    techniques: list[str] = field(default_factory=list)


class Tagger:
    """Knows the tags of every rule of a rule set."""

    def __init__(self, rules: Sequence[Rule], settings: TagSettings | None = None) -> None:
        self.settings = settings or TagSettings()
        self.claims = TechniqueClaims(self.settings.attack_version)
        self.antivirus = AntivirusTags(
            self.claims, self.settings.prefix, wanted=self.settings.signature_names
        )
        self.problems: list[Problem] = []
        self._rules = rules
        self.claims.survey(Counter(tag for rule in rules for tag in rule.tags))
        self._by_rule: dict[int, _RuleTags] = {}
        self._memo: dict[tuple[int, ...], TagSet] = {}

    def tags_of(self, numbers: tuple[int, ...]) -> TagSet:
        """The tags of an event that these rules (sorted numbers) match."""
        found = self._memo.get(numbers)
        if found is None:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            found = self._memo[numbers] = self._join(numbers)
        return found

    def with_names(self, numbers: tuple[int, ...], named: NamedTags) -> tuple[TagSet, tuple[str, ...]]:
        """The same with what a signature's name says, and the names of the tags that it adds.

        A tag that rules put there already stays one tag: what they say of it holds, and the name stands behind it too.
        """
        plain = self.tags_of(numbers)
        added = tuple(tag["tag"] for tag in named.tags if tag["tag"] not in plain.names)
        if len(added) == len(named.tags):
            written = orjson.dumps(named.tags)
            whole = plain.json[:-1] + b"," + written[1:] if plain.names else written
        else:
            whole = orjson.dumps(_merged(orjson.loads(plain.json), named.tags))
        techniques = tuple(dict.fromkeys((*plain.techniques, *named.techniques)))
        return TagSet((*plain.names, *added), techniques, whole), added

    def titles(self) -> dict[str, str]:
        """The title of every tag that the rules can put on an event."""
        return {
            name: said["title"]
            for number in range(len(self._rules))
            for name, said in self._of(number).tags.items()
        }

    def _of(self, number: int) -> _RuleTags:
        """What a rule puts on events, worked out when it first matches."""
        found = self._by_rule.get(number)
        if found is None:
            found = self._by_rule[number] = self._tags_of_rule(self._rules[number])
        return found

    def _join(self, numbers: tuple[int, ...]) -> TagSet:
        tags: dict[str, dict[str, Any]] = {}
        techniques: dict[str, None] = {}
        for number in numbers:
            one = self._of(number)
            techniques.update(dict.fromkeys(one.techniques))
            for name, said in one.tags.items():
                if name in tags:
                    tags[name]["rules"].append(self._rules[number].id)
                else:
                    tags[name] = {**said, "rules": [self._rules[number].id]}
        return TagSet(tuple(tags), tuple(techniques), orjson.dumps(list(tags.values())))

    def _tags_of_rule(self, rule: Rule) -> _RuleTags:
        found = _RuleTags()
        own = [tag for tag in rule.tags if kind_of(tag) not in (None, "attack")]
        claims = self.claims.of_tags(rule.tags)
        informational = rule.level == "informational"
        if rule.pack and informational and claims:
            self._tell(
                "UT401",
                f"observation rule {rule.id} claims {claims[0].tag} itself",
                "say it under `relates`",
                rule,
            )
            claims = ()
        downgraded = claims if informational and self.settings.downgrade_informational else ()
        if downgraded:
            claims = ()
        links = self._links(rule, downgraded)
        for tag in own or [_own_tag(rule, informational)]:
            if not is_tag_name(tag):
                self._tell("UT402", f"{tag!r} is no tag name", "kind.area.what, at most 31 bytes", rule)
                continue
            found.tags[tag] = self._said(tag, rule, links)
        strong = [
            claim
            for link in _links_of(rule)
            if link.get("strength") in TAGGING_STRENGTHS
            for claim in self.claims.of_technique(str(link.get("technique")))
        ]
        for claim in (*claims, *strong):
            found.tags.setdefault(claim.tag, claim.said())
            if claim.technique:
                found.techniques.append(claim.id)
        return found

    def _links(self, rule: Rule, downgraded: Sequence[Claim]) -> list[dict[str, Any]]:
        links = []
        for link in _links_of(rule):
            for claim in self.claims.of_technique(str(link.get("technique"))):
                links.append({**link, "technique": claim.id, "name": claim.name})
        links.extend(
            {"technique": claim.id, "name": claim.name, "strength": "compatible"}
            for claim in downgraded
            if claim.technique
        )
        return links

    def _said(self, tag: str, rule: Rule, links: list[dict[str, Any]]) -> dict[str, Any]:
        said: dict[str, Any] = {
            "tag": tag,
            "kind": kind_of(tag),
            "title": f"{self.settings.prefix}: {rule.title}",
        }
        if links:
            said["relates"] = links
        for key in ("benign", "ask", "action", "needs"):
            value = rule.custom.get(key)
            if value:
                said[key] = value
        if "benign" not in said and rule.falsepositives:
            said["benign"] = list(rule.falsepositives)
        return said

    def _tell(self, code: str, message: str, hint: str, rule: Rule) -> None:
        self.problems.append(
            Problem(
                code=code,
                severity="error" if rule.pack else "warning",
                message=f"{rule.file}: {message}",
                hint=hint,
            )
        )


def _merged(tags: Sequence[dict[str, Any]], more: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two lists of tags as one, each tag once with the rules of both."""
    whole = {tag["tag"]: tag for tag in tags}
    for tag in more:
        have = whole.get(tag["tag"])
        whole[tag["tag"]] = tag if have is None else {**tag, **have, "rules": [*have["rules"], *tag["rules"]]}
    return list(whole.values())


def _links_of(rule: Rule) -> list[dict[str, Any]]:
    """The links that a rule states, malformed ones left out."""
    stated = rule.custom.get("relates")
    return [link for link in stated if isinstance(link, dict)] if isinstance(stated, list) else []


def _own_tag(rule: Rule, informational: bool) -> str:
    """The tag of a rule that names none of ours: its detection is a behaviour, an informational one an observation."""
    ident = rule.id.removeprefix("sha256:")[:18].lower()
    return f"{'obs' if informational else 'beh'}.sigma.{ident}"
