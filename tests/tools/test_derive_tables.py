"""What every derived table keeps to: the shared writer, and the tables as they are committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.derive_tables import Table, merged, read_facts, record_disagreements, words, write_table

from undertag.catalogue.sources.keys import key_part
from undertag.catalogue.sources.schema import KEY

DATA = Path(__file__).parents[2] / "src" / "undertag" / "catalogue" / "data" / "derived"
TABLES = sorted(path.stem for path in DATA.glob("*.tsv"))
AT_LEAST = {
    "aws-cloudtrail": 19_000,
    "gcp-audit": 10_000,
    "windows": 5_000,
    "azure-activity": 5_000,
    "m365": 2_400,
    "saas": 3_000,
    "okta": 1_200,
    "github": 1_100,
    "entra": 900,
    "kubernetes": 700,
    "google-workspace": 500,
    "linux-syscall": 380,
    "linux-auditd": 190,
    "macos-endpoint-security": 140,
    "osquery": 25,
    "windows-measured": 10,
}


def load(path: Path) -> Any:
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


def rows_of(name: str) -> list[dict[str, str]]:
    head, *lines = (DATA / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    columns = head.split("\t")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("CreateDBInstance", "Create DB instance"),
        ("user.session.start", "User session start"),
        ("ListEC2Instances", "List EC2 instances"),
        ("protected_branch.update", "Protected branch update"),
        ("", ""),
    ],
)
def test_words(name: str, title: str) -> None:
    assert words(name) == title


def test_merging_joins_what_differs_and_counts() -> None:
    rows = [
        {"key": "x/b", "title": "first", "service": "one"},
        {"key": "x/a", "title": "other", "service": "one"},
        {"key": "x/b", "title": "second", "service": "two"},
        {"key": "x/b", "title": "third", "service": "two"},
    ]
    found, vanished = merged(rows)
    assert vanished == 2
    assert found == [
        {"key": "x/a", "title": "other", "service": "one"},
        {"key": "x/b", "title": "first", "service": "one; two"},
    ]


def table(**more: Any) -> Table:
    settings: dict[str, Any] = {
        "name": "trial",
        "script": "tools/derive_trial.py",
        "defaults": {"platform": "trial"},
        "sources": {},
        "columns": {"kind": "what it is", "note": "what differs"},
        "factored": ("kind",),
    }
    return Table(**{**settings, **more})


def test_written_table_is_sorted_factored_and_repeatable(tmp_path: Path) -> None:
    def write(order: list[str]) -> bytes:
        made = table()
        for name in order:
            made.add(f"trial/{name}", name.upper(), kind="even" if name in "bd" else "odd", note=f"n{name}")
        assert write_table(made, tmp_path) == 4
        return (tmp_path / "trial.tsv").read_bytes()

    once = write(["d", "a", "c", "b"])
    assert once == write(["a", "b", "c", "d"])
    assert once.decode().splitlines() == [
        "key\ttitle\tset\tnote",
        "trial/a\tA\t1\tna",
        "trial/b\tB\t0\tnb",
        "trial/c\tC\t1\tnc",
        "trial/d\tD\t0\tnd",
    ]
    assert load(tmp_path / "trial.yml")["sets"] == [{"kind": "even"}, {"kind": "odd"}]


@pytest.mark.parametrize(
    ("keys", "cell", "message"),
    [
        pytest.param(["trial/a b"], "", "malformed key", id="space in a key"),
        pytest.param(["trial"], "", "malformed key", id="key of one part"),
        pytest.param(["trial/Name", "trial/name"], "", "differ only in case", id="keys that differ in case"),
        pytest.param(["trial/a"], "x\ty", "holds a tab", id="tab in a cell"),
        pytest.param(["trial/a"], "x\ny", "line break", id="line break in a cell"),
    ],
)
def test_refused(tmp_path: Path, keys: list[str], cell: str, message: str) -> None:
    made = table()
    for key in keys:
        made.add(key, "title", note=cell)
    with pytest.raises(ValueError, match=message):
        write_table(made, tmp_path)
    assert not (tmp_path / "trial.tsv").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\n1\n", "2: 1 cells where the header has 2"),
        ("a\tc\n1\t2\n", "no column b"),
        ("", "no column b"),
    ],
)
def test_malformed_facts(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "facts.tsv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_facts(tmp_path, "facts.tsv", ("b",))


def test_date_changes_only_with_the_content(tmp_path: Path) -> None:
    made = table()
    made.add("trial/a", "A")
    write_table(made, tmp_path)
    path = tmp_path / "PROVENANCE.yml"
    path.write_text(
        path.read_text(encoding="utf-8").replace(load(path)["trial"]["date"], "2001-01-01"), encoding="utf-8"
    )
    write_table(made, tmp_path)
    assert load(path)["trial"]["date"] == "2001-01-01"
    made.add("trial/b", "B")
    write_table(made, tmp_path)
    assert load(path)["trial"]["date"] != "2001-01-01"


def test_disagreements_of_others_stay(tmp_path: Path) -> None:
    record_disagreements(tmp_path, "one", [{"subject": "b"}, {"subject": "a"}])
    record_disagreements(tmp_path, "two", [{"subject": "c"}])
    record_disagreements(tmp_path, "two", [])
    assert load(tmp_path / "DISAGREEMENTS.yml") == {"one": [{"subject": "a"}, {"subject": "b"}]}


def test_all_tables_are_there() -> None:
    assert set(TABLES) == set(AT_LEAST)
    assert sum(len(rows_of(name)) for name in TABLES) >= 42_000


@pytest.mark.parametrize("name", TABLES)
def test_committed_table(name: str) -> None:
    rows = rows_of(name)
    beside = load(DATA / f"{name}.yml")
    keys = [row["key"] for row in rows]
    assert len(rows) >= AT_LEAST[name]
    assert keys == sorted(set(keys)), "sorted, and no key twice"
    assert all(KEY.fullmatch(key) for key in keys)
    assert all(key_part(part) == part for key in keys for part in key.split("/"))
    assert all(row["title"].strip() == row["title"] != "" for row in rows)
    assert set(rows[0]) - {"key", "title", "set"} <= set(beside["columns"])
    if "set" in rows[0]:
        assert {int(row["set"]) for row in rows} == set(range(len(beside["sets"]))), "every set is used"
    sources = set(beside["sources"])
    assert set(beside["defaults"]["sources"]) <= sources
    cited = {shared["source"] for shared in beside.get("sets", []) if "source" in shared}
    assert {source for text in cited for source in text.split("; ")} <= sources


def test_no_key_stands_in_two_tables() -> None:
    seen: dict[str, str] = {}
    twice = [
        (row["key"], name, seen[row["key"].lower()])
        for name in TABLES
        for row in rows_of(name)
        if seen.setdefault(row["key"].lower(), name) != name
    ]
    assert twice == []


def test_provenance_names_every_table_and_its_inputs() -> None:
    provenance = load(DATA / "PROVENANCE.yml")
    assert set(provenance) == set(TABLES)
    root = Path(__file__).parents[2]
    for name, entry in provenance.items():
        assert (root / entry["script"]).is_file(), name
        assert entry["entries"] == len(rows_of(name)), name
        assert all(len(one["sha256"]) == 64 and one["rows"] > 0 for one in entry["inputs"].values()), name


def test_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in DATA.glob("*.tsv")) < 6_000_000
