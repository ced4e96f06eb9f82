"""What can go wrong while reading: one function a fault, so that code, severity, words and hint stand in
one place.

Contract: nothing here raises; each function gives a `Problem` of the UT1xx range. `is_unread(problem)`
tells those that mean that a whole source (or the rest of it) was not read from those about single records.
"""

from __future__ import annotations

from typing import Final

from undertag.model.problem import Place, Problem, Severity

UNREAD_CODES: Final = frozenset({"UT101", "UT102", "UT103", "UT104", "UT105", "UT108"})
"""Codes that say of a source that it, or what follows in it, was not read."""
MENDED_HINT: Final = "Parquet keeps the original bytes in `raw`, JSON lines hold the mended text"
_EXCERPT: Final = 512


def is_unread(problem: Problem) -> bool:
    """Whether the problem means that a source was not read, or not to its end."""
    return problem.code in UNREAD_CODES and problem.severity == "error"


def excerpt(data: bytes) -> str:
    """The beginning of damaged bytes as text for a person."""
    return data[:_EXCERPT].decode("utf-8", "replace")


def unreadable(source: str, reason: str, hint: str = "") -> Problem:
    """UT101: a file or folder can't be opened or read."""
    return Problem(code="UT101", message=f"can't read: {reason}", place=Place(source=source), hint=hint)


def unknown_format(source: str, looks_like: str | None, head: bytes) -> Problem:
    """UT102: nothing here knows the source's format."""
    return Problem(
        code="UT102",
        message=f"unknown format{f': looks like {looks_like}' if looks_like else ''}",
        place=Place(source=source),
        hint="`undertag formats` lists what can be read",
        excerpt=head[:16].hex(" "),
    )


def damaged_container(
    source: str, message: str, *, severity: Severity = "error", offset: int | None = None
) -> Problem:
    """UT103: compressed data or an archive is cut short or broken."""
    return Problem(
        code="UT103",
        message=message,
        severity=severity,
        place=Place(source=source, offset=offset),
        hint="what came before the damage was read",
    )


def over_limit(source: str, message: str) -> Problem:
    """UT104: an archive would grow beyond what is reasonable."""
    return Problem(
        code="UT104",
        message=message,
        place=Place(source=source),
        hint="if you trust this file, unpack it and name the unpacked files",
    )


def encrypted(source: str) -> Problem:
    """UT105: an archive's member needs a password."""
    return Problem(
        code="UT105",
        message="the member is encrypted",
        place=Place(source=source),
        hint="unpack it with its password and name the unpacked files",
    )


def escaping_name(source: str) -> Problem:
    """UT106: a member's name would lead out of the folder that it is unpacked to."""
    return Problem(
        code="UT106",
        severity="warning",
        message="the member's name leads out of its archive",
        place=Place(source=source),
        hint="it was read, nothing is written under that name; be careful when unpacking this archive",
    )


def not_followed(source: str, what: str, *, severity: Severity = "info") -> Problem:
    """UT107: a link or special file that reading leaves alone."""
    return Problem(
        code="UT107",
        severity=severity,
        message=f"{what} is not followed",
        place=Place(source=source),
        hint="name what it leads to as an input of its own",
    )


def unsupported_member(source: str, what: str) -> Problem:
    """UT108: a member is stored in a way that isn't read here."""
    return Problem(
        code="UT108",
        message=f"the member can't be unpacked: {what}",
        place=Place(source=source),
        hint="unpack it and name the unpacked file",
    )


def read_already(source: str) -> Problem:
    """UT109: the same file was named twice."""
    return Problem(
        code="UT109",
        severity="info",
        message="named twice, read once",
        place=Place(source=source),
    )


def own_output(source: str) -> Problem:
    """UT110: what the run itself writes, or an earlier one wrote there, lies among its inputs."""
    return Problem(
        code="UT110",
        severity="info",
        message="the output lies among the inputs and is not read",
        place=Place(source=source),
    )


def bad_record(
    source: str, message: str, data: bytes, *, offset: int | None = None, record: int | None = None
) -> Problem:
    """UT111: a record is damaged and was left out."""
    return Problem(
        code="UT111",
        message=message,
        place=Place(source=source, offset=offset, record=record),
        hint="the record was left out, the rest was read",
        excerpt=excerpt(data),
    )


def mended_text(
    source: str,
    message: str,
    *,
    record: int | None = None,
    offset: int | None = None,
    hint: str = MENDED_HINT,
) -> Problem:
    """UT112: bytes that are no valid text were replaced; the record was kept."""
    return Problem(
        code="UT112",
        severity="warning",
        message=message,
        place=Place(source=source, record=record, offset=offset),
        hint=hint,
    )


def too_long(source: str, offset: int, size: int, limit: int) -> Problem:
    """UT114: a record longer than the bound was skipped."""
    return Problem(
        code="UT114",
        message=f"a record of {size:,} bytes is longer than the bound of {limit:,}",
        place=Place(source=source, offset=offset),
        hint="the record was left out, the rest was read",
    )


def bad_chunk(source: str, chunk: int, offset: int, message: str, *, severity: Severity = "error") -> Problem:
    """UT115: a chunk of an EVTX file is damaged."""
    return Problem(
        code="UT115",
        severity=severity,
        message=f"chunk {chunk}: {message}",
        place=Place(source=source, offset=offset),
        hint="the other chunks were read"
        if severity == "error"
        else "its records were read and may be altered",
    )


def bad_evtx_record(source: str, chunk: int, offset: int, message: str) -> Problem:
    """UT116: a record of an EVTX chunk is damaged."""
    return Problem(
        code="UT116",
        message=f"chunk {chunk}: {message}",
        place=Place(source=source, offset=offset),
        hint="the record was left out, the rest was read",
    )


def bad_evtx_file(
    source: str, message: str, *, severity: Severity = "error", offset: int | None = None
) -> Problem:
    """UT117: an EVTX file as a whole is damaged or cut short."""
    return Problem(
        code="UT117",
        severity=severity,
        message=message,
        place=Place(source=source, offset=offset),
        hint="every chunk that is there was read",
    )


def bad_structure(
    source: str, message: str, offset: int, data: bytes = b"", *, severity: Severity = "error"
) -> Problem:
    """UT118: what holds records together (array, envelope, header, the quotes of a CSV row) is damaged."""
    return Problem(
        code="UT118",
        severity=severity,
        message=message,
        place=Place(source=source, offset=offset),
        hint="the records that are whole were read",
        excerpt=excerpt(data),
    )


def open_quotes(source: str, offset: int, data: bytes) -> Problem:
    """Quotes of a CSV row are never closed: a damaged structure."""
    message = "quotes that begin on this line are never closed: the row was taken to end with its line"
    return bad_structure(source, message, offset, data, severity="warning")


def uneven_row(source: str, record: int, offset: int, columns: int, expected: int) -> Problem:
    """UT119: a CSV row has more or fewer columns than the header."""
    return Problem(
        code="UT119",
        severity="warning",
        message=f"{columns} columns where the header has {expected}",
        place=Place(source=source, offset=offset),
        hint="the record was kept: missing columns are absent, columns beyond the header are under `_extra`",
    )
