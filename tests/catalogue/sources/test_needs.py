"""Needs of which any one suffices: their form, and that every alternative is followed wherever needs are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.catalogue.sources.trees import PREREQUISITES, SECURITY, TABLE_YML, compiled, plant

from undertag.apps.cli.sources_json import entry_json
from undertag.apps.cli.sources_view import said
from undertag.catalogue.sources import links, schema
from undertag.catalogue.sources.compiling import read_parts
from undertag.catalogue.sources.lookup import Catalogue, load_catalogue
from undertag.catalogue.sources.needs import clauses, need_ids, outcomes
from undertag.catalogue.sources.resolving import Resolver

ONE = "needs: [{id: audit/process-creation, success: true}]"
EITHER = "needs: [{any: [{id: audit/process-creation, failure: true}, agent/sysmon], why: one is enough}, policy/force]"
TWO_AUDITS = """\
  audit/process-termination:
    kind: audit-subcategory
    title: Audit Process Termination
    guid: 0CCE922C-69AE-11D9-BED3-505054503030
    category: Detailed Tracking
    source: doc
"""

CLAUSES: dict[str, tuple[Any, list[list[str]], dict[str, dict[str, bool]]]] = {
    "an id": (["a/b"], [["a/b"]], {"a/b": {}}),
    "with its outcome": ([{"id": "a/b", "success": True}], [["a/b"]], {"a/b": {"success": True}}),
    "all of two": (["a/b", "c/d"], [["a/b"], ["c/d"]], {"a/b": {}, "c/d": {}}),
    "any of two": (
        [{"any": ["a/b", {"id": "c/d", "failure": True}], "why": "x"}],
        [["a/b", "c/d"]],
        {"a/b": {}, "c/d": {"failure": True}},
    ),
    "an outcome told once holds": (
        [{"any": [{"id": "a/b", "success": True}, "c/d"]}, {"any": [{"id": "a/b", "why": "x"}, "e/f"]}],
        [["a/b", "c/d"], ["a/b", "e/f"]],
        {"a/b": {"success": True}, "c/d": {}, "e/f": {}},
    ),
    "unknown": ("unknown", [], {}),
    "nothing said": (None, [], {}),
}


@pytest.mark.parametrize(("needs", "ids", "audited"), CLAUSES.values(), ids=CLAUSES.keys())
def test_needs_are_read(needs: Any, ids: list[list[str]], audited: dict[str, dict[str, bool]]) -> None:
    assert [[one["id"] for one in alternatives] for alternatives in clauses(needs)] == ids
    assert need_ids(needs) == list(audited)
    assert outcomes(needs) == audited


MALFORMED = {
    "both": {"id": "a/b", "any": ["c/d", "e/f"]},
    "neither": {"why": "x"},
    "one alternative": {"any": ["a/b"]},
    "no alternative": {"any": []},
    "outcome beside any": {"any": ["a/b", "c/d"], "success": True},
    "any within any": {"any": ["a/b", {"any": ["c/d", "e/f"]}]},
    "unknown key": {"any": ["a/b", "c/d"], "all": ["e/f"]},
}


@pytest.mark.parametrize("need", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_needs_are_refused(need: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        schema.convert(need, schema.Need)


def test_a_malformed_need_is_told_with_its_line(tmp_path: Path) -> None:
    broken = SECURITY.replace(ONE, "needs: [{any: [agent/sysmon]}]")
    (problem,) = read_parts(plant(tmp_path, security=broken)).problems
    assert (problem.code, str(problem.place)) == ("UT302", "curated/windows/security.yml:14")
    assert "two or more alternatives" in problem.message


def test_an_unknown_alternative_is_told(tmp_path: Path) -> None:
    dangling = SECURITY.replace(ONE, "needs: [{any: [agent/sysmon, agent/other]}]")
    parts = read_parts(plant(tmp_path, security=dangling))
    found = list(links.dangling(parts.curated, parts.prerequisites, set(parts.keys)))
    assert [(p.code, str(p.place)) for p in found] == [("UT306", "curated/windows/security.yml:14")]
    assert "agent/other" in found[0].message


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    root = tmp_path_factory.mktemp("needs")
    plant(root, security=SECURITY.replace(ONE, EITHER), prerequisites=PREREQUISITES + TWO_AUDITS)
    table = TABLE_YML.replace(
        "audit: Detailed Tracking / Process Creation",
        "audit: Detailed Tracking / Process Creation; Detailed Tracking / Process Termination",
    )
    (root / "derived/windows.yml").write_text(table, encoding="utf-8")
    return compiled(root)


def test_each_alternative_finds_the_entry(catalogue: Catalogue) -> None:
    for need in ("audit/process-creation", "agent/sysmon", "policy/force"):
        assert "windows/security/4688" in catalogue.select([{"need": need}]), need


def test_prerequisites_of_all_alternatives_are_listed(catalogue: Catalogue) -> None:
    assert catalogue.prerequisites_of("windows/security/4688") == [
        "policy/force",
        "audit/process-creation",
        "agent/sysmon",
    ]


def test_several_subcategories_of_a_row_are_alternatives(catalogue: Catalogue) -> None:
    both = ["audit/process-creation", "audit/process-termination"]
    assert catalogue.entry("windows/security/4689").value("needs") == [{"any": both}]


SHOWN = {
    "an id": ("policy/force", "policy/force"),
    "an outcome": ({"id": "a/b", "success": True, "failure": True}, "a/b (success, failure)"),
    "why": ({"id": "a/b", "why": "always"}, "a/b (always)"),
    "outcome and why": ({"id": "a/b", "failure": True, "why": "x"}, "a/b (failure; x)"),
    "any": ({"any": ["a/b", {"id": "c/d", "success": True}]}, "one of: a/b, c/d (success)"),
    "any and why": ({"any": ["a/b", "c/d"], "why": "one is enough"}, "one of: a/b, c/d: one is enough"),
}


@pytest.mark.parametrize(("need", "text"), SHOWN.values(), ids=SHOWN.keys())
def test_needs_are_shown(need: Any, text: str) -> None:
    assert said("needs", [need]) == text


def test_json_keeps_needs_as_written_and_computes_from_all_alternatives() -> None:
    catalogue = load_catalogue()
    document = entry_json(catalogue, Resolver(catalogue), "windows/security/4625")
    (need,) = document["needs"]
    assert [one["id"] for one in need["any"]] == ["audit/logon", "audit/account-lockout"]
    assert document["origins"]["enable"] == "computed"
    assert {"audit/logon", "audit/account-lockout"} <= {one["id"] for one in document["prerequisites"]}
    assert [(a["subcategory"], a["success"], a["failure"]) for a in document["audit_subcategories"]] == [
        ("Logon", None, True),
        ("Account Lockout", None, True),
    ]
    guids = [audit["guid"] for audit in document["audit_subcategories"]]
    for steps in (document["enable"], document["undo"]):
        assert all(any(guid in step and "/failure:" in step for step in steps) for guid in guids)
        assert not any("/success:" in step for step in steps), "only the outcome that is needed"


def test_what_one_sacl_needs_comes_with_it() -> None:
    """A SACL counts with the subcategory of its own kind of object only: the graph of prerequisites says so."""
    known = load_catalogue().prerequisites
    for kind, subcategory in (
        ("file", "file-system"),
        ("registry", "registry"),
        ("kernel-object", "kernel-object"),
    ):
        assert known[f"sacl/{kind}"]["needs"] == [f"audit/{subcategory}"]


def test_no_need_says_in_words_that_it_is_an_alternative() -> None:
    catalogue = load_catalogue()
    wordy = [
        entry.key
        for entry in catalogue.entries()
        for alternatives in clauses(entry.value("needs"))
        for one in alternatives
        if str(one.get("why", "")).startswith("alternative")
    ]
    assert wordy == []


RELATED = {
    "Sysmon for Linux and Tetragon": ("linux/tetragon/process_exec", "poorer-than", "linux/sysmon/1"),
    "flows of AWS": ("aws/vpc-flow/record", "poorer-than", "network/zeek/conn"),
    "log-ins of Workspace": (
        "google-workspace/login/login_success",
        "duplicates",
        "gcp/login/google-account",
    ),
    "query log and dnstap": ("network/dns/query-log", "poorer-than", "network/dns/dnstap"),
    "queries in BIND's form": ("linux/syslog/named-queries", "subset-of", "network/dns/query-log"),
    "audit and Endpoint Security": (
        "macos/openbsm/AUE_sudo",
        "duplicates",
        "macos/endpoint-security/ES_EVENT_TYPE_NOTIFY_SUDO",
    ),
}


@pytest.mark.parametrize(("key", "kind", "to"), RELATED.values(), ids=RELATED.keys())
def test_relations_outside_of_windows(key: str, kind: str, to: str) -> None:
    rows = [row for row in load_catalogue().relations(key) if (row["kind"], row.get("to")) == (kind, to)]
    assert len(rows) == 1
    assert rows[0]["why"]


def test_relations_say_why_and_lose_fields_that_only_the_richer_entry_has() -> None:
    """Of entries of Linux, macOS, clouds and network; `lost` is held against the fields of both where they are known."""
    catalogue = load_catalogue()
    platforms = (
        "{linux,macos,aws,azure,entra,gcp,google-workspace,m365,network,kubernetes,okta,github,saas,esxi}/**"
    )
    wrong = []
    for entry in catalogue.entries(catalogue.select([platforms])):
        for row in entry.value("relations") or ():
            richer = catalogue.entry(row["to"]).fields
            if not row.get("why"):
                wrong.append((entry.key, row["to"], "no reason"))
            for name in row.get("lost", ()):
                if name in entry.fields or (richer and name not in richer):
                    wrong.append((entry.key, row["to"], name))
    assert wrong == []
