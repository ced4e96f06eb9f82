"""ATT&CK tags of rules, resolved against one release.

Contract: every `attack.*` tag of a rule becomes the tags it has in the release asked for; moved, split, deprecated and
unknown ones are kept for the report, none vanishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from undertag.catalogue.attack import load_release, resolve_tag
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

    def said(self, rules: Iterable[str] | None = None) -> dict[str, Any]:
        """The claim as an event's tag, with the rules behind it where they are known."""
        said: dict[str, Any] = {"tag": self.tag, "kind": "attack", "title": f"{self.id} {self.name}".strip()}
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
                hint=f"`undertag attack migrate` rewrites it ({count} rules)",
            )
            for tag, count in sorted(self.moved.items())
        ]
        rows.extend(
            Problem(
                code="UT422",
                severity="warning",
                message=f"{tag} is not in ATT&CK {self.version}",
                hint=f"kept as written ({count} rules)",
            )
            for tag, count in sorted(self.unknown.items())
        )
        return rows

    def survey(self, tags: Mapping[str, int]) -> None:
        """Looks at every tag of a rule set, with the number of rules that have it, for `problems`."""
        for tag, count in tags.items():
            if tag.startswith("attack."):
                state = resolve_tag(tag, to=self.version).state
                if state == "unknown":
                    self.unknown[tag] = count
                elif state not in _FINE:
                    self.moved[tag] = count

    def _claims(self, tag: str) -> tuple[Claim, ...]:
        found = self._memo.get(tag)
        if found is None:
            resolution = resolve_tag(tag, to=self.version)
            found = self._memo[tag] = tuple(self._claim(one, tag) for one in resolution.ids) or (
                Claim(tag=tag, id=tag.removeprefix("attack.").upper(), name="", technique=False),
            )
        return found

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
