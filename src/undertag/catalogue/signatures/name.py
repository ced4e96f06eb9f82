"""What a signature name was read as, and what is known of a tag that follows from it. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TYPES: Final = (
    "trojan", "downloader", "dropper", "backdoor", "remote-access-trojan", "bot", "worm", "virus", "ransomware", "wiper",
    "password-stealer", "banker", "spyware", "keylogger", "rootkit", "bootkit", "exploit", "webshell", "hacktool", "adware",
    "pua", "riskware", "rogue-security-software", "coinminer", "ddos", "clicker", "proxy", "phishing", "packer", "joke",
    "dialer", "monitoring-tool", "behaviour", "test-file", "suspicious", "malware", "unknown",
)  # fmt: skip
"""The vocabulary of `SignatureName.type`; STIX 2.1's malware-type-ov where it has a word."""

PLATFORMS: Final = (
    "windows", "dotnet", "office", "vbs", "js", "powershell", "html", "pdf", "linux", "macos", "android", "ios", "java",
    "python", "php", "asp", "perl", "bat", "shell", "dos", "script", "multi", "email", "image", "archive",
)  # fmt: skip
"""The vocabulary of `SignatureName.platform`; empty where the name doesn't say."""

MODIFIERS: Final = (
    "heuristic", "generic", "cloud", "machine-learning", "behaviour", "reputation", "memory", "sandbox", "packed",
    "component", "actor-attributed", "third-party-signature", "automated", "retrospective", "custom", "suspicious",
)  # fmt: skip
"""The vocabulary of `SignatureName.modifiers`: how the thing was found, or which part of it this is."""

FIDELITIES: Final = ("high", "medium", "low", "none")

MAX_CHARACTERS: Final = 1024
"""A name is read up to here; the rest is not looked at, and `name` holds no more either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureName:
    """One name, read. A part that the name doesn't say is an empty string or tuple."""

    name: str
    """As given, cut at `MAX_CHARACTERS`."""
    vendor: str
    """Id of the convention by which it was read (`microsoft`, `kaspersky`, …), `caro` for names of that form whose vendor has
    no convention of its own, or empty."""
    type: str
    """One of `TYPES`; `malware` if the name says malicious and not what, `unknown` if it says nothing known."""
    platform: str
    """One of `PLATFORMS`, or empty."""
    platform_word: str
    """The vendor's own word for the platform."""
    family: str
    """The family under its usual name; empty for generic words (`Agent`, `Kryptik`, `GenericKD`)."""
    family_word: str
    """The family as the vendor spells it, generic words included."""
    variant: str
    fidelity: str
    """How far the name alone means a real malicious thing: one of `FIDELITIES`; the rules are `fidelity.yml`."""
    tags: tuple[str, ...]
    """Observation tags, the type's first; each is described by `tag_facts`."""
    modifiers: tuple[str, ...]
    """Of `MODIFIERS`, in the order in which the name has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """A technique that an observation may have to do with. `strength`: compatible, consistent or indicative."""

    id: str
    strength: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFacts:
    """What an analyst needs to know of one tag."""

    tag: str
    title: str
    means: str
    benign: tuple[str, ...]
    ask: str
    action: str
    relates: tuple[Technique, ...]
