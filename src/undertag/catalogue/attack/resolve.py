"""Finds where an ATT&CK id or tag stands in a given release, and the chain that leads there.

Contract: `resolve_tag` answers for every text and never raises but for an unknown release. It follows only
what the releases themselves say (see `History.bases`); it never guesses a successor. Answers are remembered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from undertag.catalogue.attack.facts import DEFAULT_VERSION, History, Release, history, id_kind, tactic_key
from undertag.catalogue.attack.releases import (
    known_version,
    load_release,
    release_with,
    version_number,
    versions,
)
from undertag.catalogue.attack.resolution import Hop, Resolution, ResolutionState

_ID = re.compile(r"(?P<kind>TA|T|S|G|C|M|DS|DC|DET|AN)(?P<number>\d{4})(?:[./](?P<sub>\d{3}))?", re.ASCII)
_KINDS: Final = {
    "T": "technique",
    "TA": "tactic",
    "S": "software",
    "G": "group",
    "C": "campaign",
    "M": "mitigation",
    "DS": "data-source",
    "DC": "data-component",
    "DET": "detection-strategy",
    "AN": "analytic",
}


def resolve_tag(tag: str, to: str = DEFAULT_VERSION) -> Resolution:
    """Where a tag (`attack.t1086`, `attack.defense_evasion`) or id (`T1086`, `TA0005`) stands in a release.

    Raises:
        CatalogueError: UT344, there is no release `to`.
    """
    return _resolve(tag, known_version(to))


def forget() -> None:
    """Drops remembered answers; called after an import."""
    _resolve.cache_clear()


@lru_cache(maxsize=16_384)
def _resolve(tag: str, to: str) -> Resolution:
    text = tag.strip()
    if text[:7].lower() == "attack.":
        text = text[7:]
    match = _ID.fullmatch(text.upper())
    if match is None:
        return _Resolver(tag, to).tactic(tactic_key(text))
    attack_id = f"{match['kind']}{match['number']}" + (f".{match['sub']}" if match["sub"] else "")
    if match["kind"] == "TA" and not match["sub"]:
        return _Resolver(tag, to).tactic_id(attack_id)
    return _Resolver(tag, to).object(attack_id, _KINDS[match["kind"]])


class _Resolver:
    def __init__(self, asked: str, to: str) -> None:
        self.asked = asked
        self.to = to
        self.release = load_release(to)
        self.history: History = history()

    def _releases(self) -> list[Release]:
        """All other releases: older ones first from the nearest, then newer ones from the nearest."""
        here = version_number(self.to)
        known = versions()
        older = [version for version in reversed(known) if version_number(version) < here]
        newer = [version for version in known if version_number(version) > here]
        return [load_release(version, imported=True) for version in older + newer]

    # Techniques and other objects

    def object(self, attack_id: str, kind: str) -> Resolution:
        prefix = id_kind(attack_id)
        self.release = release_with(prefix, self.to)
        row = self.release.row(attack_id)
        if row is not None:
            return self._from(self.release, attack_id, kind)
        others = [release for release in self._releases() if release.row(attack_id) is not None]
        if prefix not in self.release.tracks:
            return self._untracked(attack_id, kind, others)
        if not others:
            return self._unknown(attack_id, kind, attack_id)
        older = [release for release in others if version_number(release.version) < version_number(self.to)]
        return self._from(older[0], attack_id, kind) if older else self._back(others, attack_id, kind)

    def _from(self, release: Release, attack_id: str, kind: str) -> Resolution:
        """Follows successors forward within one release."""
        name, _, _, state, _ = release.row(attack_id) or ("", (), (), "", ())
        if state == "active":
            return self._answer(attack_id, kind, name, "current", (attack_id,))
        hops: list[Hop] = []
        ends: dict[str, None] = {}
        self._walk(release, attack_id, hops, ends, {attack_id})
        deprecated = any(hop.kind == "deprecated" for hop in hops) or state == "deprecated"
        if deprecated or not ends:
            note = "" if ends else "no successor is named"
            return self._answer(attack_id, kind, name, "deprecated", tuple(ends), tuple(hops), note)
        moved: ResolutionState = "moved" if len(ends) == 1 else "split"
        return self._answer(attack_id, kind, name, moved, tuple(ends), tuple(hops))

    def _walk(
        self, release: Release, here: str, hops: list[Hop], ends: dict[str, None], seen: set[str]
    ) -> None:
        row = release.row(here)
        if row is None:
            return
        if row[3] == "active":
            ends[here] = None
            return
        for target in row[4]:
            hop_kind = "revoked" if row[3] == "revoked" else "deprecated"
            by = self._first_with(here, target)
            hops.append(
                Hop(source=here, target=target, kind=hop_kind, by=by, basis=self.history.basis(here, row[3]))
            )
            if target not in seen:
                self._walk(release, target, hops, ends, seen | {target})

    def _first_with(self, source: str, target: str) -> str:
        """The first release that names `target` as a successor of `source`."""
        embedded = self.history.first_with(source, target)
        if embedded is not None:
            return embedded
        for version in versions():
            row = load_release(version, imported=True).row(source)
            if row is not None and target in row[4]:
                return version
        return self.to

    def _back(self, newer: list[Release], attack_id: str, kind: str) -> Resolution:
        """The id is younger than the release: what became it since."""
        name = (newer[0].row(attack_id) or ("",))[0]
        first = f"first seen in {newer[0].version}"
        for release in newer:
            before = self._predecessors(release, attack_id)
            if before:
                break
        else:
            note = f"{first}; nothing became it that {self.to} has"
            parent = attack_id.partition(".")[0]
            near = resolve_tag(parent, self.to).ids if parent != attack_id else ()
            return self._answer(attack_id, kind, name, "absent", (), (), note, near)
        same_name = [one for one in before if (self.release.row(one) or ("",))[0] == name]
        chosen = same_name if len(same_name) == 1 else before
        rest = [one for one in before if one not in chosen]
        note = f"{first}; shown is what became it"
        note += f" under the same name (so did {', '.join(rest)})" if rest else ""
        hops = tuple(
            Hop(
                source=attack_id,
                target=one,
                kind="predecessor",
                by=release.version,
                basis=self.history.basis(one, "revoked"),
            )
            for one in chosen
        )
        state: ResolutionState = "moved" if len(chosen) == 1 else "split"
        return self._answer(attack_id, kind, name, state, tuple(chosen), hops, note)

    def _predecessors(self, release: Release, attack_id: str) -> list[str]:
        """Ids that are active in the asked release and were revoked, at last, by `attack_id`."""
        wanted, found = {attack_id}, set[str]()
        while wanted:
            sources = {
                key
                for key in release.ids()
                if (row := release.row(key)) and row[3] == "revoked" and wanted & set(row[4])
            }
            wanted = sources - found
            found |= sources
        active = ((key, self.release.row(key)) for key in sorted(found))
        return [key for key, row in active if row is not None and row[3] == "active"]

    def _untracked(self, attack_id: str, kind: str, others: list[Release]) -> Resolution:
        """The release's facts don't cover this kind: the nearest release that does answers, with a note."""
        if not others:
            note = f"the facts of ATT&CK {self.to} don't cover {kind} ids; kept as it is"
            return self._answer(attack_id, kind, "", "not-tracked", (attack_id,), (), note)
        nearest = others[0]
        there = self._from(nearest, attack_id, kind)
        note = f"as of {nearest.version}: the facts of {self.to} don't cover {kind} ids"
        return self._answer(attack_id, kind, there.name, there.state, there.ids, there.hops, note)

    # Tactics

    def tactic_id(self, tactic_id: str) -> Resolution:
        here = self.release.tactic(tactic_id)
        if here is not None:
            names = {t.title for r in self._releases() if (t := r.tactic(tactic_id)) is not None} - {
                here.title
            }
            note = f"{tactic_id} was {', '.join(sorted(names))} in other releases" if names else ""
            return self._answer(tactic_id, "tactic", here.title, "current", (tactic_id,), (), note)
        for release in self._releases():
            found = release.tactic(tactic_id)
            if found is not None:
                by_name = self.tactic(found.name)
                ids = tuple(t.id for name in by_name.ids if (t := self.release.tactic(name)) is not None)
                return self._answer(
                    tactic_id, "tactic", found.title, by_name.state, ids, by_name.hops, by_name.note
                )
        return self._unknown(tactic_id, "tactic", tactic_id)

    def tactic(self, name: str) -> Resolution:
        here = self.release.tactic(name)
        if here is not None:
            return self._answer(here.name, "tactic", here.title, "current", (here.name,))
        there = next((t for r in self._releases() if (t := r.tactic(name)) is not None), None)
        if there is None:
            return self._unknown(name, "other", name)
        moves = [(move.tactic, into, move) for move in self.history.moves for into in move.into]
        forward = [
            (into, move) for source, into, move in moves if source == name and self.release.tactic(into)
        ]
        back = [
            (source, move) for source, into, move in moves if into == name and self.release.tactic(source)
        ]
        hops = tuple(
            Hop(
                source=name,
                target=target,
                kind="tactic-split" if forward else "predecessor",
                by=move.by,
                basis=move.basis,
            )
            for target, move in forward or back
        )
        ids = tuple(hop.target for hop in hops)
        if not ids:
            note = f"the tactic doesn't exist in {self.to}"
            return self._answer(name, "tactic", there.title, "absent", (), (), note)
        return self._answer(name, "tactic", there.title, "moved" if len(ids) == 1 else "split", ids, hops)

    # Answers

    def _answer(
        self,
        attack_id: str,
        kind: str,
        name: str,
        state: ResolutionState,
        ids: tuple[str, ...],
        hops: tuple[Hop, ...] = (),
        note: str = "",
        suggestions: tuple[str, ...] = (),
    ) -> Resolution:
        return Resolution(
            asked=self.asked,
            kind=kind,
            id=attack_id,
            name=name,
            to=self.to,
            state=state,
            ids=ids,
            hops=hops,
            note=note,
            suggestions=suggestions,
        )

    def _unknown(self, attack_id: str, kind: str, wanted: str) -> Resolution:
        return Resolution(
            asked=self.asked,
            kind=kind,
            id=attack_id,
            name="",
            to=self.to,
            state="unknown",
            suggestions=self._suggest(wanted),
        )

    def _suggest(self, wanted: str) -> tuple[str, ...]:
        """Up to three names of the release that resemble the unknown one."""
        from difflib import get_close_matches

        wanted = wanted[:64]
        parent = wanted.partition(".")[0]
        if "." in wanted and self.release.technique(parent) is not None:
            return (parent,)
        if _ID.fullmatch(wanted):
            names = [one.id for one in self.release.techniques() if one.state == "active"]
        else:
            names = [tactic.name for tactic in self.release.tactics()]
        return tuple(get_close_matches(wanted, names, n=3, cutoff=0.75))
