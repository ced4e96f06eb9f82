"""Text that isn't UTF-8: told by its first bytes, brought to UTF-8 while it streams.

Contract: `utf16_of(head)` names a byte order, or None; `to_utf8` never fails for bad data. A half of a
surrogate pair stays as it is, so that the record that holds it is found damaged and not its neighbours.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from undertag.read import faults
from undertag.read.streams import Tell

UTF8_BOM: Final = codecs.BOM_UTF8
_SAMPLE: Final = 4096
_MIN_SAMPLE: Final = 8


def utf16_of(head: bytes) -> str | None:
    """`utf-16-le` or `utf-16-be` if the text is in one of them: by its mark, or by where its zero bytes
    stand."""
    if head.startswith(codecs.BOM_UTF16_LE) and not head.startswith(codecs.BOM_UTF32_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    sample = head[:_SAMPLE]
    if len(sample) < _MIN_SAMPLE or b"\0" not in sample:
        return None
    even_share, odd_share = _zero_share(sample[::2]), _zero_share(sample[1::2])
    if odd_share > 0.7 and even_share < 0.05:
        return "utf-16-le"
    if even_share > 0.7 and odd_share < 0.05:
        return "utf-16-be"
    return None


def _zero_share(data: bytes) -> float:
    zeros = len(data) - len(data.translate(None, b"\0"))  # faster than counting them where they are many
    return zeros / len(data)


def to_utf8(blocks: Iterator[bytes], encoding: str, name: str, tell: Tell) -> Iterator[bytes]:
    """UTF-16 blocks as UTF-8 blocks, without the byte order mark."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    first = True
    for block in blocks:
        text = decoder.decode(block)
        if first and text:
            text = text.removeprefix("\ufeff")
            first = False
        if text:
            yield text.encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        message = "the UTF-16 text ends in the middle of a character"
        tell(faults.mended_text(name, message, hint="that half was left out, the rest was read"))
