"""What words mean in one vendor's names: families, words, and words put together from others.

Contract: each question is a bounded number of look-ups; nothing is guessed that the tables don't say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from undertag.catalogue.signatures.tables import Family, Word

_NOTHING: Final = Word()
_DIGITS: Final = "0123456789"
_ENDINGS: Final = (
    "ransomware", "backdoor", "stealer", "downloader", "dropper", "trojan", "ransom", "loader", "locker", "beacon", "crypt",
    "shell", "miner", "spy", "bot", "rat", "gen", "dll", "x64", "x86", "pe", "msil", "x",
)  # fmt: skip
"""What vendors append to a family's name without meaning another family."""
_FRONTS: Final = (
    ("gen", ""), ("js", "js"), ("vbs", "vbs"), ("php", "php"), ("asp", "asp"), ("msil", "dotnet"), ("vba", "office"),
    ("doc", "office"), ("xls", "office"), ("ole", "office"), ("rtf", "office"), ("ppt", "office"), ("vb", ""),
    ("linux", "linux"), ("html", "html"), ("ps", "powershell"), ("win32", "windows"),
    ("w32", "windows"), ("pdf", "pdf"), ("java", "java"), ("trojan", ""), ("troj", ""), ("android", "android"), ("elf", "linux"),
)  # fmt: skip
"""What stands before another word in one: `JSInject`, `GenDownloader`, `TrojanAitInject`; with the platform that it says."""
_SHORT: Final = {"dl": Word(type="downloader"), "drp": Word(type="dropper")}
"""Short words for a type that are believed behind a platform: `OleDl`."""
_LONG: Final = 8
"""Letters from which one letter behind a known word counts as part of the variant."""
_BEFORE_FAMILIES: Final = (
    "sm",
    "trojan",
    "troj",
    "ransom",
    "pws",
    "psw",
    "win32",
    "w32",
    "msil",
    "spy",
    "ps",
    "js",
    "linux",
    "bkdr",
    "sharp",
)
"""What vendors write before a family's name, in one word with it."""


_FRONT_WORDS: Final = tuple(front for front, _ in _FRONTS)


class Lexicon:
    """What words mean in one vendor's names."""

    __slots__ = ("_aliases", "_families", "_own", "heads", "words")

    def __init__(
        self,
        words: Mapping[str, Word],
        own: Mapping[str, Word],
        heads: Mapping[str, Word],
        aliases: Mapping[str, int],
        families: list[Family],
    ) -> None:
        self.words = {**words, **own} if own else words
        self.heads = heads
        self._own = own
        self._aliases = aliases
        self._families = families

    def exact(self, folded: str) -> Family | None:
        """The family with this very spelling."""
        place = self._aliases.get(folded)
        return None if place is None or folded in self._own else self._families[place]

    def like(self, folded: str) -> Family | None:
        """The family with this spelling but for digits or a usual ending."""
        bare = folded.rstrip(_DIGITS)
        place = self._aliases.get(bare) if len(bare) > 2 else None
        if place is None and bare.startswith(_BEFORE_FAMILIES):
            for front in _BEFORE_FAMILIES:
                if bare.startswith(front) and len(bare) - len(front) > 3:
                    place = self._aliases.get(bare[len(front) :])
                    break
        if place is None and bare.endswith(_ENDINGS):
            for ending in _ENDINGS:
                if bare.endswith(ending) and len(bare) - len(ending) > 3:
                    place = self._aliases.get(bare[: -len(ending)])
                    if place is not None:
                        break
        return None if place is None else self._families[place]

    def word(self, folded: str) -> Word | None:
        """What a word says, with or without the digits at its end."""
        found = self.words.get(folded)
        if found is None and folded[-1:] in _DIGITS:
            bare = folded.rstrip(_DIGITS)
            found = self.words.get(bare) if len(bare) > 2 else None
        if found is None and folded.startswith("generic"):
            rest = self.words.get(folded[7:], _NOTHING)
            found = Word(type=rest.type, platform=rest.platform, filler="generic")
        if found is None and len(folded) > _LONG:  # `DownloaderK`
            longer = self.words.get(folded[:-1], _NOTHING)
            found = longer if longer.type else None
        return found or self._compound(folded)

    def _compound(self, folded: str) -> Word | None:
        if not folded.startswith(_FRONT_WORDS):
            return None
        bare = folded.rstrip(_DIGITS)
        for front, platform in _FRONTS:
            if bare.startswith(front):
                end = bare[len(front) :]
                rest = self.words.get(end) if len(end) > 3 else _SHORT.get(end) if platform else None
                if rest is not None and (rest.type or rest.filler):
                    type_ = rest.type or ("trojan" if front.startswith("troj") else "")
                    return Word(type=type_, platform=platform or rest.platform, filler=rest.filler)
        return None
