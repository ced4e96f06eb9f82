"""Compiles what the engine routes events by: the `routes` block of the artefact.

Contract: pure, from servings, entries and recognition to plain values; `routes` and `recognise` read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from undertag.catalogue.sources.files import SourceFile
from undertag.catalogue.sources.recognition import reached
from undertag.catalogue.sources.record import SourceEntry
from undertag.catalogue.sources.selectors import Selection

ALWAYS_REACHED: Final = ("windows/", "linux/sysmon/", "linux/auditd/")
"""Keys that events are given by code: Windows events by channel and ID, auditd's by their type."""


def routes_block(
    servings: Sequence[Mapping[str, Any]],
    entries: Sequence[SourceEntry],
    recognition: Mapping[str, Any],
    selection: Selection,
    books: Iterable[SourceFile],
) -> dict[str, Any]:
    """Servings as patterns, field names that hold blanks, and the rules of recognition."""
    starts = (*ALWAYS_REACHED, *reached(recognition))
    covered: dict[str, set[int]] = {}
    stored = []
    for serving in servings:
        numbers = {number for first, end in serving["ranges"] for number in range(first, end)}
        have = covered.setdefault(serving["logsource"], set())
        patterns = serving.get("entries")
        if patterns is None:  # said by the entries themselves: only those that no pattern has yet
            patterns = selection.keys(sorted(numbers - have))
        have |= numbers
        if patterns:
            one = {
                name: serving[name] for name in ("logsource", "rename", "where", "derive") if name in serving
            }
            keys = selection.keys(sorted(numbers))
            reach = any(key.startswith(starts) for key in keys) or any(
                text.startswith(starts) for text in patterns
            )
            stored.append({**one, "entries": list(patterns), "reached": reach})
    return {
        "servings": stored,
        "spaced": _spaced(entries),
        "recognition": dict(recognition),
        "antivirus": _antivirus(entries, books),
    }


def _antivirus(entries: Sequence[SourceEntry], books: Iterable[SourceFile]) -> dict[str, list[str]]:
    """Entries whose events name a signature, and Windows entries that are the same record under their channel's key."""
    conventions = {file.name: file.book["names"] for file in books if file.book}
    found: dict[str, list[str]] = {}
    for entry in entries:
        reads = entry.value("reads")
        if entry.platform != "antivirus" or not isinstance(reads, Mapping) or not reads.get("signature"):
            continue
        fidelity = entry.value("fidelity")
        level = fidelity.get("level") if isinstance(fidelity, Mapping) else "unknown"
        convention = conventions.get(entry.file, "none")
        row = [
            entry.key,
            "" if convention == "none" else convention,
            reads["signature"],
            "low" if level == "unknown" else str(level),
            str(entry.value("outcome", "varies")),
        ]
        found[entry.key] = row
        for relation in entry.value("relations") or ():
            if relation["kind"] == "duplicates":
                found.setdefault(relation["to"], row)
    return found


def _spaced(entries: Iterable[SourceEntry]) -> dict[str, list[str]]:
    """Field names of Windows channels that are written with blanks; Sigma writes them without, or `_` for each."""
    found: dict[str, dict[str, None]] = {}
    for entry in entries:
        if entry.platform == "windows" and entry.value("channel"):
            for name in entry.fields:
                if " " in name:
                    found.setdefault(entry.key.rpartition("/")[0], {})[name] = None
    return {prefix: list(names) for prefix, names in found.items()}
