"""Tar archives, read forward only and in bounded memory.

Contract: `tar_members` gives each regular member once, with a stream that is valid until the next is asked
for. Nothing is ever written under a member's name, and no link is followed. Written by hand because
`tarfile` takes an extended header of any size into memory, remembers every member, and ends without a word
at a damaged header.
Format: POSIX.1-2017 `pax`, and the GNU extensions for long names and large numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from undertag.read import faults
from undertag.read.limits import BLOCK_BYTES, Budget
from undertag.read.streams import Stream, Tell

_BLOCK: Final = 512
_REGULAR: Final = b"0\x007"
_LINKS: Final = {b"1": "a hard link", b"2": "a symbolic link"}
_SPECIAL: Final = {b"3": "a character device", b"4": "a block device", b"6": "a named pipe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file of an archive."""

    name: str
    stream: Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    name: str
    size: int
    kind: bytes


def is_tar(head: bytes) -> bool:
    """Whether a source begins with a tar header (its checksum tells, old archives have no magic number)."""
    return len(head) >= _BLOCK and _parse(head[:_BLOCK]) is not None


def tar_members(stream: Stream, name: str, tell: Tell, budget: Budget) -> Iterator[Member]:
    """The regular members of a tar archive, in order."""
    overrides: dict[str, str] = {}
    offset = 0
    lost = False
    while block := stream.read(_BLOCK):
        at, offset = offset, offset + _BLOCK
        if len(block) < _BLOCK:
            if block.strip(b"\0"):
                tell(faults.damaged_container(name, "the tar archive is cut short", offset=at))
            return
        header = _parse(block)
        if header is None:
            if block.strip(b"\0") and not lost:
                lost = True
                tell(
                    faults.damaged_container(
                        name, "a member's header in the tar archive is damaged", offset=at
                    )
                )
            continue
        lost = False
        if header.kind in b"xgXLK":
            data = _small(stream, header, name, tell, budget.limits.name_bytes)
            offset += _padded(header.size)
            if data is not None:
                overrides |= _overrides(header.kind, data)
            continue
        size = _size(overrides, header.size)
        member_name = f"{name}!{overrides.get('path', header.name)}"
        body = _Body(stream, size, name, tell)
        if _is_file(header, overrides, member_name, tell):
            if not budget.member():
                return
            yield Member(name=member_name, stream=Stream(body.blocks()))
        overrides = {}
        if budget.over or not body.skip_rest():
            return
        offset += _padded(size)


def _is_file(header: _Header, overrides: dict[str, str], name: str, tell: Tell) -> bool:
    """Whether the member holds data to read; what is no plain file is told."""
    if header.kind == b"S" or any(key.startswith("GNU.sparse") for key in overrides):
        tell(faults.unsupported_member(name, "sparse file"))
        return False
    if header.kind in _REGULAR:
        return not name.endswith("/")
    if header.kind in _LINKS or header.kind in _SPECIAL:
        tell(faults.not_followed(name, _LINKS.get(header.kind) or _SPECIAL[header.kind], severity="warning"))
    elif header.kind not in b"5V":
        tell(faults.unsupported_member(name, f"tar type {header.kind!r}"))
    return False


class _Body:
    """The data of one member."""

    def __init__(self, stream: Stream, size: int, name: str, tell: Tell) -> None:
        self._stream = stream
        self._left = size
        self._padding = _padded(size) - size
        self._name = name
        self._tell = tell
        self._short = False

    def blocks(self) -> Iterator[bytes]:
        while self._left and not self._short:
            block = self._stream.read(min(self._left, BLOCK_BYTES))
            if not block:
                self._short = True
                self._tell(faults.damaged_container(self._name, "the tar archive is cut short"))
                return
            self._left -= len(block)
            yield block

    def skip_rest(self) -> bool:
        """Moves on to the next header; False if there can be none."""
        for _ in self.blocks():
            pass
        self._stream.read(self._padding)
        return not self._short


def _small(stream: Stream, header: _Header, name: str, tell: Tell, limit: int) -> bytes | None:
    """The body of an extended header; None if it is larger than any real one."""
    body = _Body(stream, header.size, name, tell)
    if header.size > limit:
        tell(
            faults.damaged_container(
                name, f"an extended tar header of {header.size:,} bytes was passed over", severity="warning"
            )
        )
        body.skip_rest()
        return None
    data = b"".join(body.blocks())
    body.skip_rest()
    return data


def _overrides(kind: bytes, data: bytes) -> dict[str, str]:
    if kind == b"L":
        return {"path": data.rstrip(b"\0").decode("utf-8", "backslashreplace")}
    if kind not in b"xX":
        return {}
    found = {}
    while data:
        length, _, rest = data.partition(b" ")
        if not (length.isdigit() and len(length) < 8 and len(length) + 3 < int(length) <= len(data)):
            break
        key, _, value = rest[: int(length) - len(length) - 2].partition(b"=")
        found[key.decode("utf-8", "backslashreplace")] = value.decode("utf-8", "backslashreplace")
        data = data[int(length) :]
    return found


def _size(overrides: dict[str, str], size: int) -> int:
    text = overrides.get("size", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else size


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _parse(block: bytes) -> _Header | None:
    """A header block, None if its checksum or its numbers are wrong."""
    written = _number(block[148:156])
    blanks = 8 * 0x20  # the checksum counts its own bytes as blanks
    if written is None or written < blanks or written != sum(block[:148]) + blanks + sum(block[156:]):
        return None
    size = _number(block[124:136])
    if size is None:
        return None
    name = block[:100].partition(b"\0")[0]
    if block[257:263] == b"ustar\0" and block[345]:
        name = block[345:500].partition(b"\0")[0] + b"/" + name
    return _Header(name=name.decode("utf-8", "backslashreplace"), size=size, kind=block[156:157])


def _number(field: bytes) -> int | None:
    if field[:1] == b"\x80":
        number = int.from_bytes(field[1:], "big")
        return number if number < 1 << 62 else None
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if all(0x30 <= digit <= 0x37 for digit in digits) else None
