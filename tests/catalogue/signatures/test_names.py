"""Names as vendors write them, and what they say: the table is cases.tsv beside this file (`*`: not checked)."""

from __future__ import annotations

import pytest
from tests.catalogue.signatures.table import CASES, COLUMNS

from undertag.catalogue.signatures import SignatureName, load_reader, read_name


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['vendor'] or 'anyone'}: {case['name']}")
def test_reads(case: dict[str, str]) -> None:
    found = read_name(case["name"], case["vendor"])
    wanted = {column: case[column] for column in COLUMNS if case[column] != "*"}
    assert {column: getattr(found, column) for column in wanted} == wanted


@pytest.mark.parametrize("case", [case for case in CASES if case["vendor"]], ids=lambda case: case["name"])
def test_without_the_vendor_no_other_family_is_read(case: dict[str, str]) -> None:
    told, inferred = read_name(case["name"], case["vendor"]), read_name(case["name"])
    assert not (told.family and inferred.family) or told.family == inferred.family


def test_the_table_is_broad() -> None:
    reader = load_reader()
    assert len(CASES) >= 300
    assert len({reader.convention(case["vendor"]) for case in CASES}) >= 28
    assert len({(case["vendor"], case["name"]) for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Trojan:Win32/Emotet.PA!MTB", "microsoft"),
        ("HEUR:Trojan-Banker.Win32.Emotet.gen", "kaspersky"),
        ("a variant of Win32/Kryptik.HGHD", "eset"),
        ("Win32:Emotet-AI [Trj]", "avast"),
        ("Win.Trojan.Emotet-7134567-0", "clamav"),
        ("Troj/DocDl-VWM", "sophos"),
        ("Artemis!7B5D3A2F1C00", "mcafee"),
        ("TROJ_GEN.R002C0PAB24", "trendmicro"),
        ("Ransom.Win32.LOCKBIT.SMYXCJN", "trendmicro"),
        ("Gen:Variant.Razy.123456", "bitdefender"),
        ("W32/Emotet.A!tr", "fortinet"),
        ("TR/AD.Emotet.abcde", "avira"),
        ("Heur.AdvML.B", "symantec"),
        ("Trojan/Win32.Emotet.R296874", "ahnlab"),
        ("Trj/CI.A", "panda"),
        ("TrojWare.Win32.Emotet.A@4f8d", "comodo"),
        ("Windows.Trojan.CobaltStrike", "elastic"),
        ("{HEX}php.cmdshell.unclassed.357.UNOFFICIAL", "maldet"),
        ("win/malicious_confidence_100% (W)", "crowdstrike"),
        ("Static AI - Malicious PE", "sentinelone"),
        ("malicious.8966c8", "cybereason"),
        ("W32.9BA8A8-95.SBX.TG", "cisco"),
        ("Virus/Win32.WGeneric.abcdef(123456789)", "paloalto"),
        ("PUP.Optional.Conduit", "malwarebytes"),
        ("MACOS.0afe8f2", "xprotect"),
        ("Trojan.Siggen9.12345", "drweb"),
        ("Trojan.Emotet", ""),
        ("W32/Sdbot.KQMA", ""),
    ],
)
def test_infers_the_vendor_where_the_form_is_decisive(name: str, vendor: str) -> None:
    assert read_name(name).vendor == vendor


@pytest.mark.parametrize(
    ("spelling", "convention"),
    [
        ("Microsoft Defender Antivirus", "microsoft"),
        ("ESET-NOD32", "eset"),
        ("TrendMicro-HouseCall", "trendmicro"),
        ("F-Secure", "withsecure"),
        ("McAfee-GW-Edition", "mcafee"),
        ("AhnLab-V3", "ahnlab"),
        ("Qihoo-360", "caro"),
        ("Emsisoft", "bitdefender"),
        ("AVG", "avast"),
        ("no such vendor", ""),
        ("", ""),
    ],
)
def test_knows_vendors_by_their_usual_names(spelling: str, convention: str) -> None:
    assert load_reader().convention(spelling) == convention


