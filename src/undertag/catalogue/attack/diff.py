"""What changed between two ATT&CK releases.

Contract: pure; only techniques and tactics are compared. A technique that the newer release still has but
revoked or deprecated is told as that, not as removed; one that was withdrawn in both is not told at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from undertag.catalogue.attack.facts import Release, Tactic, Technique


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """A technique or tactic whose name changed."""

    id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A technique that was revoked or deprecated since, and what the newer release names in its place."""

    id: str
    name: str
    successors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedTactics:
    """A technique whose tactics changed."""

    id: str
    name: str
    left: tuple[str, ...]
    joined: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDiff:
    """What changed from `old` to `new`; all lists by id."""

    old: str
    new: str
    added: tuple[Technique, ...]
    removed: tuple[Technique, ...]
    renamed: tuple[Renamed, ...]
    revoked: tuple[Withdrawn, ...]
    deprecated: tuple[Withdrawn, ...]
    restored: tuple[Technique, ...]
    moved_tactics: tuple[MovedTactics, ...]
    tactics_added: tuple[Tactic, ...]
    tactics_removed: tuple[Tactic, ...]

    @property
    def changed(self) -> int:
        """How many techniques changed in any way."""
        parts = (
            self.added,
            self.removed,
            self.renamed,
            self.revoked,
            self.deprecated,
            self.restored,
            self.moved_tactics,
        )
        return len({one.id for part in parts for one in part})


def compare(old: Release, new: Release) -> ReleaseDiff:
    """What changed from one release to another (which may be the older one)."""
    before = {one.id: one for one in old.techniques()}
    after = {one.id: one for one in new.techniques()}
    active = {key: one for key, one in before.items() if one.state == "active"}
    both = [(one, after[key]) for key, one in sorted(active.items()) if key in after]
    kept = [(one, now) for one, now in both if now.state == "active"]
    old_tactics = {one.name: one for one in old.tactics()}
    new_tactics = {one.name: one for one in new.tactics()}
    return ReleaseDiff(
        old=old.version,
        new=new.version,
        added=tuple(one for key, one in sorted(after.items()) if one.state == "active" and key not in before),
        removed=tuple(one for key, one in sorted(active.items()) if key not in after),
        renamed=tuple(
            Renamed(id=one.id, before=one.name, after=now.name) for one, now in kept if one.name != now.name
        ),
        revoked=_withdrawn(both, "revoked"),
        deprecated=_withdrawn(both, "deprecated"),
        restored=tuple(
            after[key]
            for key, one in sorted(before.items())
            if one.state != "active" and key in after and after[key].state == "active"
        ),
        moved_tactics=tuple(_moved(one, now) for one, now in kept if set(one.tactics) != set(now.tactics)),
        tactics_added=tuple(one for name, one in new_tactics.items() if name not in old_tactics),
        tactics_removed=tuple(one for name, one in old_tactics.items() if name not in new_tactics),
    )


def _withdrawn(pairs: list[tuple[Technique, Technique]], state: str) -> tuple[Withdrawn, ...]:
    return tuple(
        Withdrawn(id=one.id, name=one.name, successors=now.successors)
        for one, now in pairs
        if now.state == state
    )


def _moved(one: Technique, now: Technique) -> MovedTactics:
    return MovedTactics(
        id=one.id,
        name=now.name,
        left=tuple(name for name in one.tactics if name not in now.tactics),
        joined=tuple(name for name in now.tactics if name not in one.tactics),
    )
