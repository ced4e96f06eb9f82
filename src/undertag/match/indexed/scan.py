"""One field of one plan: a value becomes one integer.

Contract: `FieldScan.integers(batch)` gives for each event an integer whose bits are, from the lowest: `dense` bits
of rules that the value rules out, `dense` bits of rules whose many-field group it meets, and one flag a field, which says that
`sparse[value]` of that field names further rules to evaluate. The integer depends on the value alone. Values are folded, joined
between bytes that no UTF-8 text has (0xFF), and searched for all literals in one Aho-Corasick pass.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Any, Final

from ahocorasick_rs import BytesAhoCorasick

from undertag.match.indexed.atoms import RAW, Atom
from undertag.match.indexed.gate import FOLDING, HIDING
from undertag.match.scalars import all_scalars, fold, scalars_of, text_of
from undertag.model.batch import Batch

MEMO_SIZE: Final = 1_024
"""Distinct values remembered a field; the memo is emptied when it is full."""
_EDGE: Final = b"\xff"
_ESCAPE: Final = re.compile(
    rb"\\u([0-9a-f]{4})|&#0*([0-9]{1,7});|&#x0*([0-9a-f]{1,6});|(" + b"|".join(FOLDING) + rb")"
)
"""A character as JSON and XML may write it, folded, and the letters that fold to plain ones."""
_HASHED_BY_TEXT: Final = frozenset((str, int, NoneType))
"""Values of which no two have the same hash and another text; True and 1.0 would be taken for 1."""
_ONLY_TEXTS: Final = frozenset((str,))


class Marks:
    """What meeting an atom does to a value's integer: bits to clear, bits to put, rules to evaluate."""

    __slots__ = ("clear", "put", "sparse")

    def __init__(self) -> None:
        self.clear = 0
        self.put = 0
        self.sparse: tuple[int, ...] = ()


class FieldScan:
    """Turns the values of one field into integers."""

    __slots__ = (
        "_automaton",
        "_base",
        "_clear",
        "_flag",
        "_numbers",
        "_put",
        "_sparse_of",
        "_weighed",
        "absent",
        "gated",
        "memo",
        "name",
        "sparse",
    )

    def __init__(
        self,
        name: str,
        marks: Mapping[Atom, Marks],
        ruled_out: int,
        flag: int,
        gated: frozenset[str] = frozenset(),
    ) -> None:
        """`ruled_out`: bits of the rules that need a group of this field; `flag`: the bit that points to `sparse`;
        `gated`: literals that the gate looks for, so that rows it calls quiet hold none."""
        present = marks.get(Atom(name, "present", ""), Marks())
        atoms = [atom for atom in marks if atom.kind != "present"]
        self.name = name
        self.absent = ruled_out
        self._base = (ruled_out & ~present.clear) | present.put
        self._clear = [marks[atom].clear for atom in atoms]
        self._put = [marks[atom].put for atom in atoms]
        self._sparse_of = [marks[atom].sparse for atom in atoms]
        self._flag = flag
        self._automaton = automaton_of(atoms)
        self._weighed: dict[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}
        self.gated = name == RAW and all(atom.text in gated for atom in atoms)
        self.memo: dict[Any, int] = {None: self.absent}
        self.sparse: dict[Any, tuple[int, ...]] = {}
        self._numbers = False
        """Whether values that are no texts were remembered."""

    def integers(self, batch: Batch) -> list[int] | int:
        """One integer an event, or a single one where all events have the same."""
        if self.name == RAW:
            return self._raw_integers(batch)
        column = batch.column(self.name)
        memo = self.memo
        try:
            found = list(map(memo.get, column))
        except TypeError:  # arrays or objects among the values
            return self._mixed(column)
        if self._numbers and not _HASHED_BY_TEXT.issuperset(map(type, column)):
            return self._mixed(column)
        if None in found:
            new = {value for value, known in zip(column, found, strict=True) if known is None}
            if len(memo) + len(new) > MEMO_SIZE:
                self._forget()
                new = set(column)
                new.discard(None)
            if not _ONLY_TEXTS.issuperset(map(type, new)):
                if not _HASHED_BY_TEXT.issuperset(map(type, column)):
                    return self._mixed(column)
                self._numbers = True
            self._learn(new)
            found = list(map(memo.get, column))
        return found  # type: ignore[return-value]

    def sparse_of(self, value: Any) -> tuple[int, ...]:
        """The rules that the value's flag stands for."""
        if isinstance(value, (str, bytes)):
            return self.sparse.get(value, ())
        rules: set[int] = set()
        for text in _texts(value):
            rules.update(self.sparse.get(text, ()))
        if not isinstance(value, (list, dict, bool)):
            rules.update(self.sparse.get(value, ()))
        return tuple(sorted(rules))

    def _forget(self) -> None:
        self.memo.clear()
        self.memo[None] = self.absent
        self.sparse.clear()
        self._numbers = False

    def _learn(self, new: Iterable[Any]) -> None:
        values = list(new)
        self.memo.update(dict.fromkeys(values, self._base))
        if self._automaton is None:
            return
        texts = [value.lower() if value.__class__ is str else text_of(value).lower() for value in values]
        if not all(map(str.isascii, texts)):
            texts = list(map(fold, texts))
        folded = [text.encode("utf-8", "surrogatepass") for text in texts]
        for index, atoms in search(self._automaton, folded).items():
            value = values[index]
            self.memo[value], sparse = self._weigh(atoms)
            if sparse:
                self.sparse[value] = sparse

    def _weigh(self, atoms: list[int]) -> tuple[int, tuple[int, ...]]:
        """The integer and the sparse rules of a value in which these atoms were met; values alike meet the same."""
        key = tuple(atoms)
        found = self._weighed.get(key)
        if found is None:
            if len(self._weighed) >= MEMO_SIZE:
                self._weighed.clear()
            found = self._weighed[key] = self._weigh_anew(atoms)
        return found

    def _weigh_anew(self, atoms: list[int]) -> tuple[int, tuple[int, ...]]:
        clear = put = 0
        sparse: tuple[int, ...] = ()
        for atom in set(atoms):
            clear |= self._clear[atom]
            put |= self._put[atom]
            if self._sparse_of[atom]:
                sparse += self._sparse_of[atom]
        integer = (self._base & ~clear) | put
        return (integer | self._flag, tuple(dict.fromkeys(sparse))) if sparse else (integer, ())

    def _mixed(self, column: Sequence[Any]) -> list[int]:
        """Integers of a column with arrays, objects or booleans: each is read as the texts in it."""
        rows = [[value] if isinstance(value, str) else _texts(value) for value in column]
        fresh = {text for texts in rows for text in texts if text not in self.memo}
        if len(self.memo) + len(fresh) > MEMO_SIZE:
            self._forget()
            fresh = {text for texts in rows for text in texts}
        if fresh:
            self._learn(fresh)
        integers = []
        for value, texts in zip(column, rows, strict=True):
            if texts:
                integers.append(self._union([self.memo[text] for text in texts]))
            else:
                integers.append(self.absent if value is None else self._base)
        return integers

    def _union(self, parts: list[int]) -> int:
        """A rule that needs a group here stays in if any text meets it; any other is out if any text refutes it."""
        every, some = parts[0], parts[0]
        for part in parts[1:]:
            every &= part
            some |= part
        return (every & self._base) | (some & ~self._base)

    def trusts_gate(self, batch: Batch) -> bool:
        """Whether rows that the gate calls quiet hold none of the keywords: what lines and XML say may be written in
        hexadecimal or in pieces."""
        return self.gated and batch.layout.json

    def rows_met(self, batch: Batch) -> list[int]:
        """The rows in whose bytes one of the literals is."""
        return list(self._search_raws(batch, range(len(batch))))

    def _raw_integers(self, batch: Batch) -> list[int] | int:
        """Keywords are rare: only rows that the gate calls loud are searched, all rows where it can't tell."""
        self.sparse.clear()
        rows = batch.loud if batch.loud is not None and self.trusts_gate(batch) else range(len(batch))
        if not rows or self._automaton is None:
            return self._base
        integers = [self._base] * len(batch)
        for row, atoms in self._search_raws(batch, rows).items():
            integers[row], sparse = self._weigh(atoms)
            if sparse:
                self.sparse[batch.raws[row]] = sparse
        return integers

    def _search_raws(self, batch: Batch, rows: Sequence[int]) -> dict[int, list[int]]:
        """Which atoms are met in the bytes of which of these rows; in their values where the bytes don't show these."""
        if not batch.layout.json:
            folded = [_values(batch.event(row)) for row in rows]
            return {rows[index]: atoms for index, atoms in search(self._automaton, folded).items()}
        quiet = frozenset(rows).difference(batch.loud) if batch.loud is not None else frozenset()
        folded = [(_folded if row in quiet else _unhidden)(batch.raws[row]) for row in rows]
        return {rows[index]: atoms for index, atoms in search(self._automaton, folded).items()}


