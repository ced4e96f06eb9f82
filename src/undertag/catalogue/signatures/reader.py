"""One signature name → `SignatureName`.

Contract: `Reader.read` answers for any text in time linear in its first 1,024 characters and never raises on account of the text; the
answer depends on name and vendor only. Answers are remembered, up to a bound.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from undertag.catalogue.signatures.deciding import decide_fidelity, decide_platform, decide_tags, decide_type
from undertag.catalogue.signatures.forms import form_of
from undertag.catalogue.signatures.lexicon import Lexicon
from undertag.catalogue.signatures.name import MAX_CHARACTERS, SignatureName
from undertag.catalogue.signatures.scanning import Scan, scan
from undertag.catalogue.signatures.tables import Tables, load_tables
from undertag.catalogue.signatures.tokens import Token, clean, fold, tokenize, undress

_REMEMBERED: Final = 65_536
"""Answers kept; when full, all are dropped (names repeat in bursts, so this is rare)."""


CLASSIFIERS: Final = frozenset({"crowdstrike", "sentinelone", "cylance", "carbonblack", "cybereason"})
"""Vendors that say what kind of thing it is and have no names of their own: a word alone is no family there, unless it is a known one."""


class Reader:
    """Reads names by the given tables."""

    def __init__(self, tables: Tables) -> None:
        import re2

        self._tables = tables
        self._memory: dict[tuple[str, str], SignatureName] = {}
        self._lexicons: dict[str, Lexicon] = {}
        self._set = re2.Set.SearchSet(_options(re2))
        for phrase in tables.phrases:
            self._set.Add(phrase.pattern)
        for _, pattern in tables.shapes:
            self._set.Add(pattern)
        self._set.Compile()

    def read(self, name: str, vendor: str = "") -> SignatureName:
        """What a name says; see `read_name`."""
        key = (name[:MAX_CHARACTERS], vendor[:64])
        found = self._memory.get(key)
        if found is None:
            if len(self._memory) >= _REMEMBERED:
                self._memory.clear()
            found = self._memory[key] = self._read(*key)
        return found

    def convention(self, vendor: str) -> str:
        """The id of the convention of a vendor, product or engine, or an empty string."""
        folded = fold(vendor)
        return self._tables.vendors.get(folded) or self._tables.vendors.get(folded.rstrip("0123456789"), "")

    def conventions(self) -> list[str]:
        """The ids of all conventions, sorted: what `convention` can answer."""
        return sorted(set(self._tables.vendors.values()))

    def _read(self, name: str, vendor: str) -> SignatureName:
        text = clean(name)
        if not text:
            return _nothing(name, self.convention(vendor))
        convention = self.convention(vendor)
        matched = sorted(self._set.Match(_encodable(text)) or ())
        phrases = len(self._tables.phrases)
        read_as = convention
        if convention in ("", "caro"):
            read_as = next(
                (self._tables.shapes[at - phrases][0] for at in matched if at >= phrases), convention
            )
        if matched and matched[0] < phrases:
            return self._phrase(name, text, convention or read_as, matched[0])
        return self._name(name, text, convention or read_as, read_as)

    def _phrase(self, name: str, text: str, convention: str, at: int) -> SignatureName:
        phrase = self._tables.phrases[at]
        bare = undress(text, self._tables.suffixes)
        found = Scan(modifiers=[*phrase.modifiers, *bare.modifiers])
        self._beside(bare.text, self._lexicon(convention), found)
        return self._finish(name, convention, found, [phrase.type, *bare.types, *found.types], "", "")

    def _beside(self, text: str, lexicon: Lexicon, found: Scan) -> None:
        """What a classification says besides: CrowdStrike's `win/…`, SentinelOne's `… - Malicious PE - Ransomware`."""
        head, slash, _ = text.partition("/")
        parts = text.split(" - ")[1:]
        for part in ([head] if slash else []) + parts:
            for piece in part.split():
                word = lexicon.words.get(fold(piece))
                if word is not None and word.platform:
                    found.platforms.append((word.platform, piece))
                if word is not None and word.type and piece == part and part in parts:
                    found.types.append(word.type)

    def _name(self, name: str, text: str, convention: str, read_as: str) -> SignatureName:
        tables = self._tables
        form = form_of(read_as, text)
        bare = undress(form.text, tables.suffixes)
        lexicon = self._lexicon(form.words or read_as)
        tokens = tokenize(bare.text, lexicon.words, tables.aliases, underscores=form.underscores)
        found = scan(tokens, lexicon, form.place(tokens, bare.text))
        variant = _span(bare.text, [tokens[at] for at in found.variant]) or bare.tail
        family = found.family
        if form.nameless:
            family, variant, found.known = "", "", None
        if "eicar" in text.lower():
            family, variant, found.known, found.types = "EICAR", "", None, ["test-file"]
        elif "test-file" in found.types and found.known is None:
            family = ""
        elif (
            found.known is None
            and not (found.words or bare.types)
            and (not convention or convention in CLASSIFIERS or _is_prose(bare.text))
        ):
            family = variant = ""  # free text: nothing says that this is a family
        found.modifiers[:0] = form.modifiers
        found.modifiers += bare.modifiers
        found.platforms += bare.platforms
        return self._finish(name, convention, found, form.types + found.types + bare.types, family, variant)

    def _finish(
        self, name: str, convention: str, found: Scan, said: list[str], family: str, variant: str
    ) -> SignatureName:
        known = found.known
        modifiers = tuple(dict.fromkeys(found.modifiers))
        type_ = decide_type(said, known)
        if not type_ and family:
            type_ = self._tables.defaults.get(convention, "")
        if not type_:
            type_ = "malware" if family or found.generic_word or found.words else "unknown"
        if type_ == "malware" and "behaviour" in modifiers:
            type_ = "behaviour"
        platform, word = decide_platform(found.platforms)
        usual = known.name if known is not None else family
        return SignatureName(
            name=name,
            vendor=convention,
            type=type_,
            platform=platform,
            platform_word=word,
            family=usual,
            family_word=family or found.generic_word,
            variant=variant[:MAX_CHARACTERS],
            fidelity=decide_fidelity(type_, usual, known, modifiers, self._tables.rules),
            tags=decide_tags(type_, platform, usual, known, modifiers, said),
            modifiers=modifiers,
        )

    def _lexicon(self, convention: str) -> Lexicon:
        found = self._lexicons.get(convention)
        if found is None:
            tables = self._tables
            own = tables.vendor_words.get(convention, {})
            heads = tables.vendor_heads.get(convention, {})
            found = Lexicon(tables.words, own, heads, tables.aliases, tables.families)
            self._lexicons[convention] = found
        return found


@cache
def load_reader() -> Reader:
    """The reader by the shipped tables, made once.

    Raises:
        CatalogueError: UT330, the compiled tables are missing or damaged.
    """
    return Reader(load_tables())


def read_name(name: str, vendor: str = "") -> SignatureName:
    """What an anti-virus signature name says.

    Args:
        name: any text; quotes, labels and counts around the name don't matter.
        vendor: the vendor, product or engine, in any usual spelling; if empty or not known, inferred from the form where
            that is decisive.

    Raises:
        CatalogueError: UT330, the compiled tables are missing or damaged. Never on account of the name.
    """
    return load_reader().read(name, vendor)


def _is_prose(text: str) -> bool:
    return " " in text and not any(separator in text for separator in "./:")


def _span(text: str, tokens: list[Token]) -> str:
    """The variant as written, if its tokens stand together; else joined by points. Words of a sentence behind it are no part."""
    for at, token in enumerate(tokens):
        spaced = token.start > 0 and text[token.start - 1] == " " and token.text.isalpha()
        if spaced and (len(token.text) > 3 or token.text.islower()):
            tokens = tokens[:at]
            break
    if not tokens:
        return ""
    start, end = tokens[0].start, tokens[-1].end
    between = text[start:end]
    joined = sum(token.end - token.start for token in tokens) + len(tokens) - 1
    return (
        between if joined == len(between) and " " not in between else ".".join(token.text for token in tokens)
    )


def _encodable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _options(re2: Any) -> Any:
    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    return options


def _nothing(name: str, vendor: str) -> SignatureName:
    return SignatureName(
        name=name,
        vendor=vendor,
        type="unknown",
        platform="",
        platform_word="",
        family="",
        family_word="",
        variant="",
        fidelity="none",
        tags=("obs.av.unknown",),
        modifiers=(),
    )
