"""Zip archives: each member unpacked as a stream, nothing ever written under a member's name.

Contract: `zip_members` gives each readable member once, with a stream that is valid until the next is asked
for; what can't be read is told. The file has to be seekable.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Final, NamedTuple, cast

from undertag.read import faults
from undertag.read.limits import BLOCK_BYTES, Budget, Limits
from undertag.read.streams import Stream, Tell
from undertag.read.tarballs import Member

_MEMBER: Final = b"PK\x03\x04"
_END: Final = b"PK\x05\x06"
ZIP_MAGICS: Final = (_MEMBER, _END, b"PK\x07\x08" + _MEMBER)
_MAX_MEMBERS: Final = 0xFFFF
_END_BYTES: Final = 22
_END64_LOCATOR: Final = b"PK\x06\x07"
_END64_LOCATOR_BYTES: Final = 20
_MAX_COMMENT: Final = 65_535
_SUPPORTED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_FLAG_ENCRYPTED: Final = 0x1
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    IndexError,
    OSError,
    OverflowError,
    ValueError,
    RuntimeError,
)
"""What `zipfile` raises for damaged or unusual archives."""


class _End(NamedTuple):
    """The end record: how many members there are (modulo 65,536; None where a larger field says it), and the bytes of
    the table of contents."""

    members: int | None
    size: int


def zip_members(file: IO[bytes], name: str, tell: Tell, budget: Budget) -> Iterator[Member]:
    """The members of a zip archive, in the order of its table of contents."""
    try:
        end = _end_of(file)
        if end is not None and end.size > budget.limits.directory_bytes:
            tell(faults.over_limit(name, f"the zip's table of contents takes {end.size:,} bytes"))
            return
        archive = zipfile.ZipFile(file)
    except _DAMAGE as error:
        tell(faults.damaged_container(name, f"the zip archive is damaged: {error}"))
        return
    with archive:
        _compare(archive, end, file, name, tell)
        for info in archive.infolist():
            member = f"{name}!{info.filename}"
            if info.filename.endswith("/") or not _is_file(info, member, tell):
                continue
            if not budget.member():
                return
            yield Member(name=member, stream=Stream(_unpack(archive, info, member, tell, budget)))
            if budget.over:
                return


def stated_size(file: IO[bytes], limits: Limits) -> int:
    """The unpacked bytes that a zip's table of contents promises, 0 where it can't be read."""
    try:
        end = _end_of(file)
        if end is None or end.size > limits.directory_bytes:
            return 0
        with zipfile.ZipFile(file) as archive:
            return sum(info.file_size for info in archive.infolist())
    except _DAMAGE:
        return 0


def _compare(archive: zipfile.ZipFile, end: _End | None, file: IO[bytes], name: str, tell: Tell) -> None:
    """Tells of an archive whose table of contents lists other than it states, or nothing although there is something."""
    listed, stated = len(archive.infolist()), end.members if end is not None else None
    file.seek(0)
    begun = file.read(len(_MEMBER)) == _MEMBER
    if (stated is not None and stated != listed & _MAX_MEMBERS) or (begun and not listed):
        what = f"its table of contents lists {listed:,} members, and there should be {stated or 'some'}"
        tell(faults.damaged_container(name, f"the zip archive is damaged: {what}"))


def _is_file(info: zipfile.ZipInfo, name: str, tell: Tell) -> bool:
    if info.flag_bits & _FLAG_ENCRYPTED:
        tell(faults.encrypted(name))
        return False
    if stat.S_ISLNK(info.external_attr >> 16):
        tell(faults.not_followed(name, "a symbolic link", severity="warning"))
        return False
    if info.compress_type not in _SUPPORTED:
        method = zipfile.compressor_names.get(info.compress_type, str(info.compress_type))  # type: ignore[attr-defined]
        tell(faults.unsupported_member(name, f"compression method {method}"))
        return False
    return True


def _unpack(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, tell: Tell, budget: Budget
) -> Iterator[bytes]:
    try:
        with cast(zipfile.ZipExtFile, archive.open(info)) as file:
            while block := file.read1(BLOCK_BYTES):
                if not budget.unpack(len(block)):
                    return
                yield block
    except _DAMAGE as error:
        tell(
            faults.damaged_container(
                name, f"the zip member is damaged or cut short: {error or type(error).__name__}"
            )
        )


def _end_of(file: IO[bytes]) -> _End | None:
    """What the archive's end record states, None where there is none.

    Source: APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3.14 to 4.3.16.
    """
    end = file.seek(0, 2)
    start = file.seek(max(0, end - _END_BYTES - _MAX_COMMENT))
    tail = file.read(end - start)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_BYTES:
        return None
    members = int.from_bytes(tail[at + 10 : at + 12], "little")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    locator = at - _END64_LOCATOR_BYTES
    if size == 0xFFFFFFFF and locator >= 0 and tail.startswith(_END64_LOCATOR, locator):
        file.seek(int.from_bytes(tail[locator + 8 : locator + 16], "little"))
        size = int.from_bytes(file.read(56)[40:48], "little")
    return _End(None if members == _MAX_MEMBERS else members, size)
