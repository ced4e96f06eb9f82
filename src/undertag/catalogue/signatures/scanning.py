"""Tokens → what each of them says: types, platforms, the family, the variant.

Contract: one pass, each token looked up a bounded number of times. Vendors order these parts differently, so words are known by
what they mean; their order decides only what stands in the *family's place*: after a slash or Avast's colon, or once a type and a
platform have been said. A word that denotes no family (a *filler*) closes that place, and what follows is variant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from undertag.catalogue.signatures.lexicon import Lexicon
from undertag.catalogue.signatures.tables import Family, Word
from undertag.catalogue.signatures.tokens import Token, is_hexadecimal, like_a_name

_DIGITS: Final = "0123456789"
_ALSO: Final = {"packer": "packed", "suspicious": "suspicious"}
"""Types that say how sure the vendor is, or how the file is made, beside a more exact type."""
_HOLLOW: Final = ("packer", "malware", "suspicious")
"""Types that vendors put in the family's place when they know no more."""
_SURE: Final = 5
"""Letters from which a known family is believed outside of the family's place."""


@dataclass(slots=True)
class Scan:
    """What the tokens of one name said, in their order."""

    types: list[str] = field(default_factory=list)
    platforms: list[tuple[str, str]] = field(default_factory=list)
    """(platform, the vendor's word)."""
    family: str = ""
    known: Family | None = None
    generic_word: str = ""
    """The word that stood in the family's place without denoting one."""
    variant: list[int] = field(default_factory=list)
    """Places of the variant's tokens."""
    modifiers: list[str] = field(default_factory=list)
    words: int = 0
    """How many tokens said something known."""


def scan(tokens: list[Token], lexicon: Lexicon, place: int) -> Scan:
    """Reads tokens one after the other.

    Args:
        tokens: the name's words.
        lexicon: what words mean.
        place: index of the first token of the family's place, or -1 if the form doesn't say.
    """
    return _Scanner(tokens, lexicon, place).run()


