"""A name as it comes → its bare text, the words beside it, and tokens with their places.

Contract: linear in the (bounded) length; never raises. Nothing is looked up here but suffixes: what words mean is for `scanning`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from undertag.catalogue.signatures.name import MAX_CHARACTERS
from undertag.catalogue.signatures.tables import Suffix

_CONTROL: Final = dict.fromkeys(
    [*range(32), *range(127, 160), 0x200B, 0x200C, 0x200D, 0x2028, 0x2029, 0xFEFF], " "
)
_QUOTES: Final = "\"'`‘’“”«»<>,;"
_LABEL: Final = re.compile(
    r"(?i)(?:(?:threat|malware|virus|signature|detection|risk)(?: ?name)?|detected|infected(?: with)?|name)"
    r"(?::\s+|\s*=\s*|:(?=['\"]))"
)
_FIRST: Final = re.compile(r"""^["']([^"']{3,256})["']\s+[A-Za-z]""")
"""A sentence that begins with the quoted name."""
_COUNT: Final = re.compile(
    r"(?i)\s*(?:[(\[]\s*(?:x\s*)?\d{1,5}\s*(?:x|times|hits|detections|files?)?\s*[)\]]|\s+x\s?\d{1,5}|\s*\(\d{4,12}\))$"
)
_CVE: Final = re.compile(r"(?i)(?<![a-z])CVE[-_. ]?((?:19|20)\d\d)[-_. ]?(\d{4,7})")
_SHORT_CVE: Final = re.compile(r"(?i)(?<![a-z])CVE(\d\d)(\d{4,5})(?!\d)")
"""Trend Micro's and others' shorter way: `CVE170199`."""
_QUOTED: Final = re.compile(
    r"(?i)(?:detected|malware|threat|virus|pua|infection|signature)[^'\"]{0,40}['\"]([^'\"]{3,256})['\"]"
)
"""A sentence that quotes the name."""
_PIECE: Final = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_PIECE_WITH_UNDERSCORES: Final = re.compile(r"\w+(?:-\w+)*")
_PART: Final = re.compile(r"[^\W_]+")
_HASH: Final = re.compile(r"(?i)[0-9a-f]{6,64}")
_ENDS: Final = re.compile(r"\s*\(([^()]{0,64})\)$")


class Token(msgspec.Struct, gc=False):
    """One word of a name: as written, folded, and where it stands in the bare text."""

    text: str
    folded: str
    start: int
    end: int


@dataclass(slots=True)
class Bare:
    """A name without its decorations. `types`, `modifiers`, `platforms` (with the word): what the decorations said; `tail`: a
    suffix that says nothing known."""

    text: str
    types: list[str] = field(default_factory=list)
    modifiers: list[str] = field(default_factory=list)
    platforms: list[tuple[str, str]] = field(default_factory=list)
    tail: str = ""


def fold(text: str) -> str:
    """Lower case, letters and digits only."""
    lower = text.lower()
    return lower if lower.isalnum() else "".join(_PART.findall(lower))


def clean(name: str) -> str:
    """The name without control characters, quotes, labels (`Threat: …`), counts and numbers of rules; at most 1,024 characters."""
    text = name[:MAX_CHARACTERS]
    if not text.isprintable():
        text = text.translate(_CONTROL)
    text = text.strip()
    if text[:1] in _QUOTES and (quoted := _FIRST.match(text)):
        text = quoted[1]
    text = text.strip(_QUOTES).strip()
    if (found := _LABEL.match(text)) and found.end() < len(text):
        text = text[found.end() :].strip().strip(_QUOTES).strip()
    if ("'" in text or '"' in text) and (quoted := _QUOTED.search(text)):
        text = quoted[1].strip()
    if " + " in text:  # Sophos: two names for one thing, the more exact one last
        text = text.rpartition(" + ")[2].strip()
    if text.endswith(" FOUND"):  # a line of ClamAV's: path: name FOUND
        text = text[:-6].rpartition(": ")[2]
    if text and text[-1] in ")]0123456789xX":
        text = _COUNT.sub("", text)
    return text.strip()


def undress(text: str, suffixes: Mapping[str, Suffix]) -> Bare:
    """Takes off what stands in brackets, after `!`, `@`, `::`, and whatever else is beside the name proper."""
    bare = Bare(text)
    text = _brackets(bare, text, suffixes)
    head, sign, rest = text.partition("::")
    if sign and head:  # Cisco: name::source.engine
        _say(bare, rest.split("."), suffixes)
        text = head
    head, sign, rest = text.partition("@")
    if sign and head.strip():
        _say(bare, [rest], suffixes)
        text = head
    head, sign, rest = text.partition("!")
    if sign and head.strip():
        text = _exclaimed(bare, head, rest, suffixes)
    text = text.strip()
    if "cve" in text.lower():
        text = _SHORT_CVE.sub(r"CVE-20\1-\2", text)
    bare.text = text
    return bare


def _brackets(bare: Bare, text: str, suffixes: Mapping[str, Suffix]) -> str:
    if text.endswith("]"):
        head, sign, inner = text[:-1].rpartition("[")
        if sign and head.strip():
            _say(bare, [inner], suffixes)
            return head.strip()
    if text.startswith("{"):
        inner, sign, rest = text[1:].partition("}")
        if sign and rest.strip():
            _say(bare, ["{" + inner], suffixes)
            return rest.strip()
    if text.endswith(")") and (found := _ENDS.search(text)) and found.start():
        _say(bare, [found[1].partition(":")[0]], suffixes)
        return text[: found.start()]
    return text


def _exclaimed(bare: Bare, head: str, rest: str, suffixes: Mapping[str, Suffix]) -> str:
    if head.endswith("gen") and rest[:2].isalpha() and rest.isupper() and len(rest) <= 2:
        bare.modifiers.append("generic")  # `gen!A`: a generic signature and its letter
        return f"{head}!{rest}"
    words = [word for part in rest.split("!") for word in part.split(".")]
    unknown = _say(bare, words, suffixes)
    if unknown and not _HASH.fullmatch(unknown[0]):
        bare.tail = rest.partition("!")[0] if len(unknown) > 1 else unknown[0]
    return head


def _say(bare: Bare, words: list[str], suffixes: Mapping[str, Suffix]) -> list[str]:
    """Notes what the words say; returns those that say nothing known."""
    unknown = []
    for word in words[:16]:
        folded = word.lower().strip("# ") if word[:1] == "{" else fold(word)
        known = suffixes.get(folded) or suffixes.get(folded.rstrip("0123456789"))
        if known is None:
            if folded:
                unknown.append(word)
            continue
        if known.type:
            bare.types.append(known.type)
        if known.modifier:
            bare.modifiers.append(known.modifier)
        if known.platform:
            bare.platforms.append((known.platform, word))
    return unknown


def tokenize(
    text: str, is_one: Mapping[str, object], is_family: Mapping[str, object], *, underscores: bool = False
) -> list[Token]:
    """The tokens of a bare text.

    Words joined by hyphens stay one if they are one in either table; else they are parted. A vulnerability's number is one
    token in its usual spelling, folded to `cve-` and the number. `underscores`: they are part of words.
    """
    tokens: list[Token] = []
    pattern = _PIECE_WITH_UNDERSCORES if underscores else _PIECE
    start = 0
    if "cve" in text.lower():
        for found in _CVE.finditer(text):
            _add(tokens, pattern.finditer(text, start, found.start()), is_one, is_family)
            usual = f"CVE-{found[1]}-{found[2]}"
            tokens.append(Token(usual, usual.lower(), found.start(), found.end()))
            start = found.end()
    _add(tokens, pattern.finditer(text, start), is_one, is_family)
    return tokens


def _add(
    tokens: list[Token],
    pieces: Iterator[re.Match[str]],
    is_one: Mapping[str, object],
    is_family: Mapping[str, object],
) -> None:
    for piece in pieces:
        word, at = piece[0], piece.start()
        folded = word.lower()
        if "-" in word:
            joined = folded.replace("-", "")
            if folded.endswith("-gen") or (joined not in is_one and joined not in is_family):
                for part in _PART.finditer(word):
                    tokens.append(Token(part[0], part[0].lower(), at + part.start(), at + part.end()))
                continue
            folded = joined
        tokens.append(Token(word, folded.replace("_", ""), at, piece.end()))


def is_hexadecimal(text: str) -> bool:
    """Whether there are hexadecimal digits only."""
    return all(letter in "0123456789abcdefABCDEF" for letter in text)


def like_a_name(text: str) -> bool:
    """Whether a word has the form of a family's name: `Emotet`, `WannaCryptor`."""
    if len(text) < 4 or not text[0].isalpha():
        return False
    if text[0].isupper() and text[1:4].lower() == text[1:4]:
        return text[1:4].isalpha()
    return any(map(str.islower, text)) and any(map(str.isupper, text)) and len(text) >= 5 and text.isalpha()
