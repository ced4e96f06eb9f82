"""Tags of anti-virus events: the signature's name read by the catalogue's reader, weighed by how far its type of event can be trusted.

Contract: an event whose entry says which field names a signature gets the tags that the name says, under one hit of its own that holds
the evidence. A link is never stronger than the event's fidelity allows: what was blocked on a high-fidelity type counts as read, what
an unwanted-program type says stays `compatible`. Names are read once and remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from undertag.catalogue.signatures import SignatureName, read_name, tag_facts
from undertag.catalogue.signatures.name import FIDELITIES
from undertag.catalogue.sources.fields import text_at
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.catalogue.sources.routes import AntivirusEvent
from undertag.model.tag import STRENGTHS, TAGGING_STRENGTHS, kind_of
from undertag.tag.technique_claims import TechniqueClaims

RULE: Final = "undertag:signature-name"
"""The id of the hit behind these tags: no rule of a file, but the reader."""
RULE_TITLE: Final = "Signature name read"
_MEMO_SIZE: Final = 16_384
_CAP: Final = {"high": "conclusive", "medium": "indicative", "low": "compatible", "none": "compatible"}
"""The strongest link that an event type of this fidelity may carry."""
_NO_NAMES: Final = frozenset({"", "-", "--", "n/a", "none", "null", "(null)", "nil"})
"""What exporters write where there is no name, case folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTags:
    """What one name says on one type of event: tags as they are written, techniques claimed, and the hit."""

    tags: tuple[dict[str, Any], ...]
    techniques: tuple[str, ...]
    hit: bytes


class AntivirusTags:
    """Reads the names of anti-virus events."""

    def __init__(self, claims: TechniqueClaims, prefix: str, *, wanted: bool = True) -> None:
        """`wanted`: False where no name is to be read at all."""
        self._claims = claims
        self._prefix = prefix
        self._events: Mapping[str, AntivirusEvent] | None = None if wanted else {}
        self._memo: dict[tuple[str, str], NamedTags] = {}

    def event(self, key: str) -> AntivirusEvent | None:
        """What the catalogue says of an entry whose events name signatures; None for any other."""
        events = self._events
        if events is None:
            events = self._events = load_catalogue().routes.antivirus
        return events.get(key)

    def of(self, event: AntivirusEvent, fields: Mapping[str, Any]) -> NamedTags | None:
        """The tags of one event; None where it names nothing."""
        name = text_at(fields, event.signature)
        if name is None or name.strip().casefold() in _NO_NAMES:
            return None
        place = (event.key, name)
        found = self._memo.get(place)
        if found is None:
            if len(self._memo) >= _MEMO_SIZE:
                self._memo.clear()
            found = self._memo[place] = self._read(event, name)
        return found

    def _read(self, event: AntivirusEvent, name: str) -> NamedTags:
        read = read_name(name, event.convention)
        fidelity = max(event.fidelity, read.fidelity, key=FIDELITIES.index)  # the best stands first
        signature = {
            "vendor": read.vendor,
            "type": read.type,
            "platform": read.platform,
            "family": read.family,
            "variant": read.variant,
            "fidelity": fidelity,
            "outcome": event.outcome,
        }
        tags = [self._said(tag, read, event.fidelity, signature) for tag in read.tags]
        claims = {
            claim.tag: claim
            for tag in tags
            for link in tag.get("relates", ())
            if link["strength"] in TAGGING_STRENGTHS
            for claim in self._claims.of_technique(link["technique"])
            if claim.technique
        }
        tags += [claim.said([RULE]) for claim in claims.values()]
        hit = {
            "id": RULE,
            "title": RULE_TITLE,
            "level": "informational",
            "hash": event.digest,
            "evidence": [
                {
                    "selection": event.key,
                    "field": ".".join(event.signature),
                    "operator": "named",
                    "pattern": "/".join(filter(None, (read.type, read.platform, read.family))),
                    "value": name,
                }
            ],
        }
        return NamedTags(
            tags=tuple(tags), techniques=tuple(claim.id for claim in claims.values()), hit=orjson.dumps(hit)
        )

    def _said(
        self, tag: str, read: SignatureName, fidelity: str, signature: dict[str, str]
    ) -> dict[str, Any]:
        facts = tag_facts(tag)
        said: dict[str, Any] = {
            "tag": tag,
            "kind": kind_of(tag),
            "title": f"{self._prefix}: {facts.title}",
            "signature": signature,
        }
        links = [
            {
                "technique": claim.id,
                "name": claim.name,
                "strength": min(link.strength, _CAP[fidelity], key=STRENGTHS.index),
                "why": link.because,
            }
            for link in facts.relates
            for claim in self._claims.of_technique(link.id)
        ]
        if links:
            said["relates"] = links
        said["benign"] = list(facts.benign)
        said["ask"] = facts.ask
        said["action"] = facts.action
        said["rules"] = [RULE]
        return said
