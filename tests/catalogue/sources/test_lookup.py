"""Look-ups on a small catalogue: tiers, inheritance, what tables add, shared channels, trees, search, prerequisites."""

from __future__ import annotations

import pytest
from tests.catalogue.sources.trees import compiled, plant

from undertag.catalogue.sources.lookup import Branch, Catalogue
from undertag.model.problem import CatalogueError


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return compiled(plant(tmp_path_factory.mktemp("catalogue")))


def test_the_keys_of_both_tiers_are_one_set(catalogue: Catalogue) -> None:
    assert {key: catalogue.tier(key) for key in catalogue.keys} == {
        "windows/application/app/7045": "derived",
        "windows/security/4688": "curated",
        "windows/security/4689": "derived",
        "windows/sysmon/1": "curated",
        "windows/sysmon/3": "curated",
        "windows/system/one/7045": "derived",
        "windows/system/two/7045": "derived",
    }


FACTS = {
    "own": ("windows/sysmon/1", "volume", "own", ("seen",)),
    "own without a source of its own": ("windows/sysmon/1", "fields", "own", ("doc",)),
    "inherited": ("windows/sysmon/1", "difficulty", "inherited", ("doc",)),
    "inherited with a source of its own": ("windows/sysmon/1", "default", "inherited", ("doc",)),
    "unknown has no source": ("windows/sysmon/3", "volume", "inherited", ()),
    "table adds fields to a curated entry": ("windows/security/4688", "fields", "table", ("manifests",)),
    "table adds versions": ("windows/security/4688", "versions", "table", ("manifests",)),
    "curated need stands over the table's": ("windows/security/4688", "needs", "own", ("doc",)),
    "table's default where the curated has none": ("windows/system/one/7045", "default", "table", ("known",)),
    "derived needs come of the audit table": ("windows/security/4689", "needs", "table", ("manifests",)),
    "derived inherits of its table": ("windows/security/4689", "product", "inherited", ("manifests",)),
}


@pytest.mark.parametrize(("key", "name", "origin", "sources"), FACTS.values(), ids=FACTS.keys())
def test_each_fact_tells_where_it_comes_from(
    catalogue: Catalogue, key: str, name: str, origin: str, sources: tuple[str, ...]
) -> None:
    fact = catalogue.entry(key).facts[name]
    assert (fact.origin, fact.sources) == (origin, sources)


VALUES = {
    "fields of the table": ("windows/security/4688", "fields", ["NewProcessName", "CommandLine"]),
    "curated title": ("windows/security/4688", "event", "4688"),
    "builds": ("windows/system/two/7045", "versions", "Windows builds 1703 to 26H1"),
    "derived need": ("windows/security/4689", "needs", ["audit/process-creation"]),
    "one of the table's defaults": (
        "windows/system/one/7045",
        "default",
        [{"state": "on", "where": "most channels", "basis": "claimed", "source": "known"}],
    ),
}


@pytest.mark.parametrize(("key", "name", "value"), VALUES.values(), ids=VALUES.keys())
def test_values(catalogue: Catalogue, key: str, name: str, value: object) -> None:
    assert catalogue.entry(key).value(name) == value


def test_json_names_tier_origins_and_cited_documents(catalogue: Catalogue) -> None:
    document = catalogue.entry("windows/security/4688").to_json()
    assert (document["tier"], document["file"], document["table"]) == (
        "curated",
        "curated/windows/security.yml",
        "derived/windows",
    )
    assert document["origins"]["versions"] == "table"
    assert document["documents"] == {
        "doc": {"kind": "documentation", "title": "The manual"},
        "manifests": {"kind": "table", "title": "Manifests"},
    }


WINDOWS = {
    "channel of one provider": (("Microsoft-Windows-Sysmon/Operational", "any", 1), ("windows/sysmon/1",)),
    "shared channel": (("System", "Two", 7045), ("windows/system/two/7045",)),
    "shared channel, no provider": (
        ("System", "", 7045),
        ("windows/system/one/7045", "windows/system/two/7045"),
    ),
    "unknown provider": (("System", "Three", 7045), ()),
    "unknown event": (("Security", "x", 1), ()),
    "unknown channel": (("Nowhere", "x", 1), ()),
}


@pytest.mark.parametrize(("event", "keys"), WINDOWS.values(), ids=WINDOWS.keys())
def test_a_windows_event_finds_its_entries(
    catalogue: Catalogue, event: tuple[str, str, int], keys: tuple[str, ...]
) -> None:
    assert catalogue.windows(*event) == keys
    assert catalogue.windows(*event) == keys, "the second time from memory"