class _Scanner:
    __slots__ = ("closed", "implied", "lexicon", "place", "said", "scan", "tokens")

    def __init__(self, tokens: list[Token], lexicon: Lexicon, place: int) -> None:
        self.tokens = tokens
        self.lexicon = lexicon
        self.place = place
        self.implied = False  # whether the family's place follows from what was said, not from the form
        self.closed = ""  # "filler" or "type": what stands in the family's place instead of a family
        self.said = False  # whether the family's place is filled
        self.scan = Scan()

    def run(self) -> Scan:
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if not self.said and self.place < 0 and self.scan.types and self.scan.platforms:
                self.place, self.implied = at, True
            at += self._two(at, token) or self._one(at, token)
        return self.scan

    def _two(self, at: int, token: Token) -> int:
        """Takes two tokens that are one family's name (`Cobalt.Strike`)."""
        if self.said or at + 1 >= len(self.tokens):
            return 0
        following = self.tokens[at + 1]
        folded = token.folded + following.folded
        word = self.lexicon.words.get(folded)
        if word is not None and word.type == "webshell" and not self.closed:  # PHP:Shell
            self._say(at, token, self.lexicon.words.get(token.folded, Word()))
            self._say(at + 1, following, word)
            return 2
        family = self.lexicon.exact(folded)
        if family is None or not self._believed(family, folded):
            return 0
        first = self.lexicon.words.get(token.folded)
        if first is not None and first.platform:
            return 0
        self._take(family, token.text + following.text)
        return 2

    def _one(self, at: int, token: Token) -> int:
        """Takes one token; returns 1."""
        if self.said:
            self._after(at, token)
        elif token.folded.startswith("cve-"):
            self.scan.family = token.text
            self.scan.types.append("exploit")
            self.scan.variant.clear()
            self.scan.words += 1
            self.said = True
        else:
            self._before(at, token)
        return 1

    def _before(self, at: int, token: Token) -> None:
        """A token that may be the family."""
        head = self.lexicon.heads.get(token.folded) if at < self.place else None
        if head is not None:
            self._say(at, token, head)
            return
        family = self.lexicon.exact(token.folded)
        if family is not None and self._believed(family, token.folded):
            self._take(family, token.text)
            return
        word = self.lexicon.word(token.folded)
        if word is not None and word.named and word.type in self.scan.types and self.closed != "filler":
            self.scan.family = token.text  # Packed.Themida
            self.said = True
            return
        if word is not None and self._is_word(at, token, word):
            self._say(at, token, word)
            return
        family = self.lexicon.like(token.folded) if word is None else None
        if family is not None and self._believed(family, token.folded):
            self._take(family, token.text)
        elif self._is_variant(at, token):
            self._vary(at, token)
        else:
            self.scan.family = token.text
            self.said = True

    def _believed(self, family: Family, folded: str) -> bool:
        return self.closed != "filler" or len(folded) >= _SURE

    def _take(self, family: Family, text: str) -> None:
        self.scan.known = family
        self.scan.family = text
        self.scan.words += 1
        self.scan.variant.clear()
        self.said = True

    def _is_word(self, at: int, token: Token, word: Word) -> bool:
        """Whether a known word is meant as such: short capitals behind the family's place are a variant."""
        last = at + 1 == len(self.tokens)
        if at and last and not self.closed and len(token.text) < 3 and word.mark == "":
            return False  # McAfee's `tc`
        if self.closed and last and token.folded[:3] == "gen" and token.folded[3:].isdigit():
            return False  # Avira's `Gen7`
        if not self.closed or len(token.text) > 3 or word.type in ("pua", "remote-access-trojan"):
            return True
        if self.closed == "type" and (word.type or word.filler) and not last:
            return True
        if (
            last
            and self.closed == "filler"
            and not self.scan.platforms
            and len(token.text) == 3
            and word.platform
        ):
            return not token.text.islower()
        return bool(word.platform) and not last and len(token.text) > 2

    def _say(self, at: int, token: Token, word: Word) -> None:
        scan = self.scan
        scan.words += 1
        in_place = 0 <= self.place <= at
        if word.platform or word.nowhere:
            scan.platforms.append((word.platform, token.text))
        if word.type:
            scan.types.append(word.type)
            if word.type in _ALSO:
                scan.modifiers.append(_ALSO[word.type])
        if word.mark is not None and not self.closed and (word.filler is None or self._family_follows(at)):
            if word.mark:
                scan.modifiers.append(word.mark)
        elif word.filler is not None:
            if word.filler:
                scan.modifiers.append(word.filler)
            self._close("filler", token)
        elif word.type and (in_place or (self.place < 0 and word.type in _HOLLOW)):
            self._close("type", token)

    def _close(self, how: str, token: Token) -> None:
        if self.closed != "filler":
            self.closed = how
            self.scan.generic_word = token.text

    def _family_follows(self, at: int) -> bool:
        if at + 1 >= len(self.tokens):
            return False
        following = self.tokens[at + 1].folded
        if following.isdigit():
            return False
        if self.lexicon.exact(following) is not None:
            return True
        if at > 0:
            text = self.tokens[at + 1].text
            return len(text) > 3 and text[0].isupper() and not text.isupper()
        return self.lexicon.word(following) is not None or (
            len(following) > 3 and not following[-1].isdigit()
        )

    def _is_variant(self, at: int, token: Token) -> bool:
        """Whether a word that is not known is the variant rather than the family."""
        text = token.text
        if self.closed == "filler" or text[0].isdigit() or text.isdigit():
            return True
        letters = len(text) - sum(map(text.count, _DIGITS))
        if text[0].islower() and not text.islower() and self.scan.types and at + 1 == len(self.tokens):
            return True  # a serial in letters: `dmHfamvEETe`
        if letters < 2 or (len(text) >= 6 and letters < len(text) and is_hexadecimal(text)):
            return True
        last = at + 1 == len(self.tokens)
        if last and self.scan.types and len(text) < 5 and text.islower():
            return True
        if self.closed == "type" and text.isupper() and len(text) < 5:
            return True
        if self.closed == "type":
            return not like_a_name(text) if last else len(text) < 3 or letters < len(text) - 1
        if last and self.implied and text.isupper() and text.isalpha() and len(text) < 4:
            return True  # W97M.Downloader.AJH
        if 0 <= self.place <= at:
            return False
        if len(self.scan.types) > 1 and last:
            return not like_a_name(text)
        return len(text) < 3 and bool(self.scan.types)

    def _after(self, at: int, token: Token) -> None:
        """A token behind the family."""
        scan = self.scan
        vague = scan.known is not None and scan.known.catch_all and not scan.variant
        if vague or (scan.known is None and len(token.folded) >= _SURE):
            known = self.lexicon.exact(token.folded)
            if known is not None:
                self._take(known, token.text)
                return
        word = self.lexicon.word(token.folded) if len(token.text) > 3 else None
        if scan.variant and word is not None and not (word.type and token.text.islower()):
            word = None
        if word is not None and (word.type or word.platform) and token.text[-1] not in _DIGITS:
            scan.words += 1
            if word.type and (scan.known is None or scan.known.over != "always"):
                scan.types.append(word.type)
            if word.platform:
                scan.platforms.append((word.platform, token.text))
            return
        if word is not None and word.platform and not scan.platforms:
            scan.platforms.append((word.platform, token.text))
            return
        if token.folded == "generic" and not scan.variant and at + 1 < len(self.tokens):
            scan.modifiers.append("generic")
            return
        self._vary(at, token)

    def _vary(self, at: int, token: Token) -> None:
        if token.folded.rstrip(_DIGITS) == "gen":
            self.scan.modifiers.append("generic")
        self.scan.variant.append(at)
