"""All rules that can be true in one entry, as integers and closures.

Contract: `Plan.match(batch)` gives exactly the (row, rule) pairs that match/reference.py finds; the filter in front
of the conditions may only ever let too much through. Rules whose best group is rare are *sparse*: they cost nothing
until one of its literals is met. The others are *dense*: each has a bit in every value's integer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import or_
from typing import Any, Final, NamedTuple

from undertag.match.indexed.asked import Asked, Asking, Memory, Reason
from undertag.match.indexed.atoms import RAW, Atom, Group, Needs, needs_of, single_field
from undertag.match.indexed.chances import Chances
from undertag.match.indexed.closures import compile_condition
from undertag.match.indexed.columns import compile_column_tests
from undertag.match.indexed.folded import FoldedEvent, as_text
from undertag.match.indexed.long_texts import LongTexts
from undertag.match.indexed.scan import FieldScan, Marks, automaton_of, search
from undertag.match.indexed.text_tests import Timeouts
from undertag.model.batch import Batch
from undertag.model.expr import TRUE, Expr, field_names

RARE: Final = 0.0015
"""A rule whose best group is met less often than this is sparse."""
_UNUSUAL: Final = re.compile(r"[\x00-\x1f\"\\.]")
"""What no plain field's name has: paths, and names that JSON would have to escape, are looked up one by one."""
_USEFUL: Final = 0.4
"""A group that more events meet than this rules out too little to be looked for."""
MAX_VERDICTS: Final = 4096
OFTEN: Final = 0.015
"""A rule that its groups leave in more often than this is asked of a whole batch first, if it can be."""


class Found(NamedTuple):
    """The hits on one event in the order of the rules' numbers."""

    asking: Asking
    row: int
    hits: list[tuple[int, Reason]]

    @property
    def event(self) -> FoldedEvent:
        """The event, to say the reasons that nobody said yet."""
        return self.asking.events[self.row]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the rules."""
        return [number for number, _ in self.hits]


class _Verdict:
    """What an event's integer says: the dense rules that it leaves in, and the fields whose values name sparse ones."""

    __slots__ = ("numbers", "scans")

    def __init__(self, numbers: tuple[int, ...], scans: tuple[FieldScan, ...]) -> None:
        self.numbers = numbers
        self.scans = scans


