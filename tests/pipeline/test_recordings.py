"""Real recordings: the indexed matcher against the plain one, known matches, and the two worked examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.corpora import corpus, sigma_rules

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.bind import bind
from undertag.match.engine import Engine
from undertag.match.reference import match_event
from undertag.match.sigma.cache import load_rules_cached
from undertag.model.batch import Batch
from undertag.model.expr import FALSE
from undertag.model.problem import Problem
from undertag.model.rule import Rule
from undertag.packs import pack_folder
from undertag.pipeline.regress import run_regression
from undertag.pipeline.run import Job, run
from undertag.pipeline.why import values_of
from undertag.read import records, units
from undertag.read.normalise.normaliser import Normaliser
from undertag.tag.tagger import Tagger

pytestmark = pytest.mark.corpora


def batches(path: Path) -> Iterator[Batch]:
    problems: list[Problem] = []
    normaliser = Normaliser(windows_router(), other_router())
    for unit in units([str(path)], problems=problems):
        yield from normaliser.normalise(unit, records(unit)).batches
    assert not problems


def compare(rules: list[Rule], some: Iterator[Batch], every: int) -> int:
    """Holds both matchers equal on every so-many-th event; the number of matches compared."""
    engine = Engine(rules)
    compared = 0
    for batch in some:
        bound = [
            (number, expr) for number, rule in enumerate(rules) if (expr := bind(rule, batch.entry)) != FALSE
        ]
        found = engine.match(batch)
        for row in range(0, len(batch), every):
            got = Counter(found[row].numbers) if row in found else Counter()
            want = Counter(
                number for number, expr in bound if match_event(expr, partial(values_of, batch, row))
            )
            assert got == want, (batch.entry.key, batch.raws[row][:400])
            compared += want.total()
    return compared


def test_sample_equals_the_plain_matcher() -> None:
    rules = load_rules_cached([*sigma_rules(), pack_folder()]).rules
    assert compare(rules, batches(corpus("evtx-attack-samples", "Privilege Escalation")), every=40) > 20


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["evtx-attack-samples", "security-datasets"])
def test_everything_equals_the_plain_matcher(folder: str) -> None:
    rules = load_rules_cached([*sigma_rules(), pack_folder()]).rules
    assert compare(rules, batches(corpus(folder)), every=2) > 400


def test_attack_samples_give_what_peers_find_and_what_they_lose() -> None:
    rules = load_rules_cached(sigma_rules("rules/windows")).rules
    summary = run(Job(inputs=[str(corpus("evtx-attack-samples"))], rules=rules))
    assert summary.events == 8255
    assert not [problem for problem in summary.problems if problem.severity == "error"]
    assert len(summary.rule_hits) >= 330
    assert summary.hits >= 1186
    titles = Counter(
        {rule.title: summary.rule_hits[rule.id] for rule in rules if rule.id in summary.rule_hits}
    )
    assert titles["RDP over Reverse SSH Tunnel WFP"] == 4
    assert titles["New DLL Added to AppInit_DLLs Registry Key"] == 1
    assert titles["Password Dumper Remote Thread in LSASS"] == 2
    assert titles["MSSQL Server Failed Logon From External Network"] == 0


def test_regression_data_all_pass() -> None:
    result = run_regression(str(corpus("sigma")))
    assert result.failed == []
    assert result.passed == result.total == 98


def tags_by_event(path: Path) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """(system, image, loaded library, tags) of every event, by undertag's own pack."""
    rules = load_rules_cached([pack_folder()], pack=True).rules
    engine, tagger = Engine(rules), Tagger(rules)
    rows = []
    for batch in batches(path):
        for row, found in engine.match(batch).items():
            image, loaded = batch.value(row, "Image"), batch.value(row, "ImageLoaded")
            tags = tagger.tags_of(found.numbers).names
            rows.append((batch.systems[row], str(image), str(loaded), tags))
    return rows


def test_two_stories_of_one_minute_stay_apart() -> None:
    """`net user` on one system and WinSCard.dll on another are no one thing, and the library is no theft."""
    rows = tags_by_event(
        corpus("security-datasets", "windows__discovery__host__empire_shell_net_local_users.zip")
    )
    cards = [row for row in rows if row[2].lower().endswith("winscard.dll")]
    assert [row[0] for row in cards] == ["WORKSTATION6.theshire.local"]
    assert {"obs.dll.smart-card-api", "mit.host.wmi-provider"} <= set(cards[0][3])
    assert not any(tag.startswith("attack.") for tag in cards[0][3])
    assert {row[0] for row in rows if "obs.proc.net-user" in row[3]} == {"WORKSTATION5.theshire.local"}


def test_five_libraries_in_one_process() -> None:
    rows = tags_by_event(
        corpus("security-datasets", "windows__credential_access__host__empire_mimikatz_logonpasswords.zip")
    )
    names = ("winscard", "samlib", "vaultcli", "hid", "cryptdll")
    loaders = {name: {row[1] for row in rows if row[2].lower().endswith(f"\\{name}.dll")} for name in names}
    assert any(image.lower().endswith("powershell.exe") for image in set.intersection(*loaders.values()))
