"""Small STIX bundles to vary."""

from __future__ import annotations

import json
from typing import Any


def technique(attack_id: str, name: str, *, chain: str = "mitre-attack", **more: Any) -> dict[str, Any]:
    """An attack-pattern as bundles have it, with one tactic."""
    return {
        "type": "attack-pattern",
        "id": f"attack-pattern--{attack_id}",
        "name": name,
        "modified": "2026-01-01T00:00:00.000Z",
        "external_references": [{"source_name": chain, "external_id": attack_id}],
        "kill_chain_phases": [{"kill_chain_name": chain, "phase_name": "execution"}],
        "x_mitre_platforms": ["Windows"],
        "description": "left out",
        **more,
    }


def revoked_by(old: str, new: str) -> dict[str, Any]:
    """A relationship between two attack-patterns made by `technique`."""
    return {
        "type": "relationship",
        "id": f"relationship--{old}-{new}",
        "relationship_type": "revoked-by",
        "source_ref": f"attack-pattern--{old}",
        "target_ref": f"attack-pattern--{new}",
    }


def bundle(*objects: dict[str, Any]) -> bytes:
    """A bundle of these objects and the tactic Execution."""
    tactic = {
        "type": "x-mitre-tactic",
        "id": "x-mitre-tactic--1",
        "name": "Execution",
        "x_mitre_shortname": "execution",
        "external_references": [{"source_name": "mitre-attack", "external_id": "TA0002"}],
    }
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": [tactic, *objects]}).encode()
