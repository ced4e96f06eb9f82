"""Reads an official ATT&CK Enterprise bundle (STIX 2.0 or 2.1) into plain facts.

Contract: only identifiers, names and relations are taken; descriptions never are. A text that is no whole
JSON document, no bundle, or a bundle of another domain (Mobile, ICS, PRE) raises; what is merely odd inside a
bundle (an identifier twice, a revoked technique without successor) becomes a `Problem` in the result. The
same bytes always give the same facts. No I/O.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from undertag.catalogue.attack.stix import StixObject, decode_bundle
from undertag.model.problem import CatalogueError, Place, Problem

Row: TypeAlias = tuple[str, tuple[str, ...], tuple[str, ...], str, tuple[str, ...]]
"""Name, tactics, platforms, state (`active`, `revoked`, `deprecated`) and successors of one ATT&CK object."""

ENTERPRISE: Final = "mitre-attack"
OTHER_DOMAINS: Final = {
    "mitre-mobile-attack": "Mobile",
    "mitre-ics-attack": "ICS",
    "mitre-pre-attack": "PRE-ATT&CK",
}
MAX_DUPLICATES_TOLD: Final = 20

_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?", re.ASCII)
_EVENT_ID = re.compile(r"\b(?:EventCode|EventID)\s*(?:=|IN)\s*\(?([\d,\s]+)")
_NUMBER = re.compile(r"\b\d{1,5}\b", re.ASCII)
_TRACKED: Final = frozenset(
    {
        "attack-pattern",
        "malware",
        "tool",
        "intrusion-set",
        "campaign",
        "x-mitre-data-source",
        "x-mitre-data-component",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSourceRow:
    """One (data component, log source name, channel) of v18 and later, and the techniques that cite it."""

    component: str
    name: str
    channel: str
    event_ids: tuple[int, ...] = ()
    techniques: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleFacts:
    """What one bundle says.

    `rows` is keyed by ATT&CK id and holds techniques, software, groups, campaigns, data sources and data
    components. `tactics` is keyed by short name: (TA id, title). `data_sources` holds the names of data
    sources that techniques themselves list (before v9). `components` holds, per technique, the names of the
    data components that detect it (v9 to v17); `component_sources` says which data source each belongs to.
    """

    version_hint: str = ""
    rows: dict[str, Row] = field(default_factory=dict)
    tactics: dict[str, tuple[str, str]] = field(default_factory=dict)
    data_sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    components: dict[str, tuple[str, ...]] = field(default_factory=dict)
    component_sources: dict[str, str] = field(default_factory=dict)
    log_sources: tuple[LogSourceRow, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_bundle(data: bytes, source: str) -> BundleFacts:
    """The facts of a bundle.

    Args:
        data: the whole JSON document.
        source: display name for errors.

    Raises:
        ReadError: UT341, no whole JSON document.
        CatalogueError: UT342, JSON but no STIX bundle with techniques; UT343, a bundle of another domain.
    """
    return _Reader(decode_bundle(data, source), source).facts()


class _Reader:
    """Turns the objects of one bundle into facts."""

    def __init__(self, objects: tuple[StixObject, ...], source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.all = objects
        self._check_domain()
        self.by_stix = self._unique(objects)
        self.ids = self._attack_ids()

    def facts(self) -> BundleFacts:
        successors, sources, subjects = self._relations()
        rows: dict[str, Row] = {}
        listed: dict[str, tuple[str, ...]] = {}
        for stix, attack_id in sorted(self.ids.items(), key=lambda item: item[1]):
            one = self.by_stix[stix]
            tactics = [p.phase_name for p in one.kill_chain_phases if p.kill_chain_name == ENTERPRISE]
            after = tuple(sorted(successors.get(stix, ())))
            if one.state == "revoked" and not after:
                self._tell("UT347", f"{attack_id} is revoked, but the bundle names no successor")
            platforms = tuple(sorted(one.x_mitre_platforms)) if one.type == "attack-pattern" else ()
            rows[attack_id] = (one.name, tuple(sorted(set(tactics))), platforms, one.state, after)
            if one.x_mitre_data_sources and one.type == "attack-pattern":
                listed[attack_id] = tuple(sorted(set(one.x_mitre_data_sources)))
        return BundleFacts(
            version_hint=self._version_hint(),
            rows=rows,
            tactics=self._tactics(),
            data_sources=listed,
            components={key: tuple(sorted(value)) for key, value in sorted(subjects.items())},
            component_sources=sources,
            log_sources=self._log_sources(),
            problems=tuple(self.problems),
        )

    def _tell(self, code: str, message: str, hint: str = "") -> None:
        place = Place(source=self.source)
        self.problems.append(Problem(code=code, message=message, severity="warning", place=place, hint=hint))

    def _check_domain(self) -> None:
        chains: Counter[str] = Counter()
        techniques = 0
        for one in self.all:
            if one.type == "attack-pattern":
                techniques += 1
                chains.update({phase.kill_chain_name for phase in one.kill_chain_phases})
        if not techniques:
            raise CatalogueError(
                Problem(
                    code="UT342",
                    message=f"the bundle holds no technique among its {len(self.all)} objects",
                    place=Place(source=self.source),
                    hint="give the enterprise-attack JSON file of an ATT&CK release",
                )
            )
        others = [chain for chain in chains if chain in OTHER_DOMAINS]
        if others and chains[ENTERPRISE] < sum(chains[chain] for chain in others):
            names = ", ".join(sorted(OTHER_DOMAINS[chain] for chain in others))
            raise CatalogueError(
                Problem(
                    code="UT343",
                    message=f"this is a bundle of ATT&CK for {names}; only Enterprise is supported",
                    place=Place(source=self.source),
                    hint="give the enterprise-attack JSON file of the same release",
                )
            )

    def _unique(self, objects: tuple[StixObject, ...]) -> dict[str, StixObject]:
        """Objects by STIX id; of two with one id the later `modified` wins, and it is told."""
        found: dict[str, StixObject] = {}
        twice = 0
        for one in objects:
            other = found.get(one.id)
            if other is not None and one.id:
                twice += 1
                if twice <= MAX_DUPLICATES_TOLD:
                    self._tell(
                        "UT346", f"object {one.id[:80]} stands in the bundle twice; the later one is used"
                    )
                if one.modified < other.modified:
                    continue
            found[one.id] = one
        if twice > MAX_DUPLICATES_TOLD:
            self._tell("UT346", f"{twice} objects stand in the bundle more than once")
        return found

    def _attack_ids(self) -> dict[str, str]:
        """ATT&CK id by STIX id; of two objects with one ATT&CK id the active, then the later one wins."""
        best: dict[str, StixObject] = {}
        for one in self.by_stix.values():
            attack_id = one.attack_id
            if one.type not in _TRACKED or not attack_id:
                continue
            if one.type == "attack-pattern" and not _TECHNIQUE.fullmatch(attack_id):
                self._tell("UT347", f"{attack_id[:40]!r} is no technique id; the object is left out")
                continue
            other = best.get(attack_id)
            if other is not None:
                self._tell(
                    "UT346", f"{attack_id} stands for two objects: {other.name[:60]!r}, {one.name[:60]!r}"
                )
                if (one.state == "active", one.modified) < (other.state == "active", other.modified):
                    continue
            best[attack_id] = one
        return {one.id: attack_id for attack_id, one in best.items()}

    def _relations(self) -> tuple[dict[str, set[str]], dict[str, str], dict[str, set[str]]]:
        successors: dict[str, set[str]] = {}
        subjects: dict[str, set[str]] = {}
        for one in self.by_stix.values():
            if one.type != "relationship" or one.revoked or one.x_mitre_deprecated:
                continue
            target = self.ids.get(one.target_ref)
            if one.relationship_type == "revoked-by" and target:
                successors.setdefault(one.source_ref, set()).add(target)
            elif one.relationship_type == "detects" and target:
                component = self.by_stix.get(one.source_ref)
                if component is not None and component.type == "x-mitre-data-component":
                    subjects.setdefault(target, set()).add(component.name)
        sources: dict[str, str] = {}
        for one in self.by_stix.values():
            if one.type == "x-mitre-data-component":
                owner = self.by_stix.get(one.x_mitre_data_source_ref)
                if owner is not None and owner.attack_id:
                    sources[one.name] = owner.attack_id
        return successors, dict(sorted(sources.items())), subjects

    def _tactics(self) -> dict[str, tuple[str, str]]:
        found = {
            one.x_mitre_shortname: (one.attack_id, one.name)
            for one in self.by_stix.values()
            if one.type == "x-mitre-tactic" and one.state == "active" and one.x_mitre_shortname
        }
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def _log_sources(self) -> tuple[LogSourceRow, ...]:
        """All (component, name, channel) with the techniques whose analytics refer to them."""
        users: dict[tuple[str, str, str], set[str]] = {}
        for one in self.by_stix.values():
            if one.type == "x-mitre-data-component":
                for entry in one.x_mitre_log_sources:
                    users.setdefault((one.id, entry.name or "", entry.channel or ""), set())
        detected: dict[str, list[str]] = {}
        for one in self.by_stix.values():
            if one.relationship_type == "detects" and one.target_ref in self.ids:
                detected.setdefault(one.source_ref, []).append(self.ids[one.target_ref])
        for strategy in self.by_stix.values():
            if strategy.type != "x-mitre-detection-strategy":
                continue
            for reference in strategy.x_mitre_analytic_refs:
                analytic = self.by_stix.get(reference)
                for entry in analytic.x_mitre_log_source_references if analytic else ():
                    key = (entry.x_mitre_data_component_ref, entry.name or "", entry.channel or "")
                    users.setdefault(key, set()).update(detected.get(strategy.id, ()))
        rows = [
            LogSourceRow(
                component=self.ids.get(component, ""),
                name=name,
                channel=channel,
                event_ids=event_ids(channel),
                techniques=tuple(sorted(techniques)),
            )
            for (component, name, channel), techniques in users.items()
        ]
        return tuple(sorted(rows, key=lambda row: (row.component, row.name, row.channel)))

    def _version_hint(self) -> str:
        """The release that a STIX 2.1 bundle names in its collection object; "" where there is none."""
        for one in self.by_stix.values():
            if one.type == "x-mitre-collection" and one.x_mitre_version:
                return one.x_mitre_version
        return ""


def event_ids(channel: str) -> tuple[int, ...]:
    """The Windows event ids that a channel text cites.

    >>> event_ids("EventCode=4768, 4769"), event_ids("socket/connect")
    ((4768, 4769), ())
    """
    cited = (number for match in _EVENT_ID.finditer(channel) for number in _NUMBER.findall(match.group(1)))
    return tuple(sorted({int(number) for number in cited}))
