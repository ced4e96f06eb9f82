"""What was said → one type, one platform, a fidelity and tags.

Contract: pure functions of a `Scan`. Of several types the most exact counts; a known family may overrule the vendor's word (as
far as its group in families.yml says); a word for unwanted software is not overruled by what such software also does.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from undertag.catalogue.signatures.tables import Family, Rule

_EXACTNESS: Final = {
    name: place
    for place, name in enumerate((
        "test-file", "webshell", "ransomware", "wiper", "coinminer", "bootkit", "rootkit", "phishing", "keylogger", "banker",
        "password-stealer", "remote-access-trojan", "exploit", "downloader", "dropper", "clicker", "proxy", "ddos", "dialer",
        "rogue-security-software", "monitoring-tool", "spyware", "backdoor", "worm", "virus", "bot", "hacktool", "adware",
        "joke", "pua", "riskware", "behaviour", "trojan", "packer", "suspicious", "malware",
    ))
}  # fmt: skip
_VAGUE: Final = {"trojan", "malware", "suspicious", "packer", "virus", ""}
_REMOTE: Final = {"backdoor", "riskware"}
"""What vendors call a known remote access trojan too."""
_ACTS: Final = {"downloader", "dropper", "exploit", "behaviour", "phishing"}
"""Said of a component; what it brings along is another thing."""
_GREY: Final = {"pua", "riskware", "adware"}
_GREY_KINDS: Final = {
    "adware",
    "coinminer",
    "hacktool",
    "monitoring-tool",
    "joke",
    "dialer",
    "rogue-security-software",
    "pua",
}
"""What is said more exactly by one of these beside a word for unwanted software."""
_MOST_EXACT: Final = {
    name: place
    for place, name in enumerate((
        "powershell", "vbs", "js", "php", "asp", "perl", "python", "bat", "shell", "pdf", "office", "java", "android", "ios",
        "macos", "linux", "dotnet", "html", "email", "image", "archive", "dos", "windows", "script", "multi",
    ))
}  # fmt: skip
_SHELLS: Final = {"php", "asp"}
TAGGED_MODIFIERS: Final = {
    "heuristic", "generic", "machine-learning", "reputation", "behaviour", "memory", "sandbox", "cloud", "actor-attributed",
    "third-party-signature", "packed",
}  # fmt: skip


def decide_type(said: list[str], family: Family | None) -> str:
    """The type: of what was said the most exact, or the family's, as far as that may overrule it."""
    word = _said(said)
    if family is None or not family.type or word == family.type or word == "test-file":
        return word
    if family.type == "remote-access-trojan" and word in _REMOTE:
        return family.type
    if family.over == "always":
        return word if word in _ACTS else family.type
    if family.over == "vague":
        return family.type if word in _VAGUE else word
    return family.type if word in ("", "malware", "suspicious", "packer") else word


def _said(said: list[str]) -> str:
    if not said:
        return ""
    if "test-file" in said:
        return "test-file"
    kinds = [kind for kind in said if kind in _GREY]
    if kinds:
        exact = [kind for kind in said if kind in _GREY_KINDS]
        return min(exact or kinds, key=_EXACTNESS.__getitem__)
    for first in said:
        if first in _ACTS and "webshell" not in said:
            return first
        if first not in _VAGUE:
            break
    return min(said, key=_EXACTNESS.__getitem__)


def decide_platform(said: list[tuple[str, str]]) -> tuple[str, str]:
    """The most exact platform of those said, with the vendor's word; the first if several are equally exact."""
    best = ("", "")
    rank = len(_MOST_EXACT)
    for platform, word in said:
        place = _MOST_EXACT.get(platform, rank)
        if place < rank or not best[1]:
            best, rank = (platform, word), min(place, rank)
    return best


def decide_fidelity(
    type_: str, family: str, known: Family | None, modifiers: Iterable[str], rules: Iterable[Rule]
) -> str:
    """By the first rule whose conditions all hold."""
    if known is None:
        kinds = {"named"} if family else {"none"}
    elif known.catch_all:
        kinds = {"catch-all"}
    else:
        kinds = {"known", "exact"} if known.over == "always" else {"known"}
    for rule in rules:
        if (
            (not rule.types or type_ in rule.types)
            and (not rule.family or not rule.family.isdisjoint(kinds))
            and (not rule.modifiers or not rule.modifiers.isdisjoint(modifiers))
            and (
                not rule.statements
                or (known is not None and not rule.statements.isdisjoint(known.statements))
            )
        ):
            return rule.fidelity
    return "medium"


def decide_tags(
    type_: str, platform: str, family: str, known: Family | None, modifiers: Iterable[str], said: list[str]
) -> tuple[str, ...]:
    """The type's tag, then one for each further statement that holds."""
    tags = [f"obs.av.{type_}"]
    if known is not None:
        tags += [f"obs.av.{statement}" for statement in known.statements]
        if known.catch_all:
            tags.append("obs.av.generic")
    if type_ == "backdoor" and platform in _SHELLS:
        tags.append("obs.av.webshell")
    tags += [
        f"obs.av.{kind}"
        for kind in said
        if kind in ("pua", "backdoor", "riskware", "hacktool", "coinminer", "worm", "rootkit")
    ]
    if family.startswith("CVE-"):
        tags.append("obs.av.known-vulnerability")
    tags += [f"obs.av.{modifier}" for modifier in modifiers if modifier in TAGGED_MODIFIERS]
    return tuple(dict.fromkeys(tags))
