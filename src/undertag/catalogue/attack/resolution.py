"""The answer to "where does this id stand in that release?". No I/O.

| state | means | `ids` |
| --- | --- | --- |
| `current` | active in the release | the one id |
| `moved` | another id stands for it | the one id |
| `split` | several ids stand for it | all of them |
| `deprecated` | withdrawn; ATT&CK may name others "where appropriate" | those, or none |
| `absent` | known, but the release is older and has nothing for it | none; `suggestions`: its parent's |
| `not-tracked` | of a kind that the release's facts don't cover (groups, software) | the id as given |
| `unknown` | in no release | none; `suggestions` may help |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ResolutionState = Literal["current", "moved", "split", "deprecated", "absent", "not-tracked", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One step of a chain: `source` became `target` in the first known release `by`; `basis` is what says so.

    `kind` is `revoked`, `deprecated`, `tactic-split`, or `predecessor` where the way leads back in time.
    """

    source: str
    target: str
    kind: str
    by: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Where an id or tag stands in release `to`."""

    asked: str
    kind: str
    """`technique`, `tactic`, `software`, `group`, …, or `other` for a text that is no ATT&CK tag."""
    id: str
    """The id asked for in ATT&CK's own spelling (`T1086`; tactics by short name: `defense-evasion`)."""
    name: str
    """Its name in the newest release that has it; "" where unknown."""
    to: str
    state: ResolutionState
    ids: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    note: str = ""
    suggestions: tuple[str, ...] = ()

    @property
    def advice(self) -> str:
        """What ATT&CK says of a deprecated id beside that: no other stands for it."""
        return advice(self.ids)

    @property
    def chain(self) -> tuple[str, ...]:
        """All ids on the way, the asked one first."""
        return tuple(dict.fromkeys([self.id, *(hop.target for hop in self.hops)]))

    @property
    def tags(self) -> tuple[str, ...]:
        """`ids` as Sigma tags."""
        return tuple(f"attack.{one.lower()}" for one in self.ids)


def advice(ids: Sequence[str]) -> str:
    """The words for what ATT&CK names where an id is deprecated; advice, not identity."""
    return f"names {', '.join(ids)} where appropriate" if ids else "names no successor"
