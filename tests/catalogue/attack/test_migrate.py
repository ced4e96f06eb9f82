"""Migrating tags: only the tags change, whatever the layout."""

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from undertag.catalogue.attack.migrate import Migration, migrate
from undertag.catalogue.attack.rewrite import rewrite
from undertag.catalogue.attack.spans import find_tags
from undertag.model.problem import RuleError, UndertagError

CORPORA = Path(os.environ.get("UNDERTAG_CORPORA", "../shared/corpora"))

HEAD = "title: x\nlogsource: {category: test}\n"
TAIL = "detection: {a: {b: attack.t1086}, condition: a}\n"

# name, tags before, tags after, findings
LAYOUTS = [
    ("block", "tags:\n    - attack.t1086\n", "tags:\n    - attack.t1059.001\n", []),
    ("no indent", "tags:\n- attack.t1086\n", "tags:\n- attack.t1059.001\n", []),
    ("single quotes", "tags:\n  - 'attack.t1086'\n", "tags:\n  - 'attack.t1059.001'\n", []),
    ("double quotes", 'tags:\n  - "attack.t1086"\n', 'tags:\n  - "attack.t1059.001"\n', []),
    ("trailing comment", "tags:\n  - attack.t1086   # a b\n", "tags:\n  - attack.t1059.001   # a b\n", []),
    (
        "comments between",
        "tags: # of attack.t1086\n  # attack.t1086\n  - attack.t1086\n\n  # last\n  - attack.t1003\n",
        "tags: # of attack.t1086\n  # attack.t1086\n  - attack.t1059.001\n\n  # last\n  - attack.t1003\n",
        [],
    ),
    (
        "flow",
        "tags: [attack.t1086, 'attack.t1064']\n",
        "tags: [attack.t1059.001, 'attack.t1064']\n",
        ["UT357"],
    ),
    (
        "flow over lines",
        "tags: [\n  attack.t1086, # why\n  attack.t1003 ]\n",
        "tags: [\n  attack.t1059.001, # why\n  attack.t1003 ]\n",
        [],
    ),
    ("tight flow", "tags: [attack.t1086,attack.t1003]\n", "tags: [attack.t1059.001,attack.t1003]\n", []),
    ("CRLF", "tags:\r\n  - attack.t1086\r\n", "tags:\r\n  - attack.t1059.001\r\n", []),
    ("anchor", "tags:\n  - &t attack.t1086\nx: *t\n", "tags:\n  - &t attack.t1059.001\nx: *t\n", []),
    ("explicit type", "tags:\n  - !!str attack.t1086\n", "tags:\n  - !!str attack.t1059.001\n", []),
    ("upper case", "tags:\n  - attack.T1086\n", "tags:\n  - attack.T1059.001\n", []),
    ("underscore", "tags:\n  - attack.lateral_movement\n", "tags:\n  - attack.lateral-movement\n", []),
    ("one scalar", "tags: attack.t1086\n", "tags: attack.t1059.001\n", []),
    (
        "becomes one that is there",
        "tags:\n  - attack.t1562.001\n  - attack.t1685\n  - attack.t1562.006 # old\n",
        "tags:\n  - attack.t1685\n  # old\n",
        [],
    ),
    (
        "two become one",
        "tags:\n  - attack.t1562.001\n  - attack.t1562.006\n",
        "tags:\n  - attack.t1685\n",
        [],
    ),
    (
        "two become one in flow",
        "tags: [attack.t1562.001, attack.t1562.006, x.y]\n",
        "tags: [attack.t1685, x.y]\n",
        [],
    ),
    ("last of two in flow", "tags: [attack.t1685, attack.t1562.006]\n", "tags: [attack.t1685]\n", []),
    (
        "split decided: stealth",
        "tags:\n  - attack.defense-evasion\n  - attack.t1027\n",
        "tags:\n  - attack.stealth\n  - attack.t1027\n",
        [],
    ),
    (
        "split decided: impairment, by an old id",
        "tags:\n  - attack.defense_evasion\n  - attack.t1089\n",
        "tags:\n  - attack.defense-impairment\n  - attack.t1685\n",
        [],
    ),
    (
        "split into both, comment stays",
        "tags:\n  - 'attack.defense-evasion' # why\n  - attack.t1027\n  - attack.t1112\n",
        "tags:\n  - 'attack.stealth'\n  - 'attack.defense-impairment' # why\n"
        "  - attack.t1027\n  - attack.t1112\n",
        [],
    ),
    (
        "split into both, CRLF",
        "tags:\r\n  - attack.t1027\r\n  - attack.t1112\r\n  - attack.defense-evasion\r\n",
        "tags:\r\n  - attack.t1027\r\n  - attack.t1112\r\n"
        "  - attack.stealth\r\n  - attack.defense-impairment\r\n",
        [],
    ),
    (
        "split into both, flow",
        "tags: ['attack.defense-evasion', attack.t1027, attack.t1112]\n",
        "tags: ['attack.stealth', 'attack.defense-impairment', attack.t1027, attack.t1112]\n",
        [],
    ),
    (
        "split, one half there already",
        "tags:\n  - attack.defense-evasion\n  - attack.stealth\n  - attack.t1027\n",
        "tags:\n  - attack.stealth\n  - attack.t1027\n",
        [],
    ),
    (
        "split undecided",
        "tags:\n  - attack.defense-evasion\n  - attack.t1059.001\n",
        "tags:\n  - attack.stealth\n  - attack.defense-impairment\n  - attack.t1059.001\n",
        ["UT358"],
    ),
    (
        "split as one scalar",
        "tags: attack.defense-evasion\n",
        "tags: attack.defense-evasion\n",
        ["UT358", "UT359"],
    ),
    ("unknown", "tags:\n  - attack.t9999\n", "tags:\n  - attack.t9999\n", ["UT355"]),
    ("deprecated", "tags:\n  - attack.t1108\n", "tags:\n  - attack.t1108\n", ["UT357"]),
    (
        "groups and software",
        "tags: [attack.s0002, attack.g0049]\n",
        "tags: [attack.s0002, attack.g0049]\n",
        [],
    ),
    (
        "tags of others",
        "tags: [cve.2020-1472, car.2013-05-002, tlp.red]\n",
        "tags: [cve.2020-1472, car.2013-05-002, tlp.red]\n",
        [],
    ),
    ("current", "tags:\n  - attack.t1059.001\n", "tags:\n  - attack.t1059.001\n", []),
    ("no tags", "tags: []\n", "tags: []\n", []),
    (
        "not ASCII before",
        "author: é 😀\ntags:\n  - attack.t1086\n",
        "author: é 😀\ntags:\n  - attack.t1059.001\n",
        [],
    ),
    (
        "under our own key",
        "undertag:\n  relates:\n    attack.t1086: consistent\n",
        "undertag:\n  relates:\n    attack.t1059.001: consistent\n",
        [],
    ),
    (
        "folded and literal text",
        "tags:\n  - >-\n    attack.t1086\n  - |-\n    attack.t1089\n  - |\n    attack.t1003\n",
        "tags:\n  - >-\n    attack.t1086\n  - |-\n    attack.t1089\n  - |\n    attack.t1003\n",
        ["UT359", "UT359"],
    ),
    (
        "escapes",
        'tags: ["attack.t\\x31086", attack.t1089]\n',
        'tags: ["attack.t\\x31086", attack.t1685]\n',
        ["UT359"],
    ),
    (
        "alias of a text elsewhere",
        "x: &t attack.t1086\ntags:\n  - *t\n  - attack.t1089\n",
        "x: &t attack.t1086\ntags:\n  - *t\n  - attack.t1685\n",
        ["UT359"],
    ),
    (
        "alias of a list elsewhere",
        "x: &t [attack.t1086, attack.t1003]\ntags: *t\n",
        "x: &t [attack.t1086, attack.t1003]\ntags: *t\n",
        ["UT359"],
    ),
    (
        "alias of a tag that is rewritten itself",
        "tags: [&t attack.t1086]\nundertag: {a: *t}\n",
        "tags: [&t attack.t1059.001]\nundertag: {a: *t}\n",
        [],
    ),
    (
        "merged from elsewhere",
        "x: &x {tags: [attack.t1086]}\n<<: *x\n",
        "x: &x {tags: [attack.t1086]}\n<<: *x\n",
        ["UT359"],
    ),
    (
        "merged, but tags of its own",
        "x: &x {tags: [attack.t1086]}\n<<: [*x]\ntags: [attack.t1089]\n",
        "x: &x {tags: [attack.t1086]}\n<<: [*x]\ntags: [attack.t1685]\n",
        [],
    ),
    ("space", "tags: [attack.lateral movement]\n", "tags: [attack.lateral-movement]\n", []),
    (
        "links of a tag rule",
        "undertag:\n  relates:\n    - technique: T1086 # T1086\n      why: T1086\n    - {technique: 'T1089'}\n",
        "undertag:\n  relates:\n    - technique: T1059.001 # T1086\n      why: T1086\n"
        "    - {technique: 'T1685'}\n",
        [],
    ),
    (
        "links that become one",
        "undertag:\n  relates:\n    - technique: T1562.001\n    - technique: T1562.006\n",
        "undertag:\n  relates:\n    - technique: T1685\n    - technique: T1562.006\n",
        ["UT359"],
    ),
    (
        "example events",
        "undertag:\n  examples: [{Image: attack.t1086}]\n  counterexamples:\n    - Image: attack.t1086\n",
        "undertag:\n  examples: [{Image: attack.t1086}]\n  counterexamples:\n    - Image: attack.t1086\n",
        [],
    ),
]


