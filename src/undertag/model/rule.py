"""A rule as the engine sees it: who it is, where it applies, its condition. No I/O, no pySigma."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from undertag.model.expr import Expr

Level = Literal["informational", "low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Sigma's log source; `None` means any."""

    product: str | None = None
    category: str | None = None
    service: str | None = None

    def __str__(self) -> str:
        return "/".join(part or "*" for part in (self.product, self.category, self.service))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One loaded detection rule.

    `id` is the rule's UUID, or `sha256:` and 16 hex digits of its text where it has none. `hash` is the
    SHA-256 (hex, 16 digits) of the rule's document as loaded. `condition` is the disjunction of the rule's
    conditions, filters included. `custom` is the `undertag:` mapping of a pack rule.
    """

    id: str
    title: str
    logsource: LogSource
    condition: Expr
    level: Level = "medium"
    status: str = ""
    tags: tuple[str, ...] = ()
    hash: str = ""
    file: str = ""
    pack: bool = False
    falsepositives: tuple[str, ...] = ()
    custom: dict[str, Any] = field(default_factory=dict)
