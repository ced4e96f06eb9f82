"""The pack itself: every rule is valid Sigma, honest, proven, and seen by both matchers alike."""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from sigma.rule import SigmaRule
from tests.packs.breaking import GOOD, SPOILT

from undertag.catalogue.attack import DEFAULT_VERSION
from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.engine import Engine
from undertag.model.rule import Rule
from undertag.model.source import Records, Unit
from undertag.packs import pack_folder
from undertag.packs.check import PackReport, check_pack, inspect_pack
from undertag.packs.pages import pack_page
from undertag.packs.proof import matches
from undertag.read.normalise.normaliser import Normaliser

ROOT = Path(__file__).parents[2]
FILES = sorted(Path(pack_folder()).rglob("*.yml"))
CORPORA = Path(os.environ.get("UNDERTAG_CORPORA", ROOT.parent / "shared" / "corpora")) / "security-datasets"


@pytest.fixture(scope="module")
def report() -> PackReport:
    return inspect_pack(pack_folder())


def test_pack_has_no_findings(report: PackReport) -> None:
    assert [str(problem) for problem in report.findings] == []
    assert len(report.rules) == len(FILES)


def test_each_kind_of_the_starter_pack_is_there(report: PackReport) -> None:
    assert set(report.by_kind) == {"obs", "mit", "beh"}
    assert sum(report.by_kind.values()) == len(report.rules)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_rule_is_valid_sigma(path: Path) -> None:
    rule = SigmaRule.from_yaml(path.read_text(encoding="utf-8"))
    assert not rule.errors
    assert rule.custom_attributes["undertag"]["examples"]


def test_ids_are_unique_and_random(report: PackReport) -> None:
    ids = [rule.id for rule in report.rules]
    assert [one for one, count in Counter(ids).items() if count > 1] == []
    assert [one for one in ids if one[14] != "4"] == []


def test_one_title_says_one_thing(report: PackReport) -> None:
    tags = defaultdict(set)
    for rule in report.rules:
        tags[rule.title].add(rule.tags[0])
    assert {title: found for title, found in tags.items() if len(found) > 1} == {}


def test_both_matchers_agree_on_every_example(report: PackReport) -> None:
    events = [
        event
        for rule in report.rules
        for key in ("examples", "counterexamples")
        for event in rule.custom[key]
    ]
    expected = [{rule.id for rule in report.rules if matches(rule, event)} for event in events]
    assert run_engine(report.rules, events) == expected


OWN_IMAGES = (
    r"C:\Windows\System32\lsass.exe",
    r"C:\Windows\System32\wbem\WmiPrvSE.exe",
    r"D:\Windows\System32\LogonUI.exe",
    r"C:\Windows\System32\spool\drivers\x64\3\E_YATIKJE.EXE",
    r"C:\Windows\WinSxS\amd64_servicingstack\TiWorker.exe",
    r"C:\Users\a.ortiz\AppData\Local\Temp\is-8R.tmp\setup.tmp",
    r"C:\Users\a.ortiz\AppData\Local\slack\slack.exe",
)


@pytest.mark.parametrize("image", OWN_IMAGES)
def test_a_process_own_program_is_no_library(image: str, report: PackReport) -> None:
    event = {
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "EventID": 7,
        "Image": image,
        "ImageLoaded": image,
        "Signed": "false",
        "Signature": "Microsoft Windows",
        "SignatureStatus": "Valid",
    }
    rules = [rule for rule in report.rules if rule.logsource.category == "image_load"]
    assert {rule.tags[0] for rule in rules if matches(rule, event)} <= {"mit.host.wmi-provider"}


def test_documentation_is_current(report: PackReport) -> None:
    page = (ROOT / "docs" / "reference" / "packs.md").read_text(encoding="utf-8")
    assert page == pack_page(report, attack_version=DEFAULT_VERSION), "run tools/build_pack_docs.py"


def test_good_rule_has_no_findings(tmp_path: Path) -> None:
    (tmp_path / "good.yml").write_text(GOOD, encoding="utf-8")
    assert check_pack(tmp_path) == []


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_rule_is_found_out(name: str, tmp_path: Path) -> None:
    before, after, code = SPOILT[name]
    assert before in GOOD
    (tmp_path / "spoilt.yml").write_text(GOOD.replace(before, after, 1), encoding="utf-8")
    codes = {problem.code for problem in check_pack(tmp_path)}
    assert code in codes if code else codes == set()


