"""How often an atom holds: a guess from its shape, and counts once events were seen.

Contract: chances rank atoms and steer nothing else; whatever they say, the same rules match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from undertag.match.indexed.atoms import Atom, Group, Needs

RARE: Final = 0.0015
"""A rule whose best group is met less often than this is sparse."""
_PRIOR_WEIGHT: Final = 8.0
"""The guess counts like so many events."""
_PRESENT: Final = 2.0
"""That a field is there says less than any literal in it, so it ranks behind all of them."""
_FOREIGN: Final = 0.000001
"""Texts outside ASCII are rare, and rules that look for them list a thousand."""
_HASH: Final = 0.0000002
"""Hashes are rarer still, and rules list thousands."""
_HASH_CHARS: Final = 32

# Guesses for texts that are in very many events of Windows systems; everything else is judged by its length.
_COMMON: Final = {
    "powershell": 0.15, "cmd.exe": 0.15, "svchost": 0.15, "system32": 0.6, "syswow64": 0.1, "c:\\windows": 0.6,
    "rundll32": 0.04, "explorer.exe": 0.06, "wmiprvse": 0.04, "services.exe": 0.05, "lsass": 0.05, "reg.exe": 0.02,
    "net.exe": 0.01, "net1.exe": 0.01, "msiexec": 0.02, "wscript": 0.01, "cscript": 0.01, "mshta": 0.01,
    "regsvr32": 0.01, "schtasks": 0.01, "conhost": 0.05, "python": 0.02, "chrome": 0.03, "msedge": 0.03,
    "program files": 0.15, "appdata": 0.1, "\\temp\\": 0.08, "\\users\\": 0.2, ".exe": 0.8, ".dll": 0.4,
    "microsoft": 0.5, "currentversion": 0.3, "hklm\\": 0.5, "hku\\": 0.3, "software\\": 0.4, "http": 0.05,
    "system": 0.3, "authority": 0.3, "programdata": 0.04, "winlogon": 0.03, "taskhost": 0.03, "true": 0.4, "false": 0.4,
}  # fmt: skip

_COMMON_JOINED: Final = "\0".join(_COMMON)
_SHARE: Final = 0.6
"""A common text says something of a longer one that it is more than so much of."""
_LONGEST: Final = max(map(len, _COMMON)) / _SHARE
_SHARES: Final = list(_COMMON.values())


class Guesses:
    """Guessed chances, the same for all plans of an engine and worked out once."""

    def __init__(self) -> None:
        self._atoms: dict[Atom, float] = {}
        self._groups: dict[Group, float] = {}

    def atom(self, atom: Atom) -> float:
        """The guess for an atom."""
        found = self._atoms.get(atom)
        if found is None:
            found = self._atoms[atom] = guess(atom)
        return found

    def group(self, group: Group) -> float:
        """The sum over a group."""
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = sum(map(self.atom, group))
        return found

    def take(self, groups: Iterable[Group], sums: Iterable[float]) -> None:
        """Takes in sums that were worked out before."""
        self._groups.update(zip(groups, sums, strict=True))


class Chances:
    """The chance of each group of atoms: guessed, and counted once events were seen."""

    def __init__(
        self, guesses: Guesses | None = None, counts: Mapping[Atom, int] | None = None, events: int = 0
    ) -> None:
        self.guesses = guesses or Guesses()
        self._counts = counts or {}
        self._events = events
        self._groups: dict[Group, float] = {}

    def group(self, group: Group) -> float:
        """About the chance that an event meets at least one of `group`, atoms taken as exclusive; may exceed 1."""
        if not self._events:
            return self.guesses.group(group)
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = self._counted(group)
        return found

    def _counted(self, group: Group) -> float:
        """The guess for each atom counts like a few events; that a field is there is never counted."""
        guessed, counted, present = self.guesses.group(group), 0, 0
        if guessed >= _PRESENT or not self._counts.keys().isdisjoint(group):
            present = sum(atom.kind == "present" for atom in group)
            counted = sum(self._counts.get(atom, 0) for atom in group if atom.kind != "present")
        guessed -= present * _PRESENT
        return present * _PRESENT + (counted + _PRIOR_WEIGHT * guessed) / (self._events + _PRIOR_WEIGHT)

    def best(self, needs: Needs, rare: float = RARE) -> Group | None:
        """The rarest group where it is rarer than `rare`, else None."""
        if needs.brief and rare == RARE and self._counts.keys().isdisjoint(needs.groups[0]):
            return needs.groups[0]  # it was rare by guess, and nothing that was seen speaks against it
        found = min(needs.groups, key=self.group, default=None)
        return found if found is not None and self.group(found) < rare else None


def guess(atom: Atom) -> float:
    """A guess from the atom's shape alone."""
    if atom.kind == "present":
        return _PRESENT
    text = atom.text
    if not text.isascii():
        return _FOREIGN
    chance = _common_chance(text)
    if atom.kind == "eq":
        return max(0.25 if len(text) < 3 else 0.0, chance * 0.8, 0.002 if len(text) < 8 else 0.0005)
    if len(text) >= _HASH_CHARS and text[-_HASH_CHARS:].isalnum():
        return _HASH
    by_length = (
        0.5
        if len(text) <= 2
        else 0.15
        if len(text) == 3
        else 0.03
        if len(text) <= 5
        else 0.004
        if len(text) <= 8
        else 0.0008
        if len(text) <= 24
        else 0.00001  # whole paths: rules that look for such list hundreds
    )
    if "\\" in text or "/" in text:
        by_length *= 0.6
    return max(by_length, chance)


def _common_chance(text: str) -> float:
    """The share of the commonest text that `text` is part of, or most of it."""
    if len(text) > _LONGEST:
        return 0.0
    if len(text) < 12 and text in _COMMON_JOINED:
        return max((share for part, share in _COMMON.items() if text in part), default=0.0)
    hits = _common_automaton().find_matches_as_indexes(
        text.encode("utf-8", "surrogatepass"), overlapping=True
    )
    return max((_SHARES[atom] for atom, start, end in hits if end - start > _SHARE * len(text)), default=0.0)


@cache
def _common_automaton() -> BytesAhoCorasick:
    return BytesAhoCorasick([part.encode() for part in _COMMON])
