"""Fidelity, tags and modifiers: what follows from a name beside its parts."""

from __future__ import annotations

import pytest

from undertag.catalogue.signatures import read_name, tag_facts, tag_names


@pytest.mark.parametrize(
    ("name", "fidelity"),
    [
        ("HackTool:Win32/Mimikatz.A", "high"),
        ("HEUR:HackTool.Win32.Mimikatz.gen", "high"),
        ("Ransom:Win32/LockBit.HA!MTB", "high"),
        ("Backdoor:ASP/Chopper.F!dha", "high"),
        ("Trojan:Win32/Emotet.PA!MTB", "high"),
        ("Win32/RiskWare.Meterpreter.A", "high"),
        ("Trojan:Win32/Emotet!ml", "medium"),
        ("HEUR:Trojan-Banker.Win32.Emotet.gen", "medium"),
        ("Possible_SMEMOTET", "medium"),
        ("Trojan.Win32.Bublik.buwf", "medium"),
        ("Mal/Ransom-EE", "medium"),
        ("not-a-virus:NetTool.Win32.NetCat.a", "medium"),
        ("Exploit:O97M/CVE-2017-11882.A", "medium"),
        ("Trojan:Win32/Wacatac.B!ml", "low"),
        ("Trojan.GenericKD.46542", "low"),
        ("FileRepMalware", "low"),
        ("win/malicious_confidence_100% (W)", "low"),
        ("PUA:Win32/InstallCore.R", "low"),
        ("Joke:Win32/Flipped", "low"),
        ("Hello World", "low"),
        ("Virus:DOS/EICAR_Test_File", "none"),
        ("", "none"),
    ],
)
def test_fidelity(name: str, fidelity: str) -> None:
    assert read_name(name).fidelity == fidelity


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("HackTool:Win32/Mimikatz", ("obs.av.hacktool", "obs.av.credential-tool")),
        ("Backdoor:Win64/CobaltStrike.A", ("obs.av.backdoor", "obs.av.c2-framework")),
        ("Virus:DOS/EICAR_Test_File", ("obs.av.test-file",)),
        ("HackTool:PowerShell/SharpHound.B", ("obs.av.hacktool", "obs.av.intrusion-tool")),
        ("Exploit:O97M/CVE-2017-11882.A", ("obs.av.exploit", "obs.av.known-vulnerability")),
        ("Backdoor:PHP/Small.A", ("obs.av.backdoor", "obs.av.webshell", "obs.av.generic")),
        ("PUA:Win64/CoinMiner", ("obs.av.coinminer", "obs.av.pua")),
        ("Trojan:Win32/Wacatac.B!ml", ("obs.av.trojan", "obs.av.generic", "obs.av.machine-learning")),
        ("Cobalt/Shell.a!mem", ("obs.av.backdoor", "obs.av.c2-framework", "obs.av.memory")),
        ("", ("obs.av.unknown",)),
    ],
)
def test_tags(name: str, tags: tuple[str, ...]) -> None:
    assert read_name(name).tags == tags


@pytest.mark.parametrize(
    ("name", "modifiers"),
    [
        ("Backdoor:ASP/Chopper.F!dha", ("actor-attributed",)),
        ("UDS:DangerousObject.Multi.Generic", ("cloud", "generic")),
        ("PDM:Trojan.Win32.Generic", ("behaviour", "generic")),
        ("MEM:Trojan.Win32.Cometer.gen", ("memory", "generic")),
        ("W32.9BA8A8-95.SBX.TG", ("sandbox",)),
        ("W32/Kryptik.HGHD!tr", ("packed",)),
        ("Worm:Win32/Conficker.B!inf", ("component",)),
        ("Sanesecurity.Malware.28845.UNOFFICIAL", ("third-party-signature",)),
        ("WS.Reputation.1", ("reputation",)),
        ("Simple_Custom_Detection", ("custom",)),
        ("Trojan:Win32/Emotet.PA!MTB", ("automated",)),
    ],
)
def test_modifiers(name: str, modifiers: tuple[str, ...]) -> None:
    assert read_name(name).modifiers == modifiers


@pytest.mark.parametrize(
    ("name", "family", "family_word", "platform_word"),
    [
        ("Backdoor.Win64.COBEACON.SMA", "CobaltStrike", "COBEACON", "Win64"),
        ("W32.Downadup.B", "Conficker", "Downadup", "W32"),
        ("Trojan:MSIL/Bladabindi.A", "njRAT", "Bladabindi", "MSIL"),
        ("a variant of Win32/Kryptik.HGHD", "", "Kryptik", "Win32"),
        ("Trojan.GenericKD.1", "", "GenericKD", ""),
        ("Exp/201711882-A", "CVE-2017-11882", "CVE-2017-11882", ""),
        ("HEUR_CVE170199.L", "CVE-2017-0199", "CVE-2017-0199", ""),
    ],
)
def test_keeps_the_vendors_own_words(name: str, family: str, family_word: str, platform_word: str) -> None:
    found = read_name(name)
    assert (found.family, found.family_word, found.platform_word) == (family, family_word, platform_word)


@pytest.mark.parametrize("tag", tag_names())
def test_every_tag_tells_what_an_analyst_needs(tag: str) -> None:
    facts = tag_facts(tag)
    assert facts.tag == tag
    assert all((facts.title, facts.means, facts.ask, facts.action))
    assert not facts.title.endswith(".")
    assert facts.means.endswith((".", "?"))
