"""Finds where JSON documents begin and end in a stream, without decoding them.

Contract: every byte is looked at once, nesting costs no recursion, and no more than a document of the bound
is held. Documents may stand one after the other, in an array, or in an envelope (`{"Records": [ … ]}`); all
these come out the same. A document whose brackets or strings don't close is told, and scanning goes on at
the next line that begins like it did: JSON has no line breaks inside strings, so a line's beginning is
never inside one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from undertag.read import faults
from undertag.read.limits import MAX_RECORD_BYTES
from undertag.read.sniff import ENVELOPE
from undertag.read.streams import Tell

_TO_BRACKET: Final = re.compile(rb'(?:[^"{}\[\]]++|"(?:[^"\\\n]++|\\[^\n])*+")*+')
"""Everything up to the next bracket that is in no string, or to a string that doesn't end."""
_TO_STRING_END: Final = re.compile(rb"(?:[^\"\\\n]++|\\[^\n])*+")
_GAP: Final = re.compile(rb"[\s,]*")
_INDENT: Final = re.compile(rb"\n?([ \t]*)\Z")
_OPENERS: Final = b"{["
_PARTNER: Final = {0x7D: 0x7B, 0x5D: 0x5B}
_LOOK_AHEAD: Final = 512
_LOOK_BACK: Final = 256


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it stands in the source."""

    offset: int
    data: bytes


@dataclass(slots=True)
class _State:
    """Where the scan is. Positions are in `held`, whose first byte is at `base` in the source."""

    held: bytearray = field(default_factory=bytearray)
    base: int = 0
    at: int = 0
    begun: int = -1
    """Where the document begins, -1 between documents; below 0 once it was too long to hold."""
    origin: int = 0
    """Where the document begins in the source."""
    stack: bytearray = field(default_factory=bytearray)
    indent: bytes = b""
    lists: list[str] = field(default_factory=list)
    """What holds the documents now: `array` or `envelope`; `tail` after an envelope's records."""
    gap: int = 0
    """Where the gap before the next document begins."""
    gap_told: bool = False
    in_string: bool = False
    too_long: bool = False
    lost: bool = False


