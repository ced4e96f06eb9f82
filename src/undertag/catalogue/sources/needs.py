"""What an entry's `needs` say: each need is met by any one of its alternatives, and all needs must be met.

Contract: pure; reads `needs` as written (schema.py) or as an entry answers them, `unknown` and nothing alike as no needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def clauses(needs: Any) -> list[list[Mapping[str, Any]]]:
    """The needs, each as the list of its alternatives (`id`, and `success`, `failure`, `why` where said); most have one.

    >>> clauses(["role/ad-ds", {"any": ["audit/sam", {"id": "audit/registry", "success": True}]}])
    [[{'id': 'role/ad-ds'}], [{'id': 'audit/sam'}, {'id': 'audit/registry', 'success': True}]]
    """
    return [[_named(one) for one in _alternatives(need)] for need in needs] if isinstance(needs, list) else []


def need_ids(needs: Any) -> list[str]:
    """Ids of all prerequisites that the needs name, alternatives included, each once."""
    return list(dict.fromkeys(one["id"] for one in _all(needs)))


def outcomes(needs: Any) -> dict[str, dict[str, bool]]:
    """Which outcomes (`success`, `failure`) have to be audited, by prerequisite; only those that are told."""
    found: dict[str, dict[str, bool]] = {}
    for one in _all(needs):
        told = {name: one[name] for name in ("success", "failure") if one.get(name) is not None}
        found.setdefault(one["id"], {}).update(told)
    return found


def _all(needs: Any) -> Iterator[Mapping[str, Any]]:
    return (one for alternatives in clauses(needs) for one in alternatives)


def _alternatives(need: Any) -> list[Any]:
    alternatives = need.get("any") if isinstance(need, Mapping) else None
    return list(alternatives) if alternatives else [need]


def _named(need: Any) -> Mapping[str, Any]:
    return {"id": need} if isinstance(need, str) else need
