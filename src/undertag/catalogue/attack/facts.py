"""The embedded ATT&CK facts: what was a technique, a tactic, a data source in which release.

Contract: the data file is read once, when a release is first asked for, never on import; a `Release` never
changes. The file holds *histories*: of each object its rows, each good from one release until the next row,
so what did not change between two releases is stored once. v19 is thin: identifiers, names and tactics are
its own, platforms are those of v18.1 (`Release.inherited` says so). Its copyright notice is `notice()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from undertag.model.problem import CatalogueError, Problem

DEFAULT_VERSION: Final = "19"
"""The release that tags are read as, unless a setting says otherwise."""

State = Literal["active", "revoked", "deprecated"]
Row = tuple[str, tuple[str, ...], tuple[str, ...], str, tuple[str, ...]]
DATA: Final = Path(__file__).parent.parent / "data" / "attack"
_STATES: Final = ("active", "revoked", "deprecated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """A technique or sub-technique as one release knows it.

    `successors` are what the release itself names: what the technique was revoked by, or what its deprecation
    note points to. They may be gone in later releases; `resolve` follows them.
    """

    id: str
    name: str
    tactics: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    state: State = "active"
    successors: tuple[str, ...] = ()

    @property
    def parent(self) -> str | None:
        """The technique that a sub-technique belongs to; None for a technique."""
        return self.id.partition(".")[0] if "." in self.id else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tactic:
    """A tactic: its short name as tags use it (`credential-access`), its id (`TA0006`), its title."""

    name: str
    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackObject:
    """Software, a group, a campaign, a data source or a data component."""

    id: str
    name: str
    state: State = "active"
    successors: tuple[str, ...] = ()


class Release:
    """One ATT&CK release.

    Attributes:
        version: `"18.1"`, `"19"`.
        inherited: what is not the release's own: attribute → release that it was taken from.
        tracks: the letters of ids that the release's facts cover (`T`, `TA`, `DS`, `DC`, `S`, `G`, `C`).
    """

    __slots__ = ("_rows", "_tactics", "inherited", "tracks", "version")

    def __init__(
        self,
        *,
        version: str,
        tactics: Mapping[str, Tactic],
        rows: Mapping[str, Row],
        inherited: Mapping[str, str] | None = None,
    ) -> None:
        self.version = version
        self.inherited: Mapping[str, str] = inherited or {}
        self.tracks = frozenset({"TA"} | {id_kind(key) for key in rows})
        self._tactics = tactics
        self._rows = rows

    def __repr__(self) -> str:
        return f"Release({self.version!r}, {len(self._rows)} objects)"

    def technique(self, attack_id: str) -> Technique | None:
        """The technique with that id (`T1059.001`), be it revoked or deprecated; None if there is none."""
        row = self._rows.get(attack_id)
        if row is None or id_kind(attack_id) != "T":
            return None
        return _technique(attack_id, row)

    def tactic(self, name: str) -> Tactic | None:
        """The tactic of that short name (`stealth`, also `Credential Access`, `credential_access`) or id."""
        found = self._tactics.get(tactic_key(name))
        if found is None:
            found = next((tactic for tactic in self._tactics.values() if tactic.id == name.upper()), None)
        return found

    def object(self, attack_id: str) -> AttackObject | None:
        """Any other object with that id (`DS0005`, `DC0029`, `S0002`); None if there is none."""
        row = self._rows.get(attack_id)
        if row is None:
            return None
        return AttackObject(id=attack_id, name=row[0], state=_state(row), successors=row[4])

    def tactics(self) -> tuple[Tactic, ...]:
        """All tactics, by id."""
        return tuple(sorted(self._tactics.values(), key=lambda tactic: tactic.id))

    def techniques(self) -> Iterator[Technique]:
        """All techniques in the order of their ids, revoked and deprecated ones included."""
        for attack_id, row in self._rows.items():
            if id_kind(attack_id) == "T":
                yield _technique(attack_id, row)

    def ids(self) -> Iterator[str]:
        """The ids of all objects but tactics."""
        return iter(self._rows)

    def row(self, attack_id: str) -> Row | None:
        """The bare facts of an object: name, tactics, platforms, state, successors."""
        return self._rows.get(attack_id)


def id_kind(attack_id: str) -> str:
    """The letters that an id begins with.

    >>> id_kind("T1059.001"), id_kind("TA0005"), id_kind("DS0005")
    ('T', 'TA', 'DS')
    """
    return attack_id.rstrip("0123456789.")


def tactic_key(name: str) -> str:
    """A tactic's short name from any of its spellings.

    >>> tactic_key("Command and Control"), tactic_key("defense_evasion")
    ('command-and-control', 'defense-evasion')
    """
    return name.strip().lower().replace("_", "-").replace(" ", "-")


def _state(row: Row) -> State:
    return row[3]  # type: ignore[return-value]  # the loader makes rows from _STATES only


def _technique(attack_id: str, row: Row) -> Technique:
    name, tactics, platforms, _, successors = row
    return Technique(
        id=attack_id,
        name=name,
        tactics=tactics,
        platforms=platforms,
        state=_state(row),
        successors=successors,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A tactic that became others in a release."""

    tactic: str
    into: tuple[str, ...]
    by: str
    basis: str


