"""Lines of a unit.

Contract: lines come without their end (LF or CRLF); lines of nothing but blanks are left out; one longer
than the bound is a problem. `locate_line` counts the same way.
"""

from __future__ import annotations

from typing import Final

from undertag.model.problem import Problem
from undertag.model.source import Unit
from undertag.read import faults
from undertag.read.limits import MAX_RECORD_BYTES

_BLANK: Final = ord(" ")


def split_lines(unit: Unit, data: bytes, problems: list[Problem]) -> list[bytes]:
    """The lines of a unit that hold anything."""
    if b"\r" in data and b"\r\n" in data:  # one byte is sought many times faster than two
        data = data.replace(b"\r\n", b"\n")
    if data.endswith(b"\r"):
        data = data[:-1]
    lines = [line for line in data.split(b"\n") if line]
    if lines and min(lines)[0] <= _BLANK:  # the least line begins with the least byte
        lines = [line for line in lines if not line.isspace()]
    if len(data) > MAX_RECORD_BYTES:
        lines = [line for line in lines if len(line) <= MAX_RECORD_BYTES or _tell(unit, data, line, problems)]
    return lines


def locate_line(unit: Unit, data: bytes, index: int) -> int:
    """The offset of line `index` of those that `split_lines` gives, -1 if there are fewer."""
    at = 0
    for line in data.split(b"\n"):
        content = line.removesuffix(b"\r")
        if content and not content.isspace() and len(content) <= MAX_RECORD_BYTES:
            if index == 0:
                return unit.offset + at
            index -= 1
        at += len(line) + 1
    return -1


def _tell(unit: Unit, data: bytes, line: bytes, problems: list[Problem]) -> bool:
    problems.append(faults.too_long(unit.source, unit.offset + data.find(line), len(line), MAX_RECORD_BYTES))
    return False