@pytest.mark.parametrize(("before", "after", "codes"), [x[1:] for x in LAYOUTS], ids=[x[0] for x in LAYOUTS])
def test_layouts(tmp_path: Path, before: str, after: str, codes: list[str]) -> None:
    path = tmp_path / "rule.yml"
    for bom in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(bom + (HEAD + before + TAIL).encode())
        done = migrate([str(path)], "19", write=True)
        assert path.read_bytes() == bom + (HEAD + after + TAIL).encode()
        assert sorted(problem.code for problem in done.findings) == codes
        assert done.written == done.changed == (before != after)
        again = migrate([str(path)], "19", write=True)
        assert again.changed == 0


def test_several_documents_are_decided_each_for_itself() -> None:
    one = "tags:\n  - attack.defense-evasion\n  - attack.t1027\ndetection: {}\n"
    two = "tags:\n  - attack.defense-evasion\n  - attack.t1112\ndetection: {}\n"
    found = rewrite(f"{one}---\n{two}", "19", "x").text
    assert found.count("attack.stealth") == found.count("attack.defense-impairment") == 1
    assert found.index("attack.stealth") < found.index("---") < found.index("attack.defense-impairment")


def test_follow_deprecated() -> None:
    text = "tags:\n  - attack.t1108 # c\n  - attack.t1062\ndetection: {}\n"
    found = rewrite(text, "19", "x", deprecated="follow")
    assert found.text.startswith(
        "tags:\n  - attack.t1133\n  - attack.t1136\n  - attack.t1505.003 # c\n  - attack.t1062\n"
    )
    assert [problem.code for problem in found.findings] == ["UT357"]


