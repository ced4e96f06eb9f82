"""How the Windows tables are joined: small inputs, one rule a case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tools.derive_tables import Row, Table, merged
from tools.derive_windows import build
from tools.derive_windows_audit import SUBCATEGORIES, audit_place
from tools.derive_windows_join import default_state, event_ids, unspaced
from tools.derive_windows_names import channel_path

HEADERS = {
    "windows-manifest-events": "provider event_id last_version level first_build last_build fields",
    "windows-channels": "provider channel channel_is_path event_ids windows_build partial",
    "windows-security-auditing": "event_id version category_and_subcategory fields",
    "windows-known-entries": "channel provider event_id title fields_mapped source",
    "windows-recommended": "channel event_id source",
}
P = "Microsoft-Windows-Trial"
EVENT = f"{P}|7|0|Error|1511|26H1|One,Two"
MAPS = "EvtxECmd maps"


def made(tmp_path: Path, **tables: list[str]) -> tuple[dict[str, Row], Table]:
    """The entries from tables given as lines with `|` between cells."""
    for name, header in HEADERS.items():
        lines = [header.replace(" ", "\t")]
        lines += [line.replace("|", "\t") for line in tables.get(name.split("-")[1], [])]
        (tmp_path / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = build(tmp_path)
    return {row["key"]: row for row in merged(table.rows)[0]}, table


def subjects(table: Table) -> list[Any]:
    return [item["subject"] for item in table.disagreements]


@pytest.mark.parametrize(
    ("text", "ids"),
    [("1", [1]), ("1-3", [1, 2, 3]), ("5,7-8", [5, 7, 8]), ("20, 24", [20, 24])],
)
def test_event_ids(text: str, ids: list[int]) -> None:
    assert list(event_ids(text)) == ids


@pytest.mark.parametrize("text", ["", "a", "1,,2"])
def test_malformed_ids_are_errors(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(event_ids(text))


@pytest.mark.parametrize(
    ("provider", "channel", "is_path", "siblings", "expected"),
    [
        pytest.param(P, f"{P}/Admin", "yes", [], (f"{P}/Admin", "path"), id="path"),
        pytest.param(P, "Operational", "label", [], (f"{P}/Operational", "derived"), id="plain label"),
        pytest.param("LsaSrv", "Operational", "label", ["System", "Microsoft-Windows-LSA/Perf"],
                     ("Microsoft-Windows-LSA/Operational", "derived"), id="as the provider's other channels"),
        pytest.param(P, "Something Odd", "label", [], (f"{P}/Something Odd", "label"), id="unverified"),
        pytest.param("Vendor", "Operational", "label", [], ("Vendor/Operational", "label"), id="not Windows"),
        pytest.param("Microsoft-Windows-DNS-Client", "Microsoft-Windows-DNS Client Events/Operational", "yes", [],
                     ("Microsoft-Windows-DNS-Client/Operational", "knowledge"), id="name shown to users"),
        pytest.param("Microsoft-Windows-Security-Mitigations", "Kernel Mode", "label", [],
                     ("Microsoft-Windows-Security-Mitigations/KernelMode", "knowledge"), id="known label"),
    ],
)  # fmt: skip
def test_channel_path(
    provider: str, channel: str, is_path: str, siblings: list[str], expected: tuple[str, str]
) -> None:
    assert channel_path(provider, channel, is_path, siblings) == expected


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("System; Audit Security System Extension", "System / Security System Extension"),
        (
            "Account Logon; Logon/Logoff; Audit Other Logon/Logoff Events",
            "Logon/Logoff / Other Logon/Logoff Events",
        ),
        ("Policy Change; Audit Policy Change", "Policy Change / Audit Policy Change"),
        ("Detailed Tracking; DPAPI Activity", "Detailed Tracking / DPAPI Activity"),
        (
            "Object Access; Audit Registry; Audit File System",
            "Object Access / File System; Object Access / Registry",
        ),
    ],
)
def test_audit_place(text: str, place: str) -> None:
    assert audit_place(text) == place


def test_unknown_subcategory_is_an_error() -> None:
    with pytest.raises(ValueError, match="no audit subcategory is named 'Regstry'"):
        audit_place("Object Access; Audit Regstry")


def test_no_subcategory_is_in_two_categories() -> None:
    names = [name for of in SUBCATEGORIES.values() for name in of]
    assert len(names) == len(set(names)) == 60


@pytest.mark.parametrize(
    ("channel", "basis", "state"),
    [
        ("System", "derived", "on"),
        ("Application", "read", "unknown"),
        (f"{P}/Operational", "derived", "unknown"),
        (f"{P}/Analytic", "derived", "off"),
        (f"{P}/Debug", "read", "off"),
        ("Microsoft-Windows-USB-USBHUB3-Analytic", "read", "off"),
        ("Security", "derived", "unknown"),
    ],
)
def test_default_state(channel: str, basis: str, state: str) -> None:
    assert default_state(channel, basis) == state


def test_an_event_without_a_channel_is_no_entry(tmp_path: Path) -> None:
    rows, table = made(
        tmp_path, manifest=[EVENT, EVENT.replace("|7|", "|8|")], channels=[f"{P}|{P}/Admin|yes|7|b|no"]
    )
    assert list(rows) == ["windows/trial-admin/7"]
    row = rows["windows/trial-admin/7"]
    assert (row["title"], row["fields"], row["first_build"], row["basis"]) == (
        "Trial 7",
        "One,Two",
        "1511",
        "derived",
    )
    assert table.left_out["manifest events without a known channel"] == 1


def test_a_listed_id_that_no_manifest_has_is_read(tmp_path: Path) -> None:
    rows, _ = made(tmp_path, channels=[f"{P}|System|yes|7|b|no"])
    assert rows["windows/system/trial/7"]["basis"] == "read"


def test_two_providers_of_a_channel_are_one_entry(tmp_path: Path) -> None:
    other = EVENT.replace(P, "Other")
    rows, _ = made(
        tmp_path, manifest=[EVENT, other], channels=[f"{P}|Shared|yes|7|b|no", "Other|Shared|yes|7|b|no"]
    )
    assert rows["windows/shared/7"]["provider"] == f"{P}; Other"


def test_auditing_gives_categories_and_notes_other_fields(tmp_path: Path) -> None:
    audit = "Microsoft-Windows-Security-Auditing"
    rows, table = made(
        tmp_path,
        manifest=[f"{audit}|4688|2|Info|1511|26H1|A,B,C", f"{audit}|4689|0|Info|1511|26H1|A"],
        security=["4688|1|Detailed Tracking; Audit Process Creation|A,B", "4689|0||A", "4700|0||X"],
    )
    assert rows["windows/security/4688"]["audit"] == "Detailed Tracking / Process Creation"
    assert rows["windows/security/4688"]["fields"] == "A,B,C"
    assert rows["windows/security/4700"]["fields_basis"] == "audit-table"
    assert subjects(table) == ["fields of Security 4688"]
    assert table.disagreements[0]["says"]["windows-manifest-events only"] == ["C"]


@pytest.mark.parametrize(
    ("known", "title"),
    [
        pytest.param([f"{P}/Admin|{P}|7|A trial began.||{MAPS}"], "A trial began", id="a map's title"),
        pytest.param([f"{P}/Admin|{P}|7|Guide||NSA", f"{P}/Admin|{P}|7|Map||{MAPS}"], "Map", id="maps first"),
        pytest.param(
            [f"{P}/Admin|{P}|7, 8|Group||{MAPS}", f"{P}/Admin|{P}|7|Own||NSA"], "Own", id="one ID first"
        ),
        pytest.param([f"{P}/Admin|{P}|7|{'long ' * 20}||{MAPS}"], "Trial 7", id="too long to be a title"),
    ],
)
def test_titles(tmp_path: Path, known: list[str], title: str) -> None:
    rows, _ = made(tmp_path, manifest=[EVENT], channels=[f"{P}|{P}/Admin|yes|7|b|no"], known=known)
    assert rows["windows/trial-admin/7"]["title"] == title


def test_misplaced_and_refuted_entries(tmp_path: Path) -> None:
    rows, table = made(
        tmp_path,
        known=[
            f"User32|User32|1074|Restart||{MAPS}",
            "System|Microsoft-Windows-FilterManager|7045|New service||NSA",
        ],
    )
    assert list(rows) == ["windows/system/user32/1074"]
    assert subjects(table) == ["place of User32 1074", "place of Microsoft-Windows-FilterManager 7045"]


def test_field_names_get_their_spaces_back(tmp_path: Path) -> None:
    defender = "Microsoft-Windows-Windows Defender"
    path = f"{defender}/Operational"
    rows, _ = made(
        tmp_path,
        manifest=[
            f"{defender}|1|0|I|1511|26H1|ThreatName,Path",
            f"{defender}|2|0|I|1511|26H1|ThreatName,NewThing",
        ],
        channels=[f"{defender}|{path}|yes|1-2|b|no"],
    )
    first, second = rows["windows/windows-defender/1"], rows["windows/windows-defender/2"]
    assert (first["fields"], first["fields_basis"]) == ("Threat Name,Path", "manifest")
    assert (second["fields"], second["fields_basis"]) == ("Threat Name,NewThing", "manifest-unspaced")
    assert unspaced("Threat Name") == unspaced("ThreatName")


@pytest.mark.parametrize(
    ("channels", "recommended", "marked", "noted"),
    [
        pytest.param([f"{P}|{P}/Admin|yes|7|b|no"], [f"{P}/Admin|7|Palantir WEF"],
                     {"windows/trial-admin/7": "Palantir"}, 0, id="own channel"),
        pytest.param([f"{P}|System|yes|7|b|no"], ["System|7|Palantir WEF", "System|7|NSA subscriptions"],
                     {"windows/system/trial/7": "NSA,Palantir"}, 0, id="one provider possible"),
        pytest.param([f"{P}|System|yes|7|b|no", "Other|System|yes|7|b|no"], ["System|7|Palantir WEF"], {}, 1,
                     id="two providers possible"),
        pytest.param([], ["System|7|Palantir WEF"], {}, 1, id="none possible"),
        pytest.param([f"{P}|System|yes|7|b|no"], ["System|7|Palantir WEF", f"{P}/Admin|7|Palantir WEF"],
                     {"windows/trial-admin/7": "Palantir"}, 1, id="the guide means its own channel"),
        pytest.param([f"{P}|System|yes|9|b|no"], ["System|7|Palantir WEF"], {"windows/system/trial/7": "Palantir"}, 0,
                     id="the one writer of the channel whose manifest has it"),
    ],
)  # fmt: skip
def test_recommended(
    tmp_path: Path, channels: list[str], recommended: list[str], marked: dict[str, str], noted: int
) -> None:
    rows, table = made(tmp_path, manifest=[EVENT], channels=channels, recommended=recommended)
    assert {key: row["recommended_by"] for key, row in rows.items() if row["recommended_by"]} == marked
    assert len([one for one in subjects(table) if "recommends it" in one]) == noted