class Scanner:
    """Documents of one source."""

    def __init__(self, name: str, tell: Tell, *, offset: int = 0) -> None:
        """`offset`: where the first block lies in the source."""
        self._name = name
        self._tell = tell
        self._state = _State(base=offset)

    def documents(self, blocks: Iterator[bytes]) -> Iterator[Document]:
        """All documents, in order."""
        state = self._state
        for block in blocks:
            state.held += block
            yield from self._scan(final=False)
            self._let_go()
        yield from self._scan(final=True)
        self._end()

    def _scan(self, *, final: bool) -> Iterator[Document]:
        state = self._state
        limit = len(state.held) if final else len(state.held) - _LOOK_AHEAD
        while state.at < limit:
            if state.lost and not self._find_next_line(final=final):
                return
            if state.in_string:
                if not self._leave_string():
                    return
                continue
            state.at = _TO_BRACKET.match(state.held, state.at).end()  # type: ignore[union-attr]
            if state.at >= len(state.held):
                return
            byte = state.held[state.at]
            if byte == 0x22:
                state.in_string = True
                state.at += 1
            elif byte in _OPENERS:
                if state.at >= limit and not state.stack:
                    return
                self._open(byte)
            else:
                document = self._close(byte)
                if document is not None:
                    yield document

    def _leave_string(self) -> bool:
        """Goes to the end of the string that `at` is in; False if it isn't there yet."""
        state = self._state
        state.at = _TO_STRING_END.match(state.held, state.at).end()  # type: ignore[union-attr]
        rest = len(state.held) - state.at
        if rest == 0 or (rest == 1 and state.held[state.at] == 0x5C):
            return False
        state.in_string = False
        if state.held[state.at] == 0x22:
            state.at += 1
        else:
            self._break("a string isn't closed on its line")
        return True

    def _open(self, byte: int) -> None:
        state = self._state
        if state.stack:
            if self._begins_anew():
                self._break("the document ends before its brackets are closed", lost=False)
            else:
                state.stack.append(byte)
                state.at += 1
                return
        self._tell_gap()
        if not state.lists:
            envelope = ENVELOPE.match(state.held, state.at) if byte == 0x7B else None
            if envelope is not None or byte == 0x5B:
                state.lists.append("array" if envelope is None else "envelope")
                state.at = state.gap = state.at + 1 if envelope is None else envelope.end()
                return
        self._begin(byte)

    def _begin(self, byte: int) -> None:
        state = self._state
        before = _INDENT.search(state.held, max(0, state.at - _LOOK_BACK), state.at)
        state.indent = before.group(1) if before is not None else b""
        state.begun, state.origin = state.at, state.base + state.at
        state.stack = bytearray((byte,))
        state.at += 1

    def _begins_anew(self) -> bool:
        """Whether an opening bracket inside a document can only be the next document: it stands where that
        would begin a line, and JSON allows no value here."""
        state = self._state
        line = state.at - len(state.indent)
        if line < 1 or state.held[line - 1] != 0x0A or state.held[line : state.at] != state.indent:
            return False
        before = bytes(state.held[max(0, line - _LOOK_BACK) : line]).rstrip()[-1:]
        if not before:
            return False
        return before not in (b"[", b",", b":") if state.stack[-1] == 0x5B else before != b":"

    def _close(self, byte: int) -> Document | None:
        state = self._state
        if not state.stack:
            self._close_list(byte)
            return None
        if state.stack[-1] != _PARTNER[byte]:
            self._break("brackets don't match")
            return None
        state.stack.pop()
        state.at += 1
        if state.stack:
            return None
        if state.lists and state.lists[-1] == "tail":
            self._end_envelope()
            return None
        size = state.base + state.at - state.origin
        found = None
        if state.too_long or size > MAX_RECORD_BYTES:
            self._tell(faults.too_long(self._name, state.origin, size, MAX_RECORD_BYTES))
        else:
            found = Document(state.origin, bytes(state.held[state.begun : state.at]))
        self._between()
        return found

    def _close_list(self, byte: int) -> None:
        state = self._state
        self._tell_gap()
        if byte == 0x5D and state.lists:
            kind = state.lists.pop()
            state.at += 1
            self._between()
            if kind == "envelope":
                state.lists.append("tail")
                state.stack = bytearray(b"{")
                state.begun, state.origin = state.at, state.base + state.at
            return
        state.gap = state.at + 1
        self._tell(faults.bad_structure(self._name, f"a stray {chr(byte)}", state.base + state.at))
        state.at += 1

    def _end_envelope(self) -> None:
        state = self._state
        left_out = state.begun < 0 or state.held[state.begun : state.at - 1].strip()
        if left_out:
            message = "the envelope's own fields were left out, its records were read"
            self._tell(faults.bad_structure(self._name, message, state.origin, severity="info"))
        state.lists.clear()
        self._between()

    def _between(self) -> None:
        state = self._state
        state.begun = -1
        state.stack.clear()
        state.too_long = False
        state.gap, state.gap_told = state.at, False

    def _break(self, message: str, *, lost: bool = True) -> None:
        """Gives the document up."""
        state = self._state
        start = state.begun if state.begun >= 0 else state.gap
        origin = state.origin if state.stack else state.base + state.gap
        self._tell(
            faults.bad_record(self._name, message, bytes(state.held[start : start + 512]), offset=origin)
        )
        if not state.stack:
            state.indent = b""
        if state.lists and state.lists[-1] == "tail":
            state.lists.clear()
        state.lost = lost
        self._between()

    def _find_next_line(self, *, final: bool) -> bool:
        """Goes to the next line that begins like a document."""
        state = self._state
        found = re.compile(rb"\n(?:%s)?[{\[]" % re.escape(state.indent)).search(state.held, state.at)
        if found is None:
            state.at = len(state.held) if final else max(state.at, len(state.held) - len(state.indent) - 2)
            state.gap = state.at
            return False
        state.lost = False
        state.at = state.gap = found.end() - 1
        if state.at - found.start() == 1 and state.indent:
            state.lists.clear()
        return True

    def _tell_gap(self) -> None:
        """Tells of anything but blanks and commas between documents."""
        state = self._state
        gap = bytes(state.held[state.gap : state.at])
        if not state.gap_told and _GAP.fullmatch(gap) is None:
            state.gap_told = True
            self._tell(
                faults.bad_record(
                    self._name, "not a JSON object", gap.strip(b" \t\r\n,"), offset=state.base + state.gap
                )
            )

    def _let_go(self) -> None:
        """Drops what was scanned and isn't needed any more."""
        state = self._state
        keep = state.at
        if state.stack:
            if not state.too_long and state.at - state.begun <= MAX_RECORD_BYTES:
                keep = state.begun
            else:
                state.too_long, state.begun = True, -1
        elif not state.lost:
            self._tell_gap()
        keep = max(0, keep - _LOOK_BACK)
        if keep:
            del state.held[:keep]
            state.base += keep
            state.at -= keep
            state.begun = state.begun - keep if state.begun >= 0 else -1
            state.gap = max(0, state.gap - keep) if state.stack else state.at

    def _end(self) -> None:
        state = self._state
        if state.lists and state.lists[-1] == "tail":
            self._tell(faults.bad_structure(self._name, "the envelope is cut short", state.base + state.at))
        elif state.stack:
            self._break("the document is cut short", lost=False)
        elif not state.lost:
            self._tell_gap()
            if state.lists:
                self._tell(
                    faults.bad_structure(
                        self._name, f"the {state.lists[-1]} of records is cut short", state.base + state.at
                    )
                )
