"""The room's front door: inputs → units in the parent, unit → records in a worker.

Contract: units of a source come one after the other and in its order; cutting it with another `unit_bytes`
gives the same records in the same order. `records` never raises for bad data: damage is in
`Records.problems`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from undertag.model.output import NOWHERE, Output
from undertag.model.problem import Problem
from undertag.model.source import Records, Unit
from undertag.read import faults
from undertag.read.containers import find_sources, unpacked_size
from undertag.read.limits import HEAD_BYTES, MAX_RECORD_BYTES, Limits
from undertag.read.paths import STDIN, find_files
from undertag.read.registry import broken_packages, claimed_by, load_format
from undertag.read.sniff import is_undecided, looks_like, sniff
from undertag.read.source import Source

UNIT_BYTES: Final = 4 << 20


def units(
    inputs: Sequence[str | Path],
    *,
    unit_bytes: int = UNIT_BYTES,
    problems: list[Problem],
    limits: Limits | None = None,
    output: Output = NOWHERE,
) -> Iterator[Unit]:
    """Cuts all inputs into units that workers can read on their own.

    Args:
        inputs: files, folders, globs, or `-` for standard input.
        unit_bytes: about how many bytes a unit holds; a single record may make it larger.
        problems: gets what could not be read, as it is found.
        limits: bounds for what an input may unpack to.
        output: what the run itself writes, which is passed over.
    """
    problems.extend(broken_packages())
    for source in find_sources(inputs, problems, limits=limits, output=output):
        name = format_of(source)
        if name is not None:
            yield from load_format(name).split(source, max(1, unit_bytes))


def format_of(source: Source) -> str | None:
    """The format of a source; None, and a problem, if it is unknown; None alone if the source is empty."""
    head = source.head()
    if not head:
        return None
    wanted = HEAD_BYTES
    while wanted <= len(head) < MAX_RECORD_BYTES and is_undecided(head):
        wanted = 2 * len(head)
        head = source.head(wanted)
    name = sniff(head, len(head) if len(head) < wanted else None)
    if name in (None, "text"):
        name = claimed_by(head) or name
    if name is None:
        source.tell(faults.unknown_format(source.name, looks_like(head), head))
    return name


def records(unit: Unit) -> Records:
    """The records of a unit."""
    try:
        return load_format(unit.format).records(unit)
    except OSError as error:
        return Records(raws=[], problems=[faults.unreadable(unit.source, error.strerror or str(error))])


def locate(unit: Unit, index: int) -> int:
    """The byte of the (unpacked) source at which a record begins, -1 where that can't be told.

    Args:
        unit: the unit that holds the record.
        index: its number within the unit, from 0.
    """
    try:
        return load_format(unit.format).locate(unit, index)
    except OSError:
        return -1


def input_size(inputs: Sequence[str | Path], *, output: Output = NOWHERE) -> int | None:
    """About how many bytes there are to read, unpacked; None where a pipe hides them. For progress only."""
    total = 0
    for found in find_files(inputs, lambda problem: None, output):
        if found.path == STDIN or not os.path.isfile(found.path):  # noqa: PTH113 (a folder may hold many files)
            return None
        try:
            total += unpacked_size(found.path)
        except OSError:
            continue  # `units` tells
    return total