def test_edits_say_line_and_reason() -> None:
    found = rewrite("tags:\n\n  - attack.t1150\ndetection: {}\n", "19", "x")
    assert [(edit.line, edit.tag, edit.to) for edit in found.edits] == [
        (3, "attack.t1150", ("attack.t1647",))
    ]
    assert "T1150 → T1547.011 → T1647" in found.edits[0].reason


SETTINGS = [
    (
        "yaml",
        "s.yml",
        "suppress:\n  attack.t1086: noisy\nlinks: [attack.t1086]\nnote: see attack.t1086 there\n",
    ),
    (
        "toml",
        "s.toml",
        '# attack.t1086\n[links]\n"attack.t1086" = \'attack.t1086\'\nnote = "see attack.t1086 there"\n',
    ),
]


@pytest.mark.parametrize(
    ("name", "text"), [case[1:] for case in SETTINGS], ids=[case[0] for case in SETTINGS]
)
def test_settings_files(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert migrate([str(path)], "19", write=True).changed == 1
    kept = text.replace("see attack.t1086", "KEPT").replace("# attack.t1086", "HASH")
    assert path.read_text() == kept.replace("attack.t1086", "attack.t1059.001").replace(
        "KEPT", "see attack.t1086"
    ).replace("HASH", "# attack.t1086")


def test_toml_split_is_left_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('a = "attack.defense-evasion"\nb = "attack.t9999"\n')
    done = migrate([str(path)], "19", write=True)
    assert [problem.code for problem in done.findings] == ["UT358", "UT355"]
    assert done.changed == 0


BAD = [
    ("no YAML", b"tags: [attack.t1086\n", "UT354"),
    ("tab as indent", b"tags:\n\t- attack.t1086\n", "UT354"),
    ("not UTF-8", b"# \xff\ntags: [attack.t1086]\n", "UT362"),
    ("UTF-16", "tags: [attack.t1086]\n".encode("utf-16"), "UT362"),
    ("nested deep", b"tags: [attack.t1086]\nx: " + b"[" * 5000 + b"]" * 5000, "UT354"),
    ("unknown alias", b"tags: [attack.t1086, *gone", "UT354"),
    ("control character", b"tags: [attack.t1086]\nx: \x01\n", "UT354"),
]


@pytest.mark.parametrize(("data", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_files_are_findings_and_stay_as_they_are(tmp_path: Path, data: bytes, code: str) -> None:
    bad, good = tmp_path / "a.yml", tmp_path / "b.yml"
    bad.write_bytes(data)
    good.write_text("tags: [attack.t1086]\ndetection: {}\n")
    done = migrate([str(tmp_path)], "19", write=True)
    assert [problem.code for problem in done.findings] == [code]
    assert bad.read_bytes() == data
    assert good.read_text() == "tags: [attack.t1059.001]\ndetection: {}\n"


def test_alias_bomb_costs_nothing(tmp_path: Path) -> None:
    lines = ["a0: &a0 [attack.t1086]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)
    ]
    path = tmp_path / "bomb.yml"
    path.write_text("\n".join(lines))
    assert migrate([str(path)], "19").changed == 1


def test_detections_of_rules_in_a_list_stay() -> None:
    text = "- detection: {a: {b: attack.t1086}}\n  tags: [attack.t1086]\n"
    assert rewrite(text, "19", "x").text == text.replace("[attack.t1086]", "[attack.t1059.001]")


def test_each_list_has_its_own_doubles(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text("- tags: [attack.t1685]\n- tags: [attack.t1089]\n")
    assert migrate([str(path)], "19", write=True).changed == 1
    assert path.read_text() == "- tags: [attack.t1685]\n- tags: [attack.t1685]\n"


def test_dry_run_changes_nothing_and_shows_a_diff(tmp_path: Path) -> None:
    path = tmp_path / "rule.yml"
    path.write_bytes(b"tags:\r\n  - attack.t1086\r\ndetection: {}\r\n")
    done = migrate([str(path)], "19")
    assert (done.files, done.changed, done.written) == (1, 1, 0)
    assert path.read_bytes() == b"tags:\r\n  - attack.t1086\r\ndetection: {}\r\n"
    assert "-  - attack.t1086" in done.touched[0].diff
    assert "+  - attack.t1059.001" in done.touched[0].diff


def test_mode_and_link_are_kept(tmp_path: Path) -> None:
    path, link = tmp_path / "real" / "rule.yml", tmp_path / "link.yml"
    path.parent.mkdir()
    path.write_text("tags: [attack.t1086]\ndetection: {}\n")
    path.chmod(0o640)
    link.symlink_to(path)
    migrate([str(link)], "19", write=True)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert "t1059.001" in path.read_text()
    assert [one.name for one in path.parent.iterdir()] == ["rule.yml"]


def test_inputs(tmp_path: Path) -> None:
    for name in ("a/x.yml", "a/b/y.yaml", "a/.git/z.yml", "a/readme.md", "a/s.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("k: 1\n" if not name.endswith("toml") else "k = 1\n")
    assert migrate([str(tmp_path), str(tmp_path / "a/x.yml")], "19").files == 3
    assert migrate([str(tmp_path / "**/*.yml")], "19").files == 1
    for missing in (str(tmp_path / "none.yml"), str(tmp_path / "*.none"), "-"):
        with pytest.raises(UndertagError) as error:
            migrate([missing], "19")
        assert error.value.problem.code == "UT361"


OLD = {"attack.t1086", "attack.t1089", "attack.t1562.006", "attack.defense-evasion", "attack.defense_evasion"}
OTHER = ["t1027", "t1112", "t9999", "t1064", "s0002", "execution", "stealth"]
TAGS = st.sampled_from([*sorted(OLD), *(f"attack.{one}" for one in OTHER), "cve.2021-1"])
QUOTES = st.sampled_from(["", "'", '"'])
COMMENTS = st.sampled_from(["", "  # attack.t1086", " #", "   "])
BREAKS = st.sampled_from(["\n", "\r\n"])


@st.composite
def rules(draw: st.DrawFn) -> str:
    nl = draw(BREAKS)
    items = draw(st.lists(st.tuples(TAGS, QUOTES, COMMENTS), min_size=1, max_size=7))
    if draw(st.booleans()):
        gap = draw(st.sampled_from([", ", ",", f",{nl}   ", f" ,  # c{nl} "]))
        tags = "tags: [" + gap.join(f"{q}{tag}{q}" for tag, q, _ in items) + "]" + nl
    else:
        lead = draw(st.sampled_from(["", "  ", "    "])) + draw(st.sampled_from(["- ", "-   "]))
        tags = f"tags:{nl}" + "".join(f"{lead}{q}{tag}{q}{end}{nl}" for tag, q, end in items)
    return f"title: é{nl}{tags}detection:{nl}  a: attack.t1086{nl}"


@given(rules())
def test_random_layouts(text: str) -> None:
    """All but `tags` loads the same, no old tag is left, and a second run has nothing to do."""
    found = rewrite(text, "19", "x")
    old, new = yaml.safe_load(text), yaml.safe_load(found.text)
    old_tags, new_tags = old.pop("tags"), new.pop("tags")
    assert old == new
    assert re.findall(r"#.*", found.text) == re.findall(r"#.*", text) or "[" in text
    tags: list[str] = new_tags
    for edit in found.edits:
        assert edit.tag in old_tags
    stuck = {problem.message.split(" ")[0] for problem in found.findings if problem.code == "UT359"}
    assert not (OLD - stuck) & set(tags)
    assert rewrite(found.text, "19", "x").text == found.text


@given(st.text(alphabet=st.sampled_from("ab:-[]{}'\"#,&*!|> \n\r\t.attackt1086é"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        documents = find_tags(text, "x")
    except RuleError as error:
        assert error.problem.code == "UT354"
        return
    for document in documents:
        for span in document.spans:
            assert span.setting == "fixed" or text[span.start : span.end] == span.tag


def lines_beside_tags(data: bytes) -> list[bytes]:
    return [line for line in data.splitlines(keepends=True) if b"attack." not in line]


@pytest.mark.corpora
@pytest.mark.skipif(not (CORPORA / "sigma").is_dir(), reason="needs the Sigma rules of UNDERTAG_CORPORA")
class TestSigmaHQ:
    """All rules: to v18.1 and back."""

    def test_rules_are_of_v19_already(self) -> None:
        done = migrate([str(CORPORA / "sigma")], "19")
        assert done.files > 3700
        assert done.changed == 0
        assert [problem.message.split(" ")[0] for problem in done.findings] == ["attack.ds0005"]

    @pytest.mark.slow
    def test_only_tags_change_and_the_way_back_loses_none(self, tmp_path: Path) -> None:
        originals = copy_rules(CORPORA / "sigma", tmp_path)
        there: Migration = migrate([str(tmp_path)], "18.1", write=True)
        assert there.changed > 1400
        for path, data in originals.items():
            assert lines_beside_tags(path.read_bytes()) == lines_beside_tags(data), path
        assert not any(b"attack.stealth" in path.read_bytes() for path in originals)
        migrate([str(tmp_path)], "19", write=True)
        same = sum(path.read_bytes() == data for path, data in originals.items())
        assert same > len(originals) * 0.95
        for path, data in originals.items():
            assert set(tags_of(data)) <= set(tags_of(path.read_bytes())), path


def copy_rules(source: Path, target: Path) -> dict[Path, bytes]:
    """Copies the rule files; path of the copy → bytes."""
    found = {}
    for folder in ("rules", "rules-emerging-threats", "rules-threat-hunting"):
        for path in (source / folder).rglob("*.yml"):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            found[copy] = path.read_bytes()
    return found


def tags_of(data: bytes) -> list[Any]:
    return list(re.findall(rb"(?m)^\s*- ['\"]?(attack\.[^\s'\"#]+)", data))


HOSTILE = [
    ("brackets", "tags: [attack.t1086]\nx: " + "[" * 2_000_000, 1),
    ("one long line", "tags: [" + "attack.t1562.001, " * 50_000 + "attack.t1685]\n", 0),
    ("many items, CR only", "tags:\r" + "- attack.defense-evasion\r" * 50_000 + "- attack.t1027\r", 0),
    ("many aliases", "a: &a [" + "attack.t1086, " * 5_000 + "]\nb: [" + "*a, " * 50_000 + "]\n", 0),
    ("many documents", "tags:\n- attack.t1086\ndetection: {}\n---\n" * 20_000, 0),
]


@pytest.mark.parametrize(
    ("text", "findings"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_cost_grows_with_size_only(tmp_path: Path, text: str, findings: int) -> None:
    path = tmp_path / "rule.yml"
    path.write_bytes(text.encode())
    start = time.process_time()
    done = migrate([str(path)], "19", write=True)
    assert time.process_time() - start < 10
    assert len(done.findings) == findings
    assert done.changed == 1 - findings
