"""Reads vendors' anti-virus signature names: `read_name("Trojan:Win32/Emotet.PA!MTB")` → type, platform, family, variant.

Contract: any text is answered and none raises; what the name doesn't say is an empty string. The tables are read once, when
first needed; importing this reads nothing.
"""

from __future__ import annotations

from undertag.catalogue.signatures.name import SignatureName, TagFacts, Technique
from undertag.catalogue.signatures.reader import Reader, load_reader, read_name
from undertag.catalogue.signatures.tables import tag_facts, tag_names

__all__ = [
    "Reader",
    "SignatureName",
    "TagFacts",
    "Technique",
    "load_reader",
    "read_name",
    "tag_facts",
    "tag_names",
]
