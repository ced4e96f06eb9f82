"""Inputs that a run's own output would replace.

Contract: nothing is opened and nothing is changed; one file is told to be another by device and number, so that no
link hides it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from undertag.model.output import Output
from undertag.model.problem import Place, Problem, SettingsError
from undertag.read.paths import STDIN, find_files

_Key: TypeAlias = tuple[int, int]


def refuse_replacing(inputs: Sequence[str | Path], output: Output) -> None:
    """Makes sure that no input is lost to the output.

    What is named outright is never the output, nor in it. A folder or glob may hold what an earlier run wrote there:
    reading passes over it.

    Raises:
        SettingsError: UT903, an input would be replaced.
    """
    own = _keys(output.paths)
    for given in map(str, inputs):
        if _key(given) in own or (given != STDIN and output.holds(os.path.realpath(given))):
            raise _replaced(given)
    foreign = _keys(output.foreign)
    if foreign:
        for found in find_files(inputs, lambda problem: None):
            if _key(found.path) in foreign:
                raise _replaced(found.path)


def _keys(paths: frozenset[str]) -> set[_Key]:
    return {key for path in paths if (key := _key(path)) is not None}


def _key(path: str) -> _Key | None:
    """What tells a file from all others, None if it isn't there."""
    try:
        status = os.fstat(0) if path == STDIN else os.stat(path)  # noqa: PTH116 (a folder may hold many files)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


def _replaced(given: str) -> SettingsError:
    return SettingsError(
        Problem(
            code="UT903",
            message="the output would replace this input",
            place=Place(source=given),
            hint="name another place with --out",
        )
    )
