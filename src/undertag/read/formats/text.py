"""Plain text: each line is a record, its text under `message`.

Contract: whatever else is text is read here, so that no line is lost; what the lines mean is found out later.
"""

from __future__ import annotations

from collections.abc import Iterator

from undertag.model.problem import Problem
from undertag.model.source import Records, Unit
from undertag.read import faults
from undertag.read.formats.lines import locate_line, split_lines
from undertag.read.formats.runs import cut
from undertag.read.source import Source, unit_data


class Text:
    """Reader of `text`."""

    what = "lines of text: syslog, auditd, web and other logs"

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        """See `registry.Format`."""
        return cut(source, "text", unit_bytes)

    def records(self, unit: Unit) -> Records:
        """See `registry.Format`."""
        problems: list[Problem] = []
        raws, _ = split_lines(unit, unit_data(unit), problems)
        docs = [{"message": line.decode("utf-8", "replace")} for line in raws]
        bad = [number for number, doc in enumerate(docs) if "\ufffd" in doc["message"]]
        bad = [number for number in bad if not is_utf8(raws[number])]
        if bad:
            message = f"{len(bad):,} lines aren't valid UTF-8: what is wrong in them reads as U+FFFD"
            problems.append(faults.mended_text(unit.source, message, record=bad[0]))
        return Records(raws=raws, docs=docs, problems=problems)

    def locate(self, unit: Unit, index: int) -> int:
        """See `registry.Format`."""
        return locate_line(unit, unit_data(unit), index)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
