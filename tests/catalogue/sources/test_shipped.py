"""The catalogue that is shipped: current, free of problems, complete, and fast."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from undertag.catalogue.sources.attack_names import data_sources, platforms
from undertag.catalogue.sources.building import Compiled
from undertag.catalogue.sources.check import check_catalogue
from undertag.catalogue.sources.figures import figures
from undertag.catalogue.sources.lookup import Catalogue, load_catalogue
from undertag.catalogue.sources.resolving import Resolver
from undertag.model.problem import CatalogueError, Problem


@pytest.fixture(scope="module")
def checked() -> tuple[Compiled, list[Problem]]:
    return check_catalogue()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="module")
def resolver(catalogue: Catalogue) -> Resolver:
    return Resolver(catalogue)


def test_is_current_and_nothing_is_wrong(checked: tuple[Compiled, list[Problem]]) -> None:
    assert [str(problem) for problem in checked[1]] == []


def test_holds_what_it_promises(checked: tuple[Compiled, list[Problem]]) -> None:
    found = figures(checked[0])
    assert found["entries"] >= 40_000
    assert found["curated"] >= 1_500
    assert found["curated_by_platform"]["windows"] >= 900
    assert found["curated_channels"]["windows"] >= 60
    assert found["umbrellas"]["data_sources"] == {"resolved": 59, "total": 59}
    assert found["umbrellas"]["platforms"] == {"resolved": 9, "total": 9}
    assert found["sigma"]["resolved"] == found["sigma"]["total"] >= 138
    aliases = found["aliases"]
    assert aliases["total"] == aliases["resolved"] + aliases["prose"] == 2_629
    assert aliases["resolved"] == aliases["by_events"] + aliases["by_component"] + aliases["by_log"]
    assert sum(found["by_platform"].values()) == found["entries"]


@pytest.mark.parametrize("name", [*data_sources("6.0"), *platforms("6.0")])
def test_every_name_of_2019_resolves(resolver: Resolver, name: str) -> None:
    found = resolver.resolve(name)
    assert found.keys
    assert found.kind in ("data-source", "platform")
    assert found.detail["techniques"] == list(data_sources("6.0").get(name, ()))


RELATIONS = {
    "Loaded DLLs": ("same-as", "DLL monitoring"),
    "DLL monitoring": ("same-as", "Loaded DLLs"),
    "PowerShell logs": ("subset-of", "Windows event logs"),
    "Windows event logs": ("contains", "PowerShell logs"),
    "MBR": ("subset-of", "Disk forensics"),
    "Named Pipes": ("overlaps", "API monitoring"),
}


@pytest.mark.parametrize("name", RELATIONS)
def test_redundancies_are_named_with_a_reason(resolver: Resolver, name: str) -> None:
    kind, other = RELATIONS[name]
    relations = [r for r in resolver.resolve(name).detail["relations"] if r["to"] == other]
    assert [r["kind"] for r in relations] == [kind]
    assert relations[0]["why"]
    mine, theirs = set(resolver.resolve(name).keys), set(resolver.resolve(other).keys)
    if kind == "same-as":
        assert mine == theirs
    elif kind == "contains":
        assert len(theirs - mine) < len(theirs) / 2
    else:
        assert mine & theirs


BETTER = {
    "Detonation chamber": "Dynamic metadata extraction",
    "Azure AD": "Microsoft Entra ID",
    "Stackdriver logs": "Google Cloud audit logs, in Cloud Logging",
}


@pytest.mark.parametrize("name", BETTER)
def test_better_names_are_offered(resolver: Resolver, name: str) -> None:
    assert resolver.resolve(name).detail["better"] == BETTER[name]


MEANS = {
    "key": ("windows/security/4688", "key", "windows/security/4688"),
    "key without provider": ("windows/system/7045", "key", "windows/system/service-control-manager/7045"),
    "channel": ("Microsoft-Windows-Sysmon/Operational", "channel", "windows/sysmon/1"),
    "prefix": ("windows/sysmon", "prefix", "windows/sysmon/1"),
    "component by id": ("DC0032", "component", "windows/sysmon/1"),
    "component by name": ("process creation", "component", "windows/sysmon/1"),
    "Sigma log source": ("windows/process_creation/*", "sigma", "windows/security/4688"),
    "Sigma category": ("process_creation", "sigma", "linux/sysmon/1"),
    "Sigma service": ("cloudtrail", "sigma", "aws/cloudtrail/iam/CreateUser"),
    "log source of ATT&CK": ("WinEventLog:Security", "alias", "windows/security/4688"),
    "with its channel": ("WinEventLog:Security EventCode=4688", "alias", "windows/security/4688"),
    "with a bar": ("WinEventLog:Sysmon | EventCode=10", "alias", "windows/sysmon/10"),
    "syscall": ("auditd:SYSCALL ptrace syscall or access to /proc/*/mem", "alias", "linux/syscall/ptrace"),
    "cloud": ("AWS:CloudTrail RunInstances", "alias", "aws/cloudtrail/ec2/RunInstances"),
    "wrong channel": ("WinEventLog:Security EventCode=1074", "alias", "windows/system/user32/1074"),
    "wrong name": ("maos:osquery mount_events", "alias", "macos/osquery/disk_events"),
}


@pytest.mark.parametrize(("name", "kind", "key"), MEANS.values(), ids=MEANS.keys())
def test_names_resolve(resolver: Resolver, name: str, kind: str, key: str) -> None:
    found = resolver.resolve(name)
    assert found.kind == kind
    assert key in found.keys


def test_one_event_and_no_other(resolver: Resolver) -> None:
    assert resolver.resolve("WinEventLog:Security", "EventCode=4688").keys == ["windows/security/4688"]
    assert resolver.resolve("WinEventLog:Security", "EventCode=5163").keys == ["windows/security/5136"]


def test_corrections_say_why(resolver: Resolver) -> None:
    found = resolver.resolve("WinEventLog:Security", "EventCode=3033")
    assert found.keys == ["windows/codeintegrity/3033"]
    assert "CodeIntegrity" in found.detail["correction"]


def test_field_renames_come_with_the_log_source(resolver: Resolver) -> None:
    servings = resolver.resolve("windows/process_creation/*").detail["servings"]
    of_4688 = next(s for s in servings if "windows/security/4688" in s["entries"])
    assert of_4688["rename"]["Image"] == "NewProcessName"


@pytest.mark.parametrize("name", ["WinEventLog:Securty", "no such thing", "windows/secruity/1"])
def test_unknown_names_are_told(resolver: Resolver, name: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        resolver.resolve(name)
    assert caught.value.problem.code == "UT319"


def test_tiers_and_inheritance_are_told(catalogue: Catalogue) -> None:
    curated, derived = catalogue.entry("windows/security/4688"), catalogue.entry("windows/aad/1082")
    assert (curated.tier, derived.tier) == ("curated", "derived")
    assert derived.facts["fields"].origin == "table"
    assert "volume" in derived.inherited()


def best(call: Any, times: int) -> float:
    """Seconds a call, the best of five rounds."""
    rounds = []
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(times):
            call()
        rounds.append((time.perf_counter() - start) / times)
    return min(rounds)


def test_an_entry_is_found_in_less_than_a_microsecond(catalogue: Catalogue) -> None:
    assert best(lambda: catalogue.entry("windows/security/4688"), 20_000) < 1e-6
    assert (
        best(lambda: catalogue.windows("Security", "Microsoft-Windows-Security-Auditing", 4688), 20_000)
        < 1e-6
    )


def test_opening_is_lazy() -> None:
    """In a process of its own: one entry is read, and neither YAML nor expressions are loaded for it."""
    code = (
        "from undertag.catalogue.sources import load_catalogue\n"
        "print(load_catalogue().entry('windows/security/4688').key)\n"
        "import sys; assert 'yaml' not in sys.modules and 're2' not in sys.modules"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "windows/security/4688\n"
