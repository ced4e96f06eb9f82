"""Files, folders, identities, collections and filters: what comes out as a rule, and in which order."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.match.modifier_cases import load_text, rule_text
from tests.match.random_rules import rule_texts

from undertag.match.reference import match_event
from undertag.match.sigma.load import load_rules
from undertag.match.sigma.stored import decode_result, encode_result
from undertag.model.expr import And, Not, Or
from undertag.model.expr import Test as Leaf
from undertag.model.problem import RuleError
from undertag.model.rule import LogSource

ONE, TWO = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"

RULE = """\
title: {title}
id: {id}
name: {name}
status: Test
level: High
tags: [attack.t1003]
falsepositives: [none]
logsource: {{product: windows, category: {category}}}
detection:
  sel: {{A: 1}}
  condition: sel
undertag: {{benign: [x], since: 2024-01-01}}
"""


def rule(title: str = "one", id: str = ONE, name: str = "first", category: str = "process_creation") -> str:
    return RULE.format(title=title, id=id, name=name, category=category)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_all_parts_of_a_rule(tmp_path: Path) -> None:
    write(tmp_path, win__a_dot_yml=rule())
    result = load_rules([tmp_path], pack=True)
    (loaded,) = result.rules
    assert loaded.id == ONE
    assert loaded.title == "one"
    assert loaded.logsource == LogSource(product="windows", category="process_creation")
    assert loaded.condition == Leaf("A", "eq", "1")
    assert isinstance(loaded.condition, Leaf)
    assert loaded.condition.selection == "sel"
    assert (loaded.level, loaded.status) == ("high", "test")
    assert (loaded.tags, loaded.falsepositives) == (("attack.t1003",), ("none",))
    assert loaded.file == "win/a.yml"
    assert loaded.pack
    assert loaded.custom == {"benign": ["x"], "since": "2024-01-01"}
    assert result.files == 1


def test_hash_is_of_the_meaning_and_not_of_the_layout() -> None:
    (loaded,) = load_text("title: x\nlogsource: {product: a}\ndetection: {s: {A: 1}, condition: s}\n").rules
    (again,) = load_text(
        "# x\nlogsource:\n  product: a\ndetection:\n  s:\n    A: 1\n  condition: s\ntitle: x"
    ).rules
    (other,) = load_text("title: x\nlogsource: {product: a}\ndetection: {s: {A: 2}, condition: s}\n").rules
    assert loaded.hash == again.hash != other.hash
    assert len(loaded.hash) == 16
    assert loaded.id == f"sha256:{loaded.hash}"


def test_integer_beyond_64_bits_has_a_hash() -> None:
    (loaded,) = load_text(rule_text("sel: {A: 99999999999999999999999}")).rules
    assert len(loaded.hash) == 16
    assert match_event(loaded, {"A": 99999999999999999999999})


def test_folders_are_walked_and_other_files_passed_over(tmp_path: Path) -> None:
    write(
        tmp_path,
        b_dot_yml=rule("b", TWO, "b"),
        a__deep__x_dot_YAML=rule(),
        _dot_git__c_dot_yml="title: [",
        readme_dot_md="title: [",
    )
    result = load_rules([tmp_path])
    assert [(loaded.title, loaded.file) for loaded in result.rules] == [
        ("one", "a/deep/x.YAML"),
        ("b", "b.yml"),
    ]
    assert result.problems == []


def test_order_of_paths_does_not_matter(tmp_path: Path) -> None:
    write(
        tmp_path,
        a__1_dot_yml=rule("winner"),
        b__1_dot_yml=rule("loser"),
        c_dot_yml=rule("c", TWO),
        d_dot_yml="title: [",
    )
    paths = [tmp_path / "a", tmp_path / "b", tmp_path / "c.yml", tmp_path / "d.yml", tmp_path / "b" / "1.yml"]
    results = [load_rules(order) for order in itertools.permutations(paths)]
    assert all(result == results[0] for result in results)
    assert [loaded.title for loaded in results[0].rules] == ["winner", "c"]
    assert str(results[0].problems[0]) == (
        f"{tmp_path}/b/1.yml:2: UT208 id {ONE} is taken by 'winner' in {tmp_path}/a/1.yml, so 'loser' in "
        f"{tmp_path}/b/1.yml is not loaded (give the rule an id of its own, or remove one of the two)"
    )


def test_ids_are_compared_without_case() -> None:
    upper = "ABCDEFAB-1111-4111-8111-111111111111"
    result = load_text(rule(id=upper) + "---\n" + rule(title="two", id=upper.lower()))
    assert [loaded.id for loaded in result.rules] == [upper.lower()]
    assert [problem.code for problem in result.problems] == ["UT208"]


def test_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="UT200 no such file or folder"):
        load_rules([tmp_path / "nowhere"])


def test_links_stay_within_the_folder(tmp_path: Path) -> None:
    write(tmp_path, rules__real_dot_yml=rule(), outside_dot_yml=rule("outside", TWO))
    (tmp_path / "rules" / "same.yml").symlink_to("real.yml")
    (tmp_path / "rules" / "out.yml").symlink_to(tmp_path / "outside.yml")
    (tmp_path / "rules" / "loop").symlink_to(tmp_path / "rules")
    result = load_rules([tmp_path / "rules"])
    assert [loaded.title for loaded in result.rules] == ["one"]
    assert [(problem.code, problem.place and problem.place.source) for problem in result.problems] == [
        ("UT200", f"{tmp_path}/rules/out.yml")
    ]


def test_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    result = load_rules([tmp_path])
    assert [problem.code for problem in result.rejected] == ["UT200"]


def test_list_of_conditions_is_any_of_them() -> None:
    (loaded,) = load_text(rule_text("a: {A: 1}\nb: {B: 2}\ncondition: [a and b, not a]")).rules
    one, two = Leaf("A", "eq", "1"), Leaf("B", "eq", "2")
    assert loaded.condition == Or((And((one, two)), Not(one)))


def test_trees_are_flat() -> None:
    (loaded,) = load_text(
        rule_text("a: [{A: [1, 2]}, {A: 3}]\nb: {B: 4, C: 5}\ncondition: ((a) or a) and (b and (not not b))")
    ).rules
    a = tuple(Leaf("A", "eq", str(value)) for value in (1, 2, 3))
    b = (Leaf("B", "eq", "4"), Leaf("C", "eq", "5"))
    assert loaded.condition == And((Or(a + a), *b, *b))


def test_merge_keys_and_aliases() -> None:
    (loaded,) = load_text(rule_text("base: &base {A: 1, B: 2}\nsel: {<<: *base, B: 3}\ncondition: sel")).rules
    assert loaded.condition == And((Leaf("A", "eq", "1"), Leaf("B", "eq", "3")))


COLLECTION = """\
action: global
title: shared
logsource: {product: windows}
detection: {condition: sel}
---
detection: {sel: {A: 1}}
---
title: own
detection: {sel: {A: 2}}
---
action: repeat
title: repeated
logsource: {service: security}
---
action: reset
---
title: alone
detection: {sel: {A: 3}, condition: sel}
"""


def test_old_collections_merge() -> None:
    result = load_text(COLLECTION)
    assert [(loaded.title, str(loaded.logsource), loaded.condition) for loaded in result.rules] == [
        ("shared", "windows/*/*", Leaf("A", "eq", "1")),
        ("own", "windows/*/*", Leaf("A", "eq", "2")),
        ("repeated", "windows/*/security", Leaf("A", "eq", "2")),
    ]
    assert [(problem.code, problem.place and problem.place.line) for problem in result.problems] == [
        ("UT206", 17)
    ]


# -- filters

FILTER = """\
title: F
{id}
logsource: {logsource}
filter:
  rules: {rules}
  ours: {{User|startswith: adm_}}
  condition: {condition}
