"""What `undertag attack` shows: each result as a JSON document and as text.

Contract: pure; the JSON keys are the contract of docs/reference/cli.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from undertag.apps.cli.output import problem_json

if TYPE_CHECKING:
    from undertag.catalogue.attack.diff import ReleaseDiff
    from undertag.catalogue.attack.migrate import Migration
    from undertag.catalogue.attack.resolution import Resolution
    from undertag.catalogue.attack.rewrite import TagEdit


def resolution(found: Resolution) -> dict[str, Any]:
    """Where an id went."""
    return {
        "id": found.id,
        "name": found.name,
        "kind": found.kind,
        "version": found.to,
        "state": found.state,
        "chain": list(found.chain),
        "resolved": list(found.ids),
        "hops": [
            {"from": hop.source, "to": hop.target, "kind": hop.kind, "by": hop.by, "basis": hop.basis}
            for hop in found.hops
        ],
        "note": found.note,
        "suggestions": list(found.suggestions),
    }


def details(found: Resolution) -> dict[str, Any]:
    """What the release itself has on the id, beside where it went."""
    from undertag.catalogue.attack import load_release
    from undertag.catalogue.attack.telemetry import telemetry_of

    release = load_release(found.to)
    if found.kind == "tactic":
        tactic = release.tactic(found.id)
        members = [
            one.id
            for one in release.techniques()
            if tactic and one.state == "active" and tactic.name in one.tactics
        ]
        return {"tactic_id": tactic.id if tactic else "", "techniques": members}
    technique = release.technique(found.id)
    if technique is None:
        return {}
    seen = telemetry_of(technique.id, found.to)
    children = [
        one.id for one in release.techniques() if one.parent == technique.id and one.state == "active"
    ]
    components = [release.object(one) for one in seen.data_components]
    return {
        "name": technique.name,
        "tactics": list(technique.tactics),
        "platforms": list(technique.platforms),
        "subtechniques": children,
        "data_sources": list(seen.data_sources),
        "data_components": [
            f"{name}: {known.name}" if known else name
            for name, known in zip(seen.data_components, components, strict=True)
        ],
        "log_sources": [
            {
                "component": row.component,
                "name": row.name,
                "channel": row.channel,
                "event_ids": list(row.event_ids),
            }
            for row in seen.log_sources
        ],
        "inherited": dict(release.inherited),
        "telemetry_as_of": seen.as_of,
    }


def resolve_text(found: Resolution) -> str:
    """Where an id went, a line a hop."""
    lines = [f"{found.id} {found.name}: {found.state} in ATT&CK {found.to}".replace(" :", ":")]
    lines += [f"  {hop.source} → {hop.target}  ({hop.kind}, {hop.by}; {hop.basis})" for hop in found.hops]
    lines += _after(found.id, found.state, found.ids)
    if found.note:
        lines.append(f"  {found.note}")
    return "\n".join(lines)


def _after(attack_id: str, state: str, ids: Sequence[str]) -> list[str]:
    """What came after an id; nothing takes the place of a deprecated one, whatever ATT&CK names."""
    from undertag.catalogue.attack.resolution import advice

    if list(ids) in ([], [attack_id]):
        return []
    return [f"  ATT&CK {advice(ids)}" if state == "deprecated" else f"  now: {', '.join(ids)}"]


def show_text(document: dict[str, Any]) -> str:
    """An object of ATT&CK with its telemetry and MITRE's notice."""
    lines = [f"{document['id']} {document['name']} (ATT&CK {document['version']}, {document['state']})"]
    lines += _after(document["id"], document["state"], document["resolved"])
    for key in ("tactics", "platforms", "subtechniques", "techniques", "data_sources", "data_components"):
        if document.get(key):
            lines.append(f"  {key.replace('_', ' ')}: {', '.join(document[key])}")
    for row in document.get("log_sources", ()):
        lines.append(f"    {row['name']}: {row['channel']}")
    inherited = document.get("inherited", {})
    lines += [f"  {what} are those of ATT&CK {version}" for what, version in inherited.items()]
    if document["note"]:
        lines.append(f"  {document['note']}")
    return "\n".join([*lines, "", document["notice"]])


def diff_document(found: ReleaseDiff) -> dict[str, Any]:
    """What changed between two releases."""
    return {
        "old": found.old,
        "new": found.new,
        "changed": found.changed,
        "files": 0,
        "added": [{"id": one.id, "name": one.name, "tactics": list(one.tactics)} for one in found.added],
        "removed": [{"id": one.id, "name": one.name} for one in found.removed],
        "renamed": [{"id": one.id, "from": one.before, "to": one.after} for one in found.renamed],
        "revoked": [{"id": one.id, "name": one.name, "by": list(one.successors)} for one in found.revoked],
        "deprecated": [
            {"id": one.id, "name": one.name, "successors": list(one.successors)} for one in found.deprecated
        ],
        "restored": [{"id": one.id, "name": one.name} for one in found.restored],
        "moved_tactics": [
            {"id": one.id, "name": one.name, "left": list(one.left), "joined": list(one.joined)}
            for one in found.moved_tactics
        ],
        "tactics": {
            "added": [one.name for one in found.tactics_added],
            "removed": [one.name for one in found.tactics_removed],
        },
        "edits": [
            {"from": one.id, "to": to, "reason": "revoked"} for one in found.revoked for to in one.successors
        ],
    }


def diff_text(found: ReleaseDiff) -> str:
    """What changed between two releases, a line a change."""
    lines = [f"ATT&CK {found.old} → {found.new}: {found.changed} techniques changed"]
    lines += [f"  + tactic {one.name}" for one in found.tactics_added]
    lines += [f"  - tactic {one.name}" for one in found.tactics_removed]
    lines += [f"  + {one.id} {one.name}" for one in found.added]
    lines += [f"  - {one.id} {one.name}" for one in found.removed]
    lines += [f"  - {one.id} {one.name}: revoked by {', '.join(one.successors)}" for one in found.revoked]
    lines += [f"  - {one.id} {one.name}: deprecated" for one in found.deprecated]
    lines += [f"  + {one.id} {one.name}: no longer withdrawn" for one in found.restored]
    lines += [f"  ~ {one.id} {one.before} → {one.after}" for one in found.renamed]
    lines += [
        f"  ~ {one.id} {one.name}: tactics -{','.join(one.left) or '∅'} +{','.join(one.joined) or '∅'}"
        for one in found.moved_tactics
    ]
    return "\n".join(lines)


def _edits(file: str, edit: TagEdit) -> list[dict[str, Any]]:
    """One entry a new tag; `to` is null where the tag is dropped because the new one stands there already."""
    head = {"file": file, "line": edit.line, "from": edit.tag}
    return [{**head, "to": to, "reason": edit.reason} for to in edit.to or (None,)]


def migration_document(done: Migration) -> dict[str, Any]:
    """What a migration did or would do; one entry of `edits` a new tag."""
    return {
        "version": done.to,
        "files": done.files,
        "changed": done.changed,
        "written": done.written,
        "edits": [
            entry for one in done.touched for edit in one.edits for entry in _edits(str(one.path), edit)
        ],
        "findings": [problem_json(problem) for problem in done.findings],
    }


def migration_text(done: Migration, write: bool) -> str:
    """The edits as a unified diff (a dry run's), and a last line with the counts."""
    count = sum(len(one.edits) for one in done.touched)
    verb = "changed" if write else "would change"
    shown = [one.diff.rstrip("\n") for one in done.touched if one.diff] if not write else []
    last = f"{done.files} files read, {done.changed} {verb} ({count} tags) for ATT&CK {done.to}"
    return "\n".join([*shown, last])
