"""What is peculiar to a vendor's form of names, before words are looked up.

Contract: `form_of` takes off what only that vendor writes around a name (ESET's phrases, Cisco's engines, Comodo's numbers) and
says where the family's place begins. All else is the same for all vendors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from undertag.catalogue.signatures.tokens import Token

_ESET_HEAD: Final = re.compile(r"(?i)^(?:probably )?(?:(?:a variant of|unknown|modified) )?(?=\S)")
_ESET_TAIL: Final = re.compile(
    r"(?i)\s+(?:(potentially unwanted)|(potentially unsafe)|(trojan)|(worm)|(virus)|(?:virus/)?(?:application|program|file))"
    r"(?: (?:application|horse|program))?$"
)
_ESET_TYPES: Final = ("pua", "riskware", "trojan", "worm", "virus")
_AVIRA_INSIDE: Final = re.compile(r"^([A-Z][A-Za-z]+)\.(?=[A-Z0-9]+/)")
_AVIRA: Final = re.compile(r"^[A-Z0-9]{2,8}/")
_AVIRA_TYPES: Final = {
    "trojan": "trojan", "malware": "malware", "heuristic": "malware", "adware": "adware", "dropper": "dropper",
    "backdoor": "backdoor", "exploit": "exploit", "worm": "worm", "privacyrisk": "riskware", "riskware": "riskware",
    "pua": "pua", "ransomware": "ransomware",
}  # fmt: skip
"""WithSecure puts a word before the name that its Avira engine gives: `Trojan.TR/AD.Emotet.abcde`."""
_ELASTIC_ALERT: Final = re.compile(
    r"(?i)^(memory threat|malware|ransomware|malicious behavior)(?: (?:detection|prevention))?(?: alert)?:\s+(?=\S)"
)
_XPROTECT: Final = re.compile(r"(?i)^XProtect(?:Remediator)?[._ :-]*")
_SOPHOS_CVE: Final = re.compile(
    r"^(Exp/)(?=(?:19\d\d|200\d|201[0-3])(?!10)|\d{4}0|\d{9})((?:19|20)\d\d)(\d{4,6})(?=-|$)"
)
"""Sophos cuts numbers to four digits (`Exp/20171188` for CVE-2017-11882), so four digits are a whole number only where there are
none of five: with a leading zero, or before 2014 (those given later begin with 10)."""
_CISCO_TAIL: Final = re.compile(
    r"(?i)(?:-\d{2,3})?\.(?:(sbx)\.(?:tg|vioc)|(ret)(?:\.\w+)*|(in\d\d)(?:\.talos)?|(ioc)|(tht)(?:\.talos)?|(talos)|(tpd)|(spero))$"
)
_CISCO_SAYS: Final = (
    "sandbox",
    "retrospective",
    "",
    "behaviour",
    "",
    "",
    "third-party-signature",
    "machine-learning",
)
_CISCO_HASH: Final = re.compile(r"(?i)[.:]?\b[0-9a-f]{6,64}\b(?:-\d{1,3})?")


@dataclass(slots=True)
class Form:
    """A name without what only its vendor writes."""

    text: str
    types: list[str] = field(default_factory=list)
    modifiers: list[str] = field(default_factory=list)
    underscores: bool = False
    """Underscores are part of words."""
    nameless: bool = False
    """What stands in the family's place denotes no family."""
    words: str = ""
    """The vendor by whose words the name is to be read, if another."""
    separator: str = "/"
    """What stands before the family's place."""

    def place(self, tokens: list[Token], text: str) -> int:
        """Index of the first token of the family's place, or -1 if the form doesn't say."""
        if not self.separator:
            return 0
        cut = text.find(self.separator)
        if cut < 0:
            return -1
        return next((at for at, token in enumerate(tokens) if token.start > cut), -1)


def form_of(vendor: str, text: str) -> Form:
    """The name in the general form."""
    lower = text.lower()
    form = Form(text, underscores=vendor == "microsoft")
    if vendor == "eset" or "a variant of " in lower or lower.startswith("probably "):
        _eset(form, lower)
    elif vendor == "microsoft" and lower.startswith(
        "dos:"
    ):  # denial of service; the platform stands behind the colon
        form.types.append("ddos")
        form.text = text[4:]
    elif vendor == "withsecure":
        if found := _AVIRA_INSIDE.match(text):
            form.words = "avira"
            form.types.append(_AVIRA_TYPES.get(found[1].lower(), "malware"))
            form.text = text[found.end() :]
        elif _AVIRA.match(text):
            form.words = "avira"
    elif vendor == "xprotect":
        form.text = _XPROTECT.sub("", text) or text
    elif vendor == "sophos":
        form.text = _SOPHOS_CVE.sub(r"\1CVE-\2-\3", text)
    elif vendor == "cisco":
        _cisco(form)
    elif vendor == "elastic" and (found := _ELASTIC_ALERT.match(text)):
        form.text = text[found.end() :]
        form.modifiers.append(
            {"memory threat": "memory", "malicious behavior": "behaviour"}.get(found[1].lower(), "")
        )
        form.nameless = form.modifiers[-1] == "behaviour"
        form.types += ["behaviour"] * form.nameless
        form.modifiers = [modifier for modifier in form.modifiers if modifier]
    elif vendor == "avast":
        form.separator = ":"
    elif vendor == "trendmicro":
        if "_" in text and "." not in text.partition("_")[0]:
            form.separator = "_"
    elif vendor == "mcafee" and "/" not in text and "-" in text.partition(".")[0]:
        form.separator = ""
    elif vendor == "malwarebytes" or lower.startswith("machinelearning"):
        form.separator = "\0"
    if lower.endswith(".unofficial"):
        form.text = form.text[: -len(".unofficial")]
        form.modifiers.append("third-party-signature")
    return form


def _eset(form: Form, lower: str) -> None:
    if "variant of" in lower or lower.startswith("probably"):
        form.modifiers.append("generic")
    if lower.startswith("probably"):
        form.modifiers.append("heuristic")
    form.text = _ESET_HEAD.sub("", form.text)
    if found := _ESET_TAIL.search(form.text):
        if found.lastindex:
            form.types.append(_ESET_TYPES[found.lastindex - 1])
        form.text = form.text[: found.start()]


def _cisco(form: Form) -> None:
    for _ in range(2):
        if found := _CISCO_TAIL.search(form.text):
            says = _CISCO_SAYS[(found.lastindex or 3) - 1]
            if says == "behaviour":
                form.types.append("behaviour")
                form.nameless = True
            if says:
                form.modifiers.append(says)
            form.text = form.text[: found.start()]
    form.text = _CISCO_HASH.sub("", form.text)
