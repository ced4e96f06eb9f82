"""Small catalogues as folders, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from undertag.catalogue.sources.artefact import Artefact, write_artefact
from undertag.catalogue.sources.compiling import attribute_index, blocks, digest, read_parts
from undertag.catalogue.sources.lookup import Catalogue

SYSMON: Final = """\
defaults:
  prefix: windows/sysmon
  platform: windows
  product: Microsoft Sysmon
  provider: Microsoft-Windows-Sysmon
  channel: Microsoft-Windows-Sysmon/Operational
  default: [{state: absent, where: everywhere, basis: claimed, source: doc}]
  needs: [agent/sysmon]
  volume: unknown
  cost: unknown
  difficulty: agent
  sources: [doc]
sources:
  doc: {kind: documentation, title: The manual}
  seen: {kind: corpus, title: Recordings}
entries:
  1:
    title: Process created
    fields: [Image, CommandLine]
    volume: {low: 1, high: 2, unit: events/system/day, basis: measured, source: seen}
    attack: {components: [DC0032], data_sources_2019: [Process monitoring]}
    sigma: [{product: windows, category: process_creation, service: sysmon}]
    relations: [{kind: duplicates, to: windows/security/4688, why: the same start}]
  3:
    title: Network connection
"""
SECURITY: Final = """\
defaults:
  prefix: windows/security
  platform: windows
  product: Windows
  channel: Security
  default: unknown
  volume: unknown
  cost: unknown
  difficulty: setting
  sources: [doc]
sources:
  doc: {kind: documentation, title: The manual}
entries:
  4688:
    title: Process created
    needs: [{id: audit/process-creation, success: true}]
"""
PREREQUISITES: Final = """\
sources:
  doc: {kind: documentation, title: The manual}
prerequisites:
  agent/sysmon: {kind: agent, title: Sysmon, enable: [install it], undo: [remove it], source: doc}
  policy/force: {kind: policy, title: Force, enable: [force it], undo: [release it], source: doc}
  audit/process-creation:
    kind: audit-subcategory
    title: Audit Process Creation
    guid: 0CCE922B-69AE-11D9-BED3-505054503030
    category: Detailed Tracking
    needs: [policy/force]
    enable: ['auditpol /success:enable', 'auditpol /failure:enable']
    undo: ['auditpol /success:disable', 'auditpol /failure:disable']
    source: doc
"""
TABLE_YML: Final = """\
defaults:
  platform: windows
  product: Windows
  default:
    - {state: "on", where: most channels, basis: claimed, source: known}
    - {state: "off", where: debug ones, basis: claimed, source: known}
  volume: unknown
  sources: [manifests]
sources:
  manifests: {kind: table, title: Manifests}
  known: {kind: knowledge, title: Known}
columns: {channel: path, event_id: ID, first_build: first, last_build: last, fields: names, default: state, audit: subcategory}
sets:
- {channel: Security, audit: Detailed Tracking / Process Creation}
- {channel: System, default: "on"}
- {channel: Application}
"""
TABLE_TSV: Final = (
    "key\ttitle\tset\tevent_id\tfirst_build\tlast_build\tfields\n"
    "windows/application/app/7045\tApp 7045\t2\t7045\t1511\t26H1\t\n"
    "windows/security/4688\tSecurity 4688\t0\t4688\t1511\t26H1\tNewProcessName,CommandLine\n"
    "windows/security/4689\tSecurity 4689\t0\t4689\t1511\t26H1\tProcessName\n"
    "windows/system/one/7045\tOne 7045\t1\t7045\t1511\t26H1\tServiceName\n"
    "windows/system/two/7045\tTwo 7045\t1\t7045\t1703\t26H1\t\n"
)


def plant(
    root: Path, *, security: str = SECURITY, sysmon: str = SYSMON, prerequisites: str = PREREQUISITES
) -> Path:
    """Writes a small catalogue under `root`; returns it."""
    for name, text in (
        ("curated/windows/security.yml", security),
        ("curated/windows/sysmon.yml", sysmon),
        ("prerequisites/all.yml", prerequisites),
        ("derived/windows.yml", TABLE_YML),
        ("derived/windows.tsv", TABLE_TSV),
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def compiled(root: Path) -> Catalogue:
    """The catalogue of a planted tree."""
    parts = read_parts(root)
    entries = list(parts.entries())
    path = root / "catalogue.bin"
    write_artefact(
        path,
        digest=digest(root),
        facts={},
        blocks=blocks(
            parts, entries, attribute_index(entries), {"umbrellas": {}, "sigma": {}, "aliases": []}
        ),
    )
    return Catalogue(Artefact(path))
