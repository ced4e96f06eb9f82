"""What a name resolves to. Types only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal["key", "data-source", "platform", "component", "sigma", "alias", "channel", "prefix"]
KINDS: Final[tuple[Kind, ...]] = (
    "key",
    "data-source",
    "platform",
    "component",
    "sigma",
    "alias",
    "channel",
    "prefix",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a name resolves to. `detail` holds what only its kind has (relations, techniques, renames, state, …)."""

    name: str
    kind: Kind
    keys: list[str]
    note: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The keys of the command's contract, and the detail."""
        return {
            "name": self.name,
            "kind": self.kind,
            "entries": self.keys,
            "note": self.note,
            **self.detail,
        }