class Plan:
    """The rules of one entry, ready to match its batches."""

    def __init__(
        self,
        rules: Sequence[tuple[int, Expr]],
        chances: Chances | None = None,
        needs: Mapping[int, Needs] | None = None,
        *,
        gated: frozenset[str] = frozenset(),
        memory: Memory | None = None,
    ) -> None:
        """`rules`: (number, bound condition) pairs; the numbers come back in hits. `needs`: those known already."""
        self._gated, self.rules = gated, list(rules)
        chances = chances or Chances()
        self.always = [number for number, expr in rules if expr == TRUE]
        self._exprs = dict(rules)
        self.timeouts = Timeouts()
        self._longs = LongTexts(self._exprs.values())
        self._memory = memory or Memory()
        self._askeds: dict[int, Asked] = {}
        known = needs or {}
        self._needs: dict[int, Needs] = {
            number: known.get(number) or needs_of(expr, chances.group)
            for number, expr in rules
            if expr != TRUE
        }
        self._dense: list[int] = []
        self._often: set[int] = set()
        self._names: tuple[str, ...] | None = None
        self._chances: Chances | None = chances
        """Until the filter is built; a plan that is at once planned anew never needs one."""

    def _build(self, chances: Chances) -> None:
        self._chances = None
        marks: dict[str, dict[Atom, Marks]] = {}
        ruled_out: dict[str, int] = {}

        def mark(atom: Atom) -> Marks:
            return marks.setdefault(atom.field, {}).setdefault(atom, Marks())

        dense: list[tuple[int, Needs]] = []
        for number, needs in self._needs.items():
            best = min(needs.groups, key=chances.group, default=None)
            if best is not None and chances.group(best) < RARE:
                for atom in best:
                    mark(atom).sparse.add(number)
            else:
                dense.append((number, needs))
        width = len(dense)
        many = 0
        for index, (number, needs) in enumerate(dense):
            self._dense.append(number)
            bit = 1 << index
            for name, group in _cheapest_by_field(needs.groups, chances).items():
                if chances.group(group) > _USEFUL:
                    continue
                ruled_out[name] = ruled_out.get(name, 0) | bit
                for atom in group:
                    mark(atom).clear |= bit
            spanning = [group for group in needs.groups if single_field(group) is None]
            if spanning:
                many |= bit
                for atom in min(spanning, key=chances.group):
                    mark(atom).put |= bit << width
            for atom in needs.refuters:
                mark(atom).put |= bit
            if min(map(chances.group, needs.groups), default=1.0) > OFTEN:
                self._often.add(number)
        self._mask = (1 << width) - 1
        self._width = width
        self._no_many = self._mask & ~many
        names = sorted(marks.keys() | ruled_out.keys())
        self._flags = ((1 << len(names)) - 1) << (2 * width)
        self._verdicts: dict[int, _Verdict | None] = {}
        self._known: dict[int, _Verdict] = {}
        self._constant = 0
        self._scans = [
            FieldScan(
                name, marks.get(name, {}), ruled_out.get(name, 0), 1 << (2 * width + index), self._gated
            )
            for index, name in enumerate(names)
        ]

    def match(self, batch: Batch) -> dict[int, Found]:
        """What matches, by row; rows without a match are left out."""
        if self._chances is not None:
            self._build(self._chances)
        batch.prepare(self._plain_names(batch))
        asking = Asking(batch, self._longs)
        hits: dict[int, list[tuple[int, Reason]]] = {}
        for number, rows in sorted(self._candidates(batch).items()):
            for row, reason in self._asked(number).met(rows, asking):
                if row in hits:
                    hits[row].append((number, reason))
                else:
                    hits[row] = [(number, reason)]
        return {row: Found(asking, row, some) for row, some in hits.items()}

    def _plain_names(self, batch: Batch) -> tuple[str, ...]:
        """The fields of the records themselves that scans and conditions ask for."""
        if self._names is None:
            asked = {scan.name for scan in self._scans}.union(*map(field_names, self._exprs.values()))
            names: set[str] = set()
            for name in asked:
                if name.startswith("~"):
                    names.update(batch.entry.derivations[name].fields)
                elif not _UNUSUAL.search(name) and batch.layout.getter(name) is None:
                    names.add(name)
            self._names = tuple(sorted(names))
        return self._names

    def _asked(self, number: int) -> Asked:
        asked = self._askeds.get(number)
        if asked is None:
            expr = self._exprs[number]
            first = compile_column_tests(expr) if number in self._often else None
            condition = compile_condition(expr, self.timeouts)
            asked = self._askeds[number] = Asked(expr, condition, first, self._memory)
        return asked

    def _candidates(self, batch: Batch) -> dict[int, list[int]]:
        """By its number each rule that is left in somewhere, with the rows to ask it of."""
        constant = 0
        columns: list[list[int]] = []
        for scan in self._scans:
            integers = scan.integers(batch)
            if isinstance(integers, int):
                constant |= integers
            else:
                columns.append(integers)
        if constant != self._constant:
            self._verdicts.clear()
            self._constant = constant
        if columns:
            total = columns[0]
            for column in columns[1:]:
                total = list(map(or_, total, column))
        elif self._judge(0, constant) is not None:
            total = [0] * len(batch)
        else:
            return {number: list(range(len(batch))) for number in self.always}
        verdicts = self._verdicts
        left: dict[_Verdict, list[int]] = {}
        for row, integer in enumerate(total):
            try:
                verdict = verdicts[integer]
            except KeyError:
                verdict = self._judge(integer, constant)
            if verdict is not None:
                if verdict in left:
                    left[verdict].append(row)
                else:
                    left[verdict] = [row]
        return self._by_rule(batch, left)

    def _by_rule(self, batch: Batch, left: Mapping[_Verdict, list[int]]) -> dict[int, list[int]]:
        """The same by rule instead of by verdict."""
        rules: dict[int, list[int]] = {number: list(range(len(batch))) for number in self.always}
        for verdict, rows in left.items():
            for number in verdict.numbers:
                if number in rules:
                    rules[number] += rows
                else:
                    rules[number] = list(rows)
            columns = [
                (scan, batch.raws if scan.name == RAW else batch.column(scan.name)) for scan in verdict.scans
            ]
            for row in rows if columns else ():
                some: Iterable[int]
                if len(columns) == 1:
                    scan, column = columns[0]
                    some = scan.sparse_of(column[row])
                else:
                    some = {number for scan, column in columns for number in scan.sparse_of(column[row])}
                for number in some:
                    if number in rules:
                        rules[number].append(row)
                    else:
                        rules[number] = [row]
        return rules

    def _judge(self, integer: int, constant: int) -> _Verdict | None:
        """What an event's integer leaves in; the same integers come again."""
        whole = integer | constant
        left = self._mask & ~whole & ((whole >> self._width) | self._no_many)
        whole = left | (whole & self._flags)
        if len(self._verdicts) >= MAX_VERDICTS:
            self._verdicts.clear()
            self._known.clear()
        verdict = self._known.get(whole)
        if verdict is None and whole:
            numbers = tuple([self._dense[bit] for bit in _bits(left)])
            scans = tuple([self._scans[bit] for bit in _bits(whole >> (2 * self._width))])
            verdict = self._known[whole] = _Verdict(numbers, scans)
        self._verdicts[integer] = verdict
        return verdict

    def learn(self, batches: Sequence[Batch]) -> Plan:
        """The same rules planned anew by how often their atoms hold in `batches`."""
        atoms: dict[str, list[Atom]] = {}
        for needs in self._needs.values():
            for atom in {*needs.refuters, *(atom for group in needs.groups for atom in group)}:
                atoms.setdefault(atom.field, []).append(atom)
        counts: dict[Atom, int] = {}
        for name, wanted in atoms.items():
            if name != RAW:
                _count(name, list(dict.fromkeys(wanted)), batches, counts)
        chances = Chances(counts, sum(map(len, batches)))
        # A rule whose best group is rare by count stays as it is; the others look for a better one.
        kept = {
            number: needs
            for number, needs in self._needs.items()
            if any(chances.group(group) < RARE for group in needs.groups)
        }
        return Plan(self.rules, chances, kept, gated=self._gated, memory=self._memory)


def _cheapest_by_field(groups: Sequence[Group], chances: Chances) -> dict[str, Group]:
    cheapest: dict[str, Group] = {}
    for group in groups:
        name = single_field(group)
        if name is not None and (
            name not in cheapest or chances.group(group) < chances.group(cheapest[name])
        ):
            cheapest[name] = group
    return cheapest


def _count(name: str, atoms: list[Atom], batches: Sequence[Batch], counts: dict[Atom, int]) -> None:
    """Counts in how many events each atom of one field holds."""
    weights: Counter[Any] = Counter()
    present = 0
    for value in (value for batch in batches for value in batch.column(name)):
        text = as_text(value)
        if text is None:
            continue
        present += 1
        for part in (text,) if isinstance(text, str) else text:
            weights[part.lower()] += 1
    counts[Atom(name, "present", "")] = present
    literal = [atom for atom in atoms if atom.kind != "present"]
    texts = list(weights)
    if not literal or not texts:
        return
    numbers = [weights[text] for text in texts]
    folded = [text.encode("utf-8", "surrogatepass") for text in texts]
    for index, hits in search(automaton_of(literal), folded).items():
        for hit in set(hits):
            counts[literal[hit]] = counts.get(literal[hit], 0) + numbers[index]


def _bits(number: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
