"""How often an atom holds: a guess from its shape, and counts once events were seen.

Contract: chances rank atoms and steer nothing else; whatever they say, the same rules match.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from undertag.match.indexed.atoms import Atom, Group

_PRIOR_WEIGHT: Final = 8.0
"""The guess counts like so many events."""
_PRESENT: Final = 2.0
"""That a field is there says less than any literal in it, so it ranks behind all of them."""
_FOREIGN: Final = 0.00001
"""Texts outside ASCII are rare, and rules that look for them list hundreds."""

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
_SHARES: Final = list(_COMMON.values())


class Chances:
    """The chance of each atom, between 0 and 1."""

    def __init__(self, counts: Mapping[Atom, int] | None = None, events: int = 0) -> None:
        self._counts = counts or {}
        self._events = events
        self._memo: dict[Atom, float] = {}
        self._groups: dict[Group, float] = {}

    def atom(self, atom: Atom) -> float:
        """The chance that an event of the entry meets `atom`."""
        found = self._memo.get(atom)
        if found is None:
            found = guess(atom)
            if self._events and atom.kind != "present":
                found = (self._counts.get(atom, 0) + _PRIOR_WEIGHT * found) / (self._events + _PRIOR_WEIGHT)
            self._memo[atom] = found
        return found

    def group(self, group: Group) -> float:
        """About the chance that an event meets at least one of `group`, atoms taken as exclusive; may exceed 1."""
        found = self._groups.get(group)
        if found is None:
            found = self._groups[group] = sum(map(self.atom, group))
        return found


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
        else 0.00001  # hashes, whole paths: rules that look for such list hundreds
    )
    if "\\" in text or "/" in text:
        by_length *= 0.6
    return max(by_length, chance)


def _common_chance(text: str) -> float:
    """The share of the commonest text that `text` is part of, or most of it."""
    if len(text) < 12 and text in _COMMON_JOINED:
        return max((share for part, share in _COMMON.items() if text in part), default=0.0)
    hits = _common_automaton().find_matches_as_indexes(
        text.encode("utf-8", "surrogatepass"), overlapping=True
    )
    return max((_SHARES[atom] for atom, start, end in hits if end - start > 0.6 * len(text)), default=0.0)


@cache
def _common_automaton() -> BytesAhoCorasick:
    return BytesAhoCorasick([part.encode() for part in _COMMON])