SAME_FACT = GOOD.replace("43333e90", "53333e90")
OTHER_SOURCE = SAME_FACT.replace("  category: image_load", "  service: sysmon").replace(
    r"    ImageLoaded|endswith", r"    EventID: 7" + "\n" + r"    ImageLoaded|endswith"
)


@pytest.mark.parametrize(
    ("second", "codes"),
    [
        (SAME_FACT, {"UT262"}),
        (OTHER_SOURCE, set()),
        (OTHER_SOURCE.replace("title: Smart Card", "title: Clever Card"), {"UT262"}),
        (GOOD, {"UT208"}),
    ],
    ids=["same log source", "other log source", "other title", "same id"],
)
def test_a_tag_is_shared_only_by_one_fact(second: str, codes: set[str], tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.yml").write_text(second, encoding="utf-8")
    assert {problem.code for problem in check_pack(tmp_path)} == codes


@pytest.mark.parametrize(
    "text", ["", "- 1\n", "a: [", "title: x\ndetection: {}\n", GOOD + "---\n" + SAME_FACT]
)
def test_hostile_files_give_findings_not_errors(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text(text, encoding="utf-8")
    assert check_pack(tmp_path) or not text


def recording(name: str) -> list[dict[str, Any]]:
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"recording {name} is not there; set UNDERTAG_CORPORA")
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.namelist()
        return [json.loads(line) for line in archive.read(member).splitlines()]


def run_engine(rules: list[Rule], events: list[dict[str, Any]]) -> list[set[str]]:
    """The ids of the rules that the indexed matcher finds on each event."""
    raws = [json.dumps(event).encode() for event in events]
    unit = Unit(source="events", source_no=0, format="jsonl", data=b"")
    normalised = Normaliser(windows_router(), other_router()).normalise(unit, Records(raws=raws))
    engine = Engine(rules)
    found: list[set[str]] = [set() for _ in events]
    for batch in normalised.batches:
        for row, hit in engine.match(batch).items():
            found[batch.rows[row]] = {rules[number].id for number in hit.numbers}
    return found


def tags_of(rules: list[Rule], events: list[dict[str, Any]]) -> list[set[str]]:
    names = {rule.id: rule.tags[0] for rule in rules}
    return [{names[one] for one in found} for found in run_engine(rules, events)]


@pytest.mark.corpora
def test_smart_card_api_in_a_provider_host_comes_with_its_mitigation(report: PackReport) -> None:
    events = recording("windows__discovery__host__empire_shell_net_local_users.zip")
    cards = [
        (event["Hostname"], tags)
        for event, tags in zip(events, tags_of(report.rules, events), strict=True)
        if "obs.dll.smart-card-api" in tags
    ]
    assert [host for host, _tags in cards] == ["WORKSTATION6.theshire.local"]
    wanted = {"mit.host.wmi-provider", "mit.sign.microsoft-dll", "mit.path.system-dll"}
    assert [wanted - tags for _host, tags in cards] == [set()]


@pytest.mark.corpora
def test_local_users_are_listed_on_the_other_workstation_only(report: PackReport) -> None:
    events = recording("windows__discovery__host__empire_shell_net_local_users.zip")
    tagged = zip(events, tags_of(report.rules, events), strict=True)
    users = Counter(
        (event["Hostname"], event["EventID"]) for event, tags in tagged if "obs.proc.net-user" in tags
    )
    assert users == {("WORKSTATION5.theshire.local", 1): 2, ("WORKSTATION5.theshire.local", 4688): 2}


@pytest.mark.corpora
def test_five_libraries_of_a_credential_tool_share_one_process(report: PackReport) -> None:
    events = recording("windows__credential_access__host__empire_mimikatz_logonpasswords.zip")
    wanted = {"smart-card-api", "sam-client", "credential-vault", "hid", "kerberos-crypto"}
    loaders = defaultdict(set)
    for event, tags in zip(events, tags_of(report.rules, events), strict=True):
        for tag in tags & {f"obs.dll.{what}" for what in wanted}:
            loaders[event["ProcessGuid"], event["Image"].lower()].add(tag.removeprefix("obs.dll."))
    assert [image for (_guid, image), found in loaders.items() if found == wanted] == [
        r"c:\windows\system32\windowspowershell\v1.0\powershell.exe"
    ]
