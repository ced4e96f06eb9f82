"""ATT&CK tags of rules, resolved against one release.

Contract: every `attack.*` tag of a rule becomes the tags it has in the release asked for; moved, split, deprecated and
unknown ones are kept for the report, none vanishes. A successor stands for a technique that was revoked by it, never for
a deprecated one: what ATT&CK names in its place is advice, so the tag stays as it is written, under its own name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from undertag.catalogue.attack import Resolution, load_release, resolve_tag
from undertag.model.problem import Problem

_FINE: Final = frozenset({"current", "not-tracked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One `attack.*` tag as it stands in the release: a technique's `id` and `name`, or a tactic's."""

    tag: str
    id: str
    name: str
    tactics: tuple[str, ...] = ()
    technique: bool = True
    deprecated: bool = False

    def said(self, rules: Iterable[str] | None = None) -> dict[str, Any]:
        """The claim as an event's tag, with the rules behind it where they are known."""
        title = f"{self.id} {self.name}".strip() + (" (deprecated)" if self.deprecated else "")
        said: dict[str, Any] = {"tag": self.tag, "kind": "attack", "title": title}
        if self.technique:
            said["technique"] = self.id
            said["tactics"] = list(self.tactics)
        if rules is not None:
            said["rules"] = list(rules)
        return said


@dataclass(slots=True)
class TechniqueClaims:
    """Resolves tags and remembers what was not as written."""

    version: str
    moved: Counter[str] = field(default_factory=Counter)
    deprecated: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    _memo: dict[str, tuple[Claim, ...]] = field(default_factory=dict)

    def of_tags(self, tags: Iterable[str]) -> tuple[Claim, ...]:
        """The claims of a rule's tags, each once, in order."""
        found: dict[str, Claim] = {}
        for tag in tags:
            if tag.startswith("attack."):
                for claim in self._claims(tag):
                    found.setdefault(claim.tag, claim)
        return tuple(found.values())

    def of_technique(self, technique: str) -> tuple[Claim, ...]:
        """The claims of a technique's id."""
        return self._claims(f"attack.{technique.lower()}")

    def problems(self) -> list[Problem]:
        """What was not as written, as one problem a tag."""
        rows = [
            Problem(
                code="UT421",
                severity="info",
                message=f"{tag} moved in ATT&CK {self.version}",
                hint=f"`undertag attack migrate` rewrites it ({_rules(count)})",
            )
            for tag, count in sorted(self.moved.items())
        ]
        rows.extend(
            Problem(
                code="UT423",
                severity="info",
                message=deprecation(tag, resolve_tag(tag, to=self.version)),
                hint=f"kept as written: choose by hand what to claim instead ({_rules(count)})",
            )
            for tag, count in sorted(self.deprecated.items())
        )
        rows.extend(
            Problem(
                code="UT422",
                severity="warning",
                message=f"{tag} is not in ATT&CK {self.version}",
                hint=f"kept as written ({_rules(count)})",
            )
            for tag, count in sorted(self.unknown.items())
        )
        return rows

    def survey(self, tags: Mapping[str, int]) -> None:
        """Looks at every tag of a rule set, with the number of rules that have it, for `problems`."""
        for tag, count in tags.items():
            if tag.startswith("attack."):
                state = resolve_tag(tag, to=self.version).state
                if state in ("unknown", "absent"):
                    self.unknown[tag] = count
                elif state == "deprecated":
                    self.deprecated[tag] = count
                elif state not in _FINE:
                    self.moved[tag] = count

    def _claims(self, tag: str) -> tuple[Claim, ...]:
        found = self._memo.get(tag)
        if found is None:
            resolution = resolve_tag(tag, to=self.version)
            if resolution.state == "deprecated":
                found = (self._as_written(resolution),)
            else:
                found = tuple(self._claim(one, tag) for one in resolution.ids) or (
                    Claim(tag=tag, id=tag.removeprefix("attack.").upper(), name="", technique=False),
                )
            self._memo[tag] = found
        return found

    def _as_written(self, resolution: Resolution) -> Claim:
        """A deprecated tag: a claim of its own id, whatever ATT&CK names in its place."""
        technique = load_release(self.version).technique(resolution.id)
        return Claim(
            tag=f"attack.{resolution.id.lower()}",
            id=resolution.id,
            name=resolution.name,
            tactics=tuple(technique.tactics) if technique else (),
            technique=resolution.kind == "technique",
            deprecated=True,
        )

    def _claim(self, attack_id: str, tag: str) -> Claim:
        release = load_release(self.version)
        technique = release.technique(attack_id)
        if technique is not None:
            return Claim(
                tag=f"attack.{attack_id.lower()}",
                id=technique.id,
                name=technique.name,
                tactics=tuple(technique.tactics),
            )
        tactic = release.tactic(attack_id)
        if tactic is not None:
            return Claim(tag=f"attack.{tactic.name}", id=tactic.id, name=tactic.title, technique=False)
        return Claim(tag=tag, id=attack_id, name="", technique=False)


def deprecation(tag: str, found: Resolution) -> str:
    """What is to be told of a deprecated tag."""
    named = f", which {found.advice}" if found.ids else " without a successor"
    return f"{tag} is deprecated in ATT&CK {found.to}{named}"


def _rules(count: int) -> str:
    return f"{count:,} rule{'' if count == 1 else 's'}"