MATCHING = {
    "a key": ("windows/sysmon/1", ["windows/sysmon/1"]),
    "other case": ("Windows/Sysmon/1", ["windows/sysmon/1"]),
    "a prefix": ("windows/sysmon", ["windows/sysmon/1", "windows/sysmon/3"]),
    "no provider": ("windows/system/7045", ["windows/system/one/7045", "windows/system/two/7045"]),
    "star within a part": ("windows/*/1", ["windows/sysmon/1"]),
    "star over parts": (
        "windows/**7045",
        ["windows/application/app/7045", "windows/system/one/7045", "windows/system/two/7045"],
    ),
    "either": ("windows/{sysmon,security}/*8*", ["windows/security/4688", "windows/security/4689"]),
    "either, last": ("windows/sysmon/{1,2,3}", ["windows/sysmon/1", "windows/sysmon/3"]),
    "nothing": ("windows/nothing/*", []),
    "no prefix of a part": ("windows/sys", []),
}


@pytest.mark.parametrize(("pattern", "keys"), MATCHING.values(), ids=MATCHING.keys())
def test_patterns(catalogue: Catalogue, pattern: str, keys: list[str]) -> None:
    assert catalogue.matching(pattern) == keys


SELECTORS: dict[str, tuple[dict[str, str], list[str]]] = {
    "component": ({"component": "DC0032"}, ["windows/sysmon/1"]),
    "data source": ({"data_source_2019": "Process monitoring"}, ["windows/sysmon/1"]),
    "need": ({"need": "audit/process-creation"}, ["windows/security/4688", "windows/security/4689"]),
    "difficulty": ({"difficulty": "agent"}, ["windows/sysmon/1", "windows/sysmon/3"]),
    "within": ({"difficulty": "agent", "within": "**/3"}, ["windows/sysmon/3"]),
    "sigma": ({"sigma": "windows/process_creation/sysmon"}, ["windows/sysmon/1"]),
}


@pytest.mark.parametrize(("selector", "keys"), SELECTORS.values(), ids=SELECTORS.keys())
def test_selectors(catalogue: Catalogue, selector: dict[str, str], keys: list[str]) -> None:
    assert catalogue.select([selector]) == keys


@pytest.mark.parametrize(
    "selector",
    [{}, {"colour": "red"}, {"need": "a", "difficulty": "b"}, "windows/{a", "x" * 400 + "*"],
    ids=str,
)
def test_malformed_selectors(catalogue: Catalogue, selector: dict[str, str] | str) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogue.select([selector])
    assert caught.value.problem.code == "UT318"


def test_unknown_key_names_near_ones(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError) as caught:
        catalogue.entry("windows/security/4687")
    assert caught.value.problem.code == "UT314"
    assert "windows/security/4688" in caught.value.problem.hint


def test_children_count_what_lies_below(catalogue: Catalogue) -> None:
    assert catalogue.children("windows")[1:3] == [
        Branch(path="windows/security", entries=2, curated=1, leaf=False),
        Branch(path="windows/sysmon", entries=2, curated=2, leaf=False),
    ]
    assert catalogue.children("windows/sysmon/")[0] == Branch(
        path="windows/sysmon/1", entries=1, curated=1, leaf=True
    )
    assert [branch.path for branch in catalogue.children()] == ["windows"]
    assert catalogue.children("nothing") == []


def test_search_puts_the_curated_first(catalogue: Catalogue) -> None:
    assert catalogue.search("PROCESS") == ["windows/sysmon/1", "windows/security/4688"]
    assert catalogue.search("7045 two") == ["windows/system/two/7045"]
    assert catalogue.search("process nothing") == []
    assert catalogue.search("  ") == []


def test_relations_go_both_ways(catalogue: Catalogue) -> None:
    assert catalogue.relations("windows/security/4688") == [
        {"kind": "duplicates", "from": "windows/sysmon/1"}
    ]
    assert catalogue.relations("windows/sysmon/1")[0]["to"] == "windows/security/4688"


def test_prerequisites_come_after_what_they_need(catalogue: Catalogue) -> None:
    assert catalogue.prerequisites_of("windows/security/4688") == ["policy/force", "audit/process-creation"]
    assert catalogue.prerequisites_of("windows/system/one/7045") == []


def test_find_spells_parts_as_keys_do(catalogue: Catalogue) -> None:
    assert catalogue.find("windows", "sysmon", "1") == ("windows/sysmon/1",)
    assert catalogue.find("Windows", "SYSMON", "3") == ("windows/sysmon/3",)
    assert catalogue.find("windows", "sysmon", "no such") == ()
