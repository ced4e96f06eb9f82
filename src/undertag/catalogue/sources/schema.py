"""What the catalogue's files may say: the schema of curated entries, prerequisites and the defaults of derived tables.

Contract: a file that converts is well formed in itself; what points elsewhere (needs, relations, ATT&CK) is `check`'s work.
`unknown` is a value of its own wherever a fact may be unknown. Unknown keys are errors, so that a typing error can't hide.
docs/reference/catalogue-format.md describes the same for writers.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

KEY: Final = re.compile(r"[a-z0-9-]+(?:/[A-Za-z0-9._~:@+*=-]+)+")
"""A well-formed key: a platform, then parts."""
UNKNOWN: Final = "unknown"

Unknown = Literal["unknown"]
State = Literal["on", "off", "partial", "absent", "unknown"]
Difficulty = Literal["ships-on", "setting", "agent", "kernel", "vendor-only", "acquisition", "unknown"]
Hit = Literal["none", "low", "medium", "high", "unknown"]
RelationKind = Literal["duplicates", "subset-of", "poorer-than", "needs", "replaces"]
SourceKind = Literal["documentation", "table", "rfc", "manual", "corpus", "knowledge"]
Delivery = Literal["windows-event-log", "file", "syslog", "api", "unified-log", "other"]
Form = Literal[
    "evtx",
    "json",
    "xml",
    "cef",
    "leef",
    "csv",
    "tsv",
    "key-value",
    "delimited",
    "text",
    "binary",
    "database",
    "unknown",
]
EventCategory = Literal[
    "detection",
    "action",
    "quarantine",
    "behaviour",
    "exploit",
    "network",
    "web",
    "device",
    "application-control",
    "scan",
    "update",
    "health",
    "config-changed",
    "tamper",
    "audit",
    "incident",
    "response",
    "file-integrity",
    "other",
]
Outcome = Literal["detected", "blocked", "cured", "failed", "allowed", "would-block", "varies", "none"]
"""What the product did, as far as the type of event alone tells: `varies` if only a field says."""
PrerequisiteKind = Literal[
    "audit-subcategory",
    "sacl",
    "registry",
    "policy",
    "role",
    "feature",
    "licence",
    "agent",
    "auditd-rule",
    "kernel",
    "cloud-setting",
    "channel",
    "service",
    "setting",
]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all: immutable, by keyword, no unknown keys."""


class SourceDoc(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where facts come from. `title` names it well enough to find it; `kind` says how far to trust it."""

    kind: SourceKind
    title: str
    version: str = ""
    date: str = ""


class DefaultState(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whether the entry is there without anybody's doing, for a product version and role (`where`)."""

    state: State
    where: str
    basis: Literal["claimed", "measured"]
    source: str
    why: str = ""


class Volume(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many events to expect: a range, with its unit (`events/system/day`, `events/account/day`, …)."""

    low: int | float
    high: int | float
    unit: str
    basis: str
    source: str
    why: str = ""


class Cost(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What it costs the system that writes it."""

    hit: Hit
    why: str = ""
    source: str = ""


class OneNeed(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A prerequisite; for an audit subcategory also which outcome has to be audited."""

    id: str
    success: bool | None = None
    failure: bool | None = None
    why: str = ""


class Need(OneNeed, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A prerequisite, or several of which `any` one suffices; all needs of an entry must be met."""

    id: str = ""
    any: list[str | OneNeed] = []

    def __post_init__(self) -> None:
        """One prerequisite or at least two alternatives, never both; the alternatives say the outcomes."""
        if bool(self.id) == bool(self.any):
            raise ValueError("a need has either `id` or `any`")
        if self.any and (len(self.any) < 2 or self.success is not None or self.failure is not None):
            raise ValueError("`any` has two or more alternatives, which say the outcomes themselves")


class SigmaSource(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A Sigma log source that the entry serves; `where` restricts it, `rename` maps Sigma's field to the entry's."""

    product: str | None = None
    category: str | None = None
    service: str | None = None
    where: dict[str, str | int | list[str | int]] = {}
    rename: dict[str, str] = {}


class AttackLinks(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What ATT&CK calls it: data components (v9 and later), data sources of October 2019, techniques where direct."""

    components: list[str] = []
    data_sources_2019: list[str] = []
    techniques: list[str] = []


class Relation(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the entry stands to another; `lost` are the fields that this one lacks of the other."""

    kind: RelationKind
    to: str
    lost: list[str] = []
    why: str = ""


class Fidelity(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How far a record of this type may be taken for what it says: what an analyst may conclude from it unseen."""

    level: Literal["high", "medium", "low", "none", "unknown"]
    why: str
    source: str = ""


class Reads(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which fields of an anti-virus event hold what, as paths; `signature` only where it is the vendor's name of the threat."""

    signature: str = ""
    file: str = ""
    action: str = ""
    hash: str = ""
    user: str = ""
    process: str = ""
    system: str = ""


class Facts(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What may be said of an entry, and by a file's defaults of all its entries."""

    platform: str | None = None
    product: str | None = None
    provider: str | None = None
    channel: str | None = None
    filter: str | None = None
    path: str | None = None
    fields: list[str] | Unknown | None = None
    versions: str | None = None
    default: list[DefaultState] | Unknown | None = None
    needs: list[str | Need] | Unknown | None = None
    volume: Volume | Unknown | None = None
    cost: Cost | Unknown | None = None
    difficulty: Difficulty | None = None
    attack: AttackLinks | Unknown | None = None
    sigma: list[SigmaSource] | None = None
    relations: list[Relation] | None = None
    notes: str | None = None
    sources: list[str] | None = None
    event: str | None = None
    delivery: Delivery | None = None
    form: Form | None = None
    category: EventCategory | None = None
    outcome: Outcome | None = None
    fidelity: Fidelity | Unknown | None = None
    reads: Reads | None = None


class Defaults(Facts, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The defaults of a curated file; `prefix` and an entry's name make its key."""

    prefix: str


class CuratedEntry(Facts, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One entry written by hand."""

    title: str


class Prerequisite(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something that must hold before an entry appears, and how to bring it about, take it back and see it."""

    kind: PrerequisiteKind
    title: str
    guid: str = ""
    category: str = ""
    enable: list[str] | Unknown = UNKNOWN
    undo: list[str] | Unknown = UNKNOWN
    check: list[str] | Unknown = UNKNOWN
    needs: list[str] = []
    source: str = ""
    notes: str = ""
    default: list[DefaultState] | Unknown = UNKNOWN


def convert(value: Any, kind: Any) -> Any:
    """Checks a value against one of the structures above.

    Raises:
        msgspec.ValidationError: it doesn't fit; the message names the place within it.
    """
    return msgspec.convert(value, kind, strict=True)