def search(automaton: Any, folded: list[bytes]) -> dict[int, list[int]]:
    """Which atoms (by number) are met in which texts (by index); texts without any are left out.

    Hits come in the order of their ends, so one walk along the joined texts assigns them.
    """
    found: dict[int, list[int]] = {}
    if not folded:
        return found
    index, limit = -1, 0
    here: list[int] = []
    for atom, _, end in automaton.find_matches_as_indexes(
        _EDGE + _EDGE.join(folded) + _EDGE, overlapping=True
    ):
        if end > limit:
            while end > limit:
                index += 1
                limit += len(folded[index]) + (1 if index else 2)
            here = found[index] = []
        here.append(atom)
    return found


def automaton_of(atoms: list[Atom]) -> Any:
    """One automaton for all atoms of a field, in their order."""
    return BytesAhoCorasick([_pattern(atom) for atom in atoms]) if atoms else None


def _pattern(atom: Atom) -> bytes:
    text = atom.text.encode("utf-8", "surrogatepass")
    if atom.kind in ("eq", "startswith"):
        text = _EDGE + text
    if atom.kind in ("eq", "endswith"):
        text += _EDGE
    return text


def _values(event: Mapping[str, Any]) -> bytes:
    """All values of an event, folded."""
    texts = [fold(text_of(value)) for value in all_scalars(event) if value is not None]
    return _EDGE.join([text.encode("utf-8", "surrogatepass") for text in texts])


def _folded(raw: bytes) -> bytes:
    return raw.lower().replace(_EDGE, b"?")


def _unhidden(raw: bytes) -> bytes:
    """A record's bytes folded; where letters may hide behind escapes the same once more without them."""
    folded = _folded(raw)
    if any(mark in raw for mark in HIDING):
        return folded + _EDGE + _ESCAPE.sub(_unescaped, folded)
    return folded


def _unescaped(escape: re.Match[bytes]) -> bytes:
    if escape[4]:
        return escape[4].decode().lower().encode("ascii", "replace")
    code = int(escape[2]) if escape[2] else int(escape[1] or escape[3], 16)
    return chr(code).lower().encode("ascii", "replace") if code <= sys.maxunicode else b"?"


def _texts(value: Any) -> list[str]:
    return [text_of(item) for item in scalars_of(value) if item is not None]