"""


def filter_text(
    rules: str = f"[{ONE}]", condition: str = "not ours", logsource: str = "{product: windows}", id: str = ""
) -> str:
    return FILTER.format(rules=rules, condition=condition, logsource=logsource, id=id)


BOTH = rule() + "---\n" + rule("two", TWO, "second", "file_event") + "---\n"

FILTERED = {
    # name: (filter, titles of the rules that it joins, codes of problems)
    "by id": (filter_text(), ["one"], []),
    "by id in upper case": (filter_text("[ABCDEFAB-1111-4111-8111-111111111111]"), [], ["UT231"]),
    "by name, as text": (filter_text("second"), ["two"], []),
    "two rules": (filter_text(f"[first, {TWO}]"), ["one", "two"], []),
    "twice the same rule": (filter_text(f"[first, {ONE}]"), ["one"], []),
    "any": (filter_text("any"), ["one", "two"], []),
    "an empty list is any": (filter_text("[]"), ["one", "two"], []),
    "any of a log source": (filter_text("Any", logsource="{category: file_event}"), ["two"], []),
    "log source of none": (filter_text("any", logsource="{product: linux}"), [], ["UT232"]),
    "log source too narrow": (filter_text(logsource="{product: windows, service: x}"), [], ["UT232"]),
    "unknown rule": (filter_text("[33333333-3333-4333-8333-333333333333, first]"), ["one"], ["UT231"]),
    "itself": (
        filter_text("[44444444-4444-4444-8444-444444444444]", id="id: 44444444-4444-4444-8444-444444444444"),
        [],
        ["UT233"],
    ),
    "another filter": (
        filter_text("any", logsource="{product: linux}", id="name: base") + "---\n" + filter_text("[base]"),
        [],
        ["UT232", "UT233"],
    ),
    "no rules": (filter_text("5"), [], ["UT230"]),
    "two conditions": (filter_text(condition="[ours, ours]"), [], ["UT230"]),
    "unknown selection": (filter_text(condition="not yours"), [], ["UT221"]),
    "no mapping": ("title: F\nlogsource: {product: windows}\nfilter: x\n", [], ["UT230"]),
}


@pytest.mark.parametrize("name", FILTERED)
def test_filter_joins(name: str) -> None:
    text, titles, codes = FILTERED[name]
    result = load_text(BOTH + text)
    assert [loaded.title for loaded in result.rules] == ["one", "two"]
    joined = [loaded.title for loaded in result.rules if not match_event(loaded, {"A": 1, "User": "adm_1"})]
    assert joined == titles
    assert all(match_event(loaded, {"A": 1, "User": "bob"}) for loaded in result.rules)
    assert [problem.code for problem in result.problems] == codes
    assert [rule for use in result.filters for rule in use.rules] == [
        loaded.id for loaded in result.rules if loaded.title in titles
    ]


@pytest.mark.parametrize(
    ("name", "logsource", "titles", "codes"),
    [
        ("shared", "{product: windows}", ["one", "two"], []),
        ("shared", "{category: file_event}", ["two"], ["UT232"]),
        ("Shared", "{product: windows}", ["three"], []),
    ],
    ids=["all that bear it", "one of another log source", "case counts"],
)
def test_filter_joins_all_rules_of_a_name(
    name: str, logsource: str, titles: list[str], codes: list[str]
) -> None:
    rules = [
        rule(name="shared"),
        rule("two", TWO, "shared", "file_event"),
        rule("three", "33333333-3333-4333-8333-333333333333", "Shared"),
    ]
    result = load_text("---\n".join([*rules, filter_text(f"[{name}]", logsource=logsource)]))
    joined = [loaded.title for loaded in result.rules if not match_event(loaded, {"A": 1, "User": "adm_1"})]
    assert joined == titles
    assert [problem.code for problem in result.problems] == codes


def test_filter_may_come_before_its_rule_and_names_itself_in_evidence() -> None:
    result = load_text(filter_text() + "---\n" + rule())
    (loaded,) = result.rules
    assert loaded.condition == And((Leaf("A", "eq", "1"), Not(Leaf("User", "startswith", "adm_"))))
    assert isinstance(loaded.condition, And)
    excluded = loaded.condition.args[1]
    assert isinstance(excluded, Not)
    assert isinstance(excluded.arg, Leaf)
    assert excluded.arg.selection == "F: ours"


def test_filter_that_is_required_keeps_only_its_events() -> None:
    """The condition is joined with `and` as it stands, as pySigma does."""
    (loaded,) = load_text(rule() + "---\n" + filter_text(condition="ours")).rules
    assert match_event(loaded, {"A": 1, "User": "adm_1"})
    assert not match_event(loaded, {"A": 1, "User": "bob"})


@pytest.mark.parametrize(
    "number", ["9007199254740993", "18446744073709551616", "-1.0e+300", "1.0e+22", "0x" + "f" * 120, "0.5"]
)
def test_numbers_come_back_from_store_exactly(number: str) -> None:
    result = load_text(rule_text(f"sel: {{A|gt: {number}, B: {number}}}"))
    assert result.problems == []
    assert decode_result(encode_result(result)) == result


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(text=rule_texts())
def test_random_rules_load_and_come_back_from_store(text: str) -> None:
    result = load_text(text)
    assert result.problems == []
    assert decode_result(encode_result(result)) == result
