"""What went wrong, where, and what to do about it.

Contract: a damaged record is a `Problem` *row* and never stops a run; a raised `UndertagError` carries
exactly one `Problem`. Codes are stable: UT1xx reading, UT2xx rules, UT3xx catalogue, UT4xx enriching and
tagging, UT5xx coverage, UT6xx store, UT9xx settings and usage.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Severity = Literal["info", "warning", "error"]

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_RULES = 2
EXIT_USAGE = 3
EXIT_UNREADABLE = 4
EXIT_INTERRUPTED = 130


_UNSHOWN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(name: str) -> str:
    """A name as it can be shown and written anywhere, and else as it is, so that it opens what it names.

    Control characters, line and paragraph separators, what turns the direction of text, and bytes that are no UTF-8
    stand as escapes. Spaces of all widths and joiners, which names in many scripts need, stay.
    """
    if name.isprintable():
        return name
    return "".join(
        char.encode("unicode_escape", "backslashreplace").decode()
        if char in _BIDI or unicodedata.category(char) in _UNSHOWN
        else char
        for char in name
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a problem lies: a source's name, made printable, and, where known, the record (from 0), line (from 1) or byte."""

    source: str
    record: int | None = None
    line: int | None = None
    offset: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", printable(self.source))

    def __str__(self) -> str:
        if self.line is not None:
            return f"{self.source}:{self.line}"
        if self.offset is not None:
            return f"{self.source} @ byte {self.offset}"
        if self.record is not None:
            return f"{self.source} # {self.record}"
        return self.source


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that went wrong. `excerpt` holds at most 512 characters of what was damaged."""

    code: str
    message: str
    severity: Severity = "error"
    place: Place | None = None
    hint: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.code} {self.message}{hint}"

    def row(self) -> dict[str, Any]:
        """The problem as one flat row of the problems table."""
        place = (
            asdict(self.place)
            if self.place
            else {"source": None, "record": None, "line": None, "offset": None}
        )
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
            "excerpt": self.excerpt,
            **place,
        }


class UndertagError(Exception):
    """Base of all errors raised on purpose; carries one `Problem` and the exit code that it asks for."""

    exit_code = EXIT_USAGE

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return str(self.problem)


class ReadError(UndertagError):
    """An input could not be read at all."""

    exit_code = EXIT_UNREADABLE


class RuleError(UndertagError):
    """A rule can't be loaded."""

    exit_code = EXIT_RULES


class CatalogueError(UndertagError):
    """The catalogue's data is wrong, or something asked of it doesn't exist."""


class StoreError(UndertagError):
    """Output could not be written."""

    exit_code = EXIT_UNREADABLE


class SettingsError(UndertagError):
    """A setting or the call itself is wrong."""
