"""JSON lines: one document a line.

Contract: nothing is decoded here; a line is a record, be it valid or not, and normalising tells.
"""

from __future__ import annotations

from collections.abc import Iterator

from undertag.model.problem import Problem
from undertag.model.source import Records, Unit
from undertag.read.formats.lines import locate_line, split_lines
from undertag.read.formats.runs import cut
from undertag.read.source import Source, unit_data


class JsonLines:
    """Reader of `jsonl`."""

    what = "JSON lines: EVTX-as-JSON, Winlogbeat, flat Windows events, cloud and SaaS audit logs"

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        """See `registry.Format`."""
        return cut(source, "jsonl", unit_bytes)

    def records(self, unit: Unit) -> Records:
        """See `registry.Format`."""
        problems: list[Problem] = []
        raws, data = split_lines(unit, unit_data(unit), problems)
        return Records(raws=raws, problems=problems, data=data)

    def locate(self, unit: Unit, index: int) -> int:
        """See `registry.Format`."""
        return locate_line(unit, unit_data(unit), index)