@pytest.mark.parametrize(
    "decorated",
    [
        '"Trojan:Win32/Emotet.PA!MTB"',
        "Threat: Trojan:Win32/Emotet.PA!MTB",
        "Threat Name: 'Trojan:Win32/Emotet.PA!MTB'",
        "  Trojan:Win32/Emotet.PA!MTB (3)",
        "Trojan:Win32/Emotet.PA!MTB x2",
        "Trojan:Win32/Emotet.PA!MTB [12 times]",
        "\ufeffTrojan:Win32/Emotet.PA!MTB\r\n",
        "Malware detected: 'Trojan:Win32/Emotet.PA!MTB' at 'C:\\Users\\a\\b.exe'",
    ],
)
def test_decorations_do_not_matter(decorated: str) -> None:
    plain, found = read_name("Trojan:Win32/Emotet.PA!MTB"), read_name(decorated)
    assert parts(found) == parts(plain)
    assert found.name == decorated


def parts(found: SignatureName) -> tuple[object, ...]:
    return (found.vendor, found.type, found.platform, found.family, found.variant, found.fidelity, found.tags)


def test_tells_the_conventions_it_knows() -> None:
    reader = load_reader()
    known = reader.conventions()
    assert known == sorted(set(known))
    assert {"microsoft", "kaspersky", "caro"} <= set(known)
    assert all(reader.convention(vendor) == vendor for vendor in known)


@pytest.mark.parametrize(
    ("name", "vendor", "family"),
    [
        ("Trojan.Multi.DoublePulsar.a", "kaspersky", "DoublePulsar"),
        ("Win32/KillDisk.NCV", "eset", "KillDisk"),
        ("Win32/Diskcoder.Petya.A", "eset", "Petya"),
        ("Ransom:Win32/MedusaLocker.A", "microsoft", "MedusaLocker"),
        ("HackTool:Win32/Kerberoast.A", "microsoft", "Kerberoast"),
        ("not-a-virus:NetTool.Win32.AdvancedIPScanner.a", "kaspersky", "AdvancedIPScanner"),
        ("PWS:Win32/Sinowal.A", "microsoft", "Torpig"),
        ("OSX.Crisis", "symantec", "Crisis"),
    ],
)
def test_different_things_keep_different_names(name: str, vendor: str, family: str) -> None:
    assert read_name(name, vendor).family == family


MICROSOFT_PLATFORMS = (
    "AndroidOS", "DOS", "EPOC", "FreeBSD", "iOS", "Linux", "macOS", "macOS_X", "OS2", "Palm", "Solaris", "SunOS", "SymbOS",
    "Unix", "Win16", "Win2K", "Win32", "Win64", "Win95", "Win98", "WinCE", "WinNT", "ABAP", "ALisp", "AmiPro", "ANSI",
    "AppleScript", "ASP", "AutoIt", "BAS", "BAT", "CorelScript", "HTA", "HTML", "INF", "IRC", "Java", "JS", "LOGO", "MPB",
    "MSH", "MSIL", "Perl", "PHP", "Python", "SAP", "SH", "VBA", "VBS", "WinBAT", "WinHlp", "WinREG", "A97M", "HE", "O97M",
    "PP97M", "V5M", "W1M", "W2M", "W97M", "WM", "X97M", "XF", "XM", "ASX", "HC", "MIME", "Netware", "QT", "SB", "SWF",
    "TSQL", "XML",
)  # fmt: skip
"""All of https://learn.microsoft.com/defender-xdr/malware-naming."""


@pytest.mark.parametrize("vendor", ["microsoft", ""])
@pytest.mark.parametrize("platform", MICROSOFT_PLATFORMS)
def test_platforms_that_microsoft_lists_are_no_families(platform: str, vendor: str) -> None:
    found = read_name(f"Trojan:{platform}/Foobar.A", vendor)
    assert (found.platform_word, found.family, found.variant) == (platform, "Foobar", "A")
