"""The filter in front of the conditions: all rules that can be true in one entry, as integers.

Contract: `Filter.left(batch)` names, for every rule that an event of the batch meets, at least the rows that meet it; it
may only ever let too much through. Rules whose best group is rare are *sparse*: they cost nothing until one of its
literals is met. The others are *dense*: each has a bit in every value's integer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import sqrt
from operator import or_
from typing import Final

from undertag.match.indexed.atoms import RAW, Atom, Group, Needs, single_field
from undertag.match.indexed.chances import RARE, Chances
from undertag.match.indexed.scan import FieldScan, Marks
from undertag.model.batch import Batch

_USEFUL: Final = 0.4
"""A group that more events meet than this rules out too little to be looked for."""
_ASKING: Final = 4.0
_MEETING: Final = 0.3
"""Microseconds that asking a rule of an event takes, and meeting an atom in one: a further group has to pay for itself."""
MAX_VERDICTS: Final = 4096
OFTEN: Final = 0.015
"""A rule that its groups leave in more often than this is asked of several events first, if it can be."""


class _Verdict:
    """What an event's integer says: the dense rules that it leaves in, and the fields whose values name sparse ones."""

    __slots__ = ("numbers", "scans")

    def __init__(self, numbers: tuple[int, ...], scans: tuple[FieldScan, ...]) -> None:
        self.numbers = numbers
        self.scans = scans


class Filter:
    """The filter of one plan.

    Attributes:
        fields: the fields that it looks at.
        often: the rules that it leaves in often.
    """

    def __init__(self, wanted: Mapping[int, Needs], chances: Chances, gated: frozenset[str]) -> None:
        """`wanted`: what each rule needs; `gated`: see `FieldScan`."""
        marks: dict[str, dict[Atom, Marks]] = {}
        ruled_out: dict[str, int] = {}

        def mark(atom: Atom) -> Marks:
            of_field = marks.get(atom.field)
            if of_field is None:
                of_field = marks[atom.field] = {}
            found = of_field.get(atom)
            if found is None:
                found = of_field[atom] = Marks()
            return found

        self._dense: list[int] = []
        self.often: set[int] = set()
        dense: list[tuple[int, Needs]] = []
        for number, needs in wanted.items():
            best = chances.best(needs, RARE)
            if best is not None:
                for atom in best:
                    mark(atom).sparse += (number,)
            else:
                dense.append((number, needs))
        width = len(dense)
        many = 0
        for index, (number, needs) in enumerate(dense):
            self._dense.append(number)
            bit = 1 << index
            left = 1.0
            spanning = [group for group in needs.groups if single_field(group) is None]
            if spanning:
                many |= bit
                best = min(spanning, key=chances.group)
                left = min(1.0, chances.group(best))
                for atom in best:
                    mark(atom).put |= bit << width
            for name, group in _cheapest_by_field(needs.groups, chances):
                chance = chances.group(group)
                if chance > _USEFUL or left * (1 - chance) * _ASKING < chance * _MEETING:
                    continue
                left *= chance if left == 1 else sqrt(chance)
                ruled_out[name] = ruled_out.get(name, 0) | bit
                for atom in group:
                    mark(atom).clear |= bit
            if left * _ASKING > _MEETING:
                for atom in needs.refuters:
                    mark(atom).put |= bit
            if min(map(chances.group, needs.groups), default=1.0) > OFTEN:
                self.often.add(number)
        self._mask = (1 << width) - 1
        self._width = width
        self._no_many = self._mask & ~many
        names = self.fields = sorted(marks.keys() | ruled_out.keys())
        self._flags = ((1 << len(names)) - 1) << (2 * width)
        self._verdicts: dict[int, _Verdict | None] = {}
        self._known: dict[int, _Verdict] = {}
        self._constant = 0
        self._scans = [
            FieldScan(name, marks.get(name, {}), ruled_out.get(name, 0), 1 << (2 * width + index), gated)
            for index, name in enumerate(names)
        ]

    def loud(self, batch: Batch) -> frozenset[int]:
        """The rows in whose bytes a keyword may be: for all others the values of their fields decide."""
        loud = frozenset(batch.loud or ())
        return loud.union(
            *(
                scan.rows_met(batch)
                for scan in self._scans
                if scan.name == RAW and not scan.trusts_gate(batch)
            )
        )

    def left(self, batch: Batch) -> dict[int, list[int]]:
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
            return {}
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
        rules: dict[int, list[int]] = {}
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


def _cheapest_by_field(groups: Sequence[Group], chances: Chances) -> list[tuple[str, Group]]:
    """For each field the group on it that is met least often; the rarest first."""
    cheapest: dict[str, Group] = {}
    for group in groups:
        name = single_field(group)
        if name is not None and (
            name not in cheapest or chances.group(group) < chances.group(cheapest[name])
        ):
            cheapest[name] = group
    return sorted(cheapest.items(), key=lambda item: (chances.group(item[1]), item[0]))


def _bits(number: int) -> Iterator[int]:
    """The places of the bits that are set."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
