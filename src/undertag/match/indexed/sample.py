"""How often literals hold in a sample of events.

Contract: `Sample.chances()` knows the counts of every atom that was counted, and guesses the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from undertag.match.indexed.atoms import RAW, Atom, Needs
from undertag.match.indexed.chances import Chances, Guesses
from undertag.match.indexed.folded import as_text
from undertag.match.indexed.scan import automaton_of, search
from undertag.match.scalars import fold
from undertag.model.batch import Batch


class Sample:
    """Events of one entry, and what was counted in them so far."""

    def __init__(self, batches: Sequence[Batch], guesses: Guesses) -> None:
        self._batches = batches
        self._guesses = guesses
        self._counts: dict[Atom, int] = {}
        self._asked: set[Atom] = set()
        self._texts: dict[str, tuple[list[bytes], list[int]]] = {}

    def chances(self) -> Chances:
        """What was counted."""
        return Chances(self._guesses, self._counts, sum(map(len, self._batches)))

    def count(self, some: Iterable[Needs]) -> None:
        """Counts in how many events each atom holds, those on the record's bytes left out."""
        atoms: set[Atom] = set()
        for needs in some:
            atoms.update(needs.refuters, *needs.groups)
        atoms -= self._asked
        self._asked |= atoms
        by_field: dict[str, list[Atom]] = {}
        for atom in atoms:
            by_field.setdefault(atom.field, []).append(atom)
        for name, wanted in by_field.items():
            if name != RAW:
                self._count(name, wanted)

    def _count(self, name: str, atoms: list[Atom]) -> None:
        folded, weights = self._texts.get(name) or self._read(name)
        literal = [atom for atom in atoms if atom.kind != "present"]
        if not literal or not folded:
            return
        for index, hits in search(automaton_of(literal), folded).items():
            for hit in set(hits):
                atom = literal[hit]
                self._counts[atom] = self._counts.get(atom, 0) + weights[index]

    def _read(self, name: str) -> tuple[list[bytes], list[int]]:
        """The distinct texts of a field, and in how many events each is."""
        weights: Counter[str] = Counter()
        present = 0
        for value in (value for batch in self._batches for value in batch.column(name)):
            text = as_text(value)
            if text is None:
                continue
            present += 1
            if isinstance(text, str):
                weights[fold(text)] += 1
            else:
                weights.update(list(map(fold, text)))
        self._counts[Atom(name, "present", "")] = present
        folded = [text.encode("utf-8", "surrogatepass") for text in weights]
        read = self._texts[name] = (folded, list(weights.values()))
        return read
