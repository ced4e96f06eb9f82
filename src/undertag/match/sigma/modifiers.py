"""Sigma's modifiers: pySigma's, with those replaced or added that it lacks or does on ASCII only.

Contract: `MODIFIERS` maps each name of the specification's modifier appendix (2.1) to a pySigma modifier
class. pySigma's own table is left as it is.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

import sigma.modifiers as pysigma
from sigma.policy import SigmaPolicy
from sigma.policy.regex_engine import RegexEngine
from sigma.types import Placeholder, SigmaRegularExpression, SigmaString


class ByteString(SigmaString):
    """A string that stands for bytes, one character (U+0000 to U+00FF) a byte.

    pySigma holds encoded text as UTF-8, in which UTF-16 of anything but ASCII has no place.
    """

    def __bytes__(self) -> bytes:
        return "".join(part for part in self.s if isinstance(part, str)).encode("latin-1")


class _Encode(pysigma.SigmaValueModifier[SigmaString, SigmaString]):
    """Writes text in an encoding; wildcards stay between the encoded runs."""

    encoding: ClassVar[str]
    mark: ClassVar[bytes] = b""

    def modify(self, val: SigmaString) -> SigmaString:
        encoded = ByteString()
        encoded.s = [self.mark.decode("latin-1")] if self.mark else []
        for part in val.s:
            encoded.s.append(part.encode(self.encoding).decode("latin-1") if isinstance(part, str) else part)
        return encoded._merge_strs()


class Utf16Le(_Encode):
    """`utf16le`, also known as `wide`."""

    encoding = "utf-16-le"


class Utf16Be(_Encode):
    """`utf16be`."""

    encoding = "utf-16-be"


class Utf16(_Encode):
    """`utf16`: little-endian after a byte order mark."""

    encoding = "utf-16-le"
    mark = b"\xff\xfe"


_PLACEHOLDER: Final = re.compile(r"\\(%)|%([^%\\]+)%")
"""A per cent sign that a backslash makes plain, or a placeholder."""


class Expand(pysigma.SigmaExpandModifier):
    """`expand`, with `\\%` for a plain per cent sign, as the specification says.

    In a path (`%domain%\\%user%`) the backslash is a separator. It is taken so, as pySigma always does, where each per cent
    sign then belongs to a placeholder.
    """

    def modify(self, val: SigmaString | SigmaRegularExpression) -> SigmaString | SigmaRegularExpression:
        if isinstance(val, SigmaString):
            parts = [
                piece for part in val.s for piece in (_pieces(part) if isinstance(part, str) else [part])
            ]
            path = val.insert_placeholders()
            stray = any(isinstance(part, str) and "%" in part for part in path.s)
            if not stray:
                return path
            val.s = parts
            return val._merge_strs()
        return super().modify(val)


def _pieces(text: str) -> list[str | Placeholder]:
    """A text cut at its placeholders."""
    pieces: list[str | Placeholder] = []
    at = 0
    for found in _PLACEHOLDER.finditer(text):
        pieces += [text[at : found.start()], found[1] or Placeholder(found[2])]
        at = found.end()
    return [piece for piece in (*pieces, text[at:]) if piece]


MODIFIERS: Final[dict[str, type[pysigma.SigmaModifier[Any, Any]]]] = {
    **pysigma.modifier_mapping,
    "expand": Expand,
    "wide": Utf16Le,
    "utf16le": Utf16Le,
    "utf16be": Utf16Be,
    "utf16": Utf16,
}

ENCODINGS: Final = frozenset({"wide", "utf16le", "utf16be", "utf16"})
TEXTUAL: Final = frozenset({"contains", "startswith", "endswith", "cased"})
"""Modifiers for fields of every type, by which the specification means that a number is taken as its text."""
ANCHORS: Final = frozenset({"contains", "startswith", "endswith"})


class _Unchecked(RegexEngine):
    """Takes every expression: the loader compiles each once itself, as it will be run."""

    def compile(self, pattern: str, flags: int = 0) -> Any:
        return None

    @property
    def error(self) -> type[Exception]:
        return ValueError


POLICY: Final = SigmaPolicy(regex_engine=_Unchecked())

__all__ = ["ANCHORS", "ENCODINGS", "MODIFIERS", "POLICY", "TEXTUAL", "ByteString"]
