"""What the book of an anti-virus product may say: a chapter of its own in the product's curated file.

Contract: as `schema`: what converts is well formed in itself, and unknown keys are errors.
"""

from __future__ import annotations

import msgspec

from undertag.catalogue.sources.schema import Strict


class Said(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One statement of a product's book, and the ids of the sources that vouch for it."""

    say: str
    sources: list[str]


class NameExample(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signature name and how it is to be read."""

    name: str
    reads: str


class Unconfirmed(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event that is known from one person's knowledge only: told, but no entry."""

    event: str
    title: str
    why: str = ""


class Recognise(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How records of the product are known in a stream of JSON: all of `where` hold; `event` is the field with the type.

    A value of `where` is a text or number to be equal (case ignored), a list of them, or `*` for any value.
    Without `events` the entry is the one whose `event` equals the value; `events` maps other values, `*` the rest.
    """

    where: dict[str, str | int | list[str | int]]
    event: str = ""
    events: dict[str, str] = msgspec.field(default_factory=dict)


class Book(Strict, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an analyst needs to know of an anti-virus product between its events: a page of the docs."""

    name: str
    vendor: str
    summary: str
    names: str
    """Convention of its signature names: an id of the reader, or `none` where it names nothing."""
    where: list[Said]
    switch_on: list[Said]
    worth: list[Said]
    never: list[Said]
    traps: list[Said] = msgspec.field(default_factory=list)
    naming: list[Said] = msgspec.field(default_factory=list)
    examples: list[NameExample] = msgspec.field(default_factory=list)
    disagreements: list[Said] = msgspec.field(default_factory=list)
    unconfirmed: list[Unconfirmed] = msgspec.field(default_factory=list)
    recognise: list[Recognise] = msgspec.field(default_factory=list)