class History:
    """All embedded releases, as read from the data file."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.versions: tuple[str, ...] = tuple(release["version"] for release in document["releases"])
        self.bases: Mapping[str, str] = document["bases"]
        self._basis_of: Mapping[str, str] = document["basis"]
        self.moves = tuple(
            Move(tactic=move["from"], into=tuple(move["to"]), by=move["by"], basis=move["basis"])
            for move in document["tactic_moves"]
        )
        self._releases: dict[str, Release] = {}

    def basis(self, attack_id: str, state: str) -> str:
        """What a successor of that id rests on: a key of `bases`."""
        found = self._basis_of.get(attack_id)
        return found if found is not None else ("revoked-by" if state == "revoked" else "deprecation-note")

    def first_with(self, source: str, target: str) -> str | None:
        """The first embedded release that names `target` as a successor of `source`; None if none does."""
        for row in self.document["objects"].get(source, ()):
            if len(row) > 1 and target in row[5]:
                return str(self.versions[row[0]])
        return None

    def release(self, version: str) -> Release:
        """The embedded release of exactly that version."""
        found = self._releases.get(version)
        if found is None:
            found = self._releases[version] = self._make(self.versions.index(version))
        return found

    def _make(self, index: int) -> Release:
        head = self.document["releases"][index]
        tactic_names, platform_names = self.document["tactics"], self.document["platforms"]
        rows: dict[str, Row] = {}
        for attack_id, history in self.document["objects"].items():
            row = None
            for candidate in history:
                if candidate[0] > index:
                    break
                row = candidate
            if row is None or len(row) == 1:
                continue
            _, name, tactics, platforms, state, after = row
            rows[attack_id] = (
                name,
                tuple(tactic_names[number] for number in tactics),
                tuple(platform_names[number] for number in platforms),
                _STATES[state],
                tuple(after),
            )
        tactics = {
            name: Tactic(name=name, id=tactic_id, title=title) for name, tactic_id, title in head["tactics"]
        }
        return Release(version=head["version"], tactics=tactics, rows=rows, inherited=head["inherited"])


@cache
def history() -> History:
    """The embedded history; read on the first call.

    Raises:
        CatalogueError: UT340, the data file is of another format than this version reads.
    """
    import json

    document = json.loads((DATA / "objects.json").read_bytes())
    if document.get("format") != 1:
        raise CatalogueError(
            Problem(
                code="UT340",
                message=f"the embedded ATT&CK facts are of format {document.get('format')!r}, not 1",
                hint="reinstall undertag: its files are of different versions",
            )
        )
    return History(document)


def notice() -> str:
    """ATT&CK's copyright line, for wherever its content is shown; the file `NOTICE` has the licence."""
    return (DATA / "NOTICE").read_text(encoding="utf-8").partition("\n")[0]
