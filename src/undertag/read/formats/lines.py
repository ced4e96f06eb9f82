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

_BLANK: Final = b" "


def split_lines(unit: Unit, data: bytes, problems: list[Problem]) -> tuple[list[bytes], bytes]:
    """The lines of a unit that hold anything; and all of them as they stand together, one byte between each two, or
    nothing where they don't."""
    if b"\r" in data and b"\r\n" in data:  # one byte is sought many times faster than two
        data = data.replace(b"\r\n", b"\n")
    if data.endswith(b"\r"):
        data = data[:-1]
    lines = data.split(b"\n")
    if not lines[-1]:
        del lines[-1]
    count = len(lines)
    if lines and min(lines)[:1] <= _BLANK:  # the least line begins with the least byte
        lines = [line for line in lines if line and not line.isspace()]
    if len(data) > MAX_RECORD_BYTES:
        lines = [line for line in lines if len(line) <= MAX_RECORD_BYTES or _tell(unit, data, line, problems)]
    return lines, data if len(lines) == count else b""


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
