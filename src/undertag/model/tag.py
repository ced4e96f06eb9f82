"""What a tag is: its kind, its name, and how strongly it speaks for a technique."""

from __future__ import annotations

import re
from typing import Final, Literal

Kind = Literal["obs", "ctx", "stat", "mit", "beh", "attack"]
Strength = Literal["compatible", "consistent", "indicative", "conclusive"]

KINDS: Final[tuple[Kind, ...]] = ("obs", "ctx", "stat", "mit", "beh", "attack")
STRENGTHS: Final[tuple[Strength, ...]] = ("compatible", "consistent", "indicative", "conclusive")
TAGGING_STRENGTHS: Final = frozenset({"indicative", "conclusive"})
"""Only links as strong as these may put an `attack.*` tag on an event."""
TAG_NAME: Final = re.compile(r"[a-z0-9_-]+\.[a-z0-9._-]+")
MAX_TAG_BYTES: Final = 31


def kind_of(tag: str) -> Kind | None:
    """The kind of a tag of ours or of ATT&CK's, None for any other namespace."""
    kind = tag.partition(".")[0]
    return kind if kind in KINDS else None


def is_tag_name(tag: str) -> bool:
    """Whether `tag` is well-formed and short enough to serve everywhere."""
    return len(tag.encode()) <= MAX_TAG_BYTES and TAG_NAME.fullmatch(tag) is not None
