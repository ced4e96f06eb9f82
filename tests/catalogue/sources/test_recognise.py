"""How rules of recognition are met: values, paths, templates, times, systems, lines, order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undertag.catalogue.sources.fields import text_at, value_at
from undertag.catalogue.sources.recognise import (
    Recognised,
    Recogniser,
    Rule,
    literal_start,
    parse_template,
)


def stored(
    where: dict[str, list[str]] | None = None,
    *keys: str,
    name: str = "rule",
    time: str = "",
    system: tuple[str, ...] = (),
    line: str = "",
) -> dict[str, Any]:
    """A rule as `recognition.compile_recognition` stores it."""
    rule = {
        "name": name,
        "where": where or {},
        "keys": list(keys or ("a/b/c",)),
        "time": time,
        "system": [*system],
    }
    return {**rule, "line": line} if line else rule


def found(doc: dict[str, Any], *rules: dict[str, Any], line: str | None = None) -> Recognised | None:
    met = Recogniser(rules).find(doc, line)
    return met[0] if met else None


VALUES: list[tuple[str, list[str], Any, bool]] = [
    ("equal", ["Alert"], "Alert", True),
    ("case is ignored", ["alert"], "ALERT", True),
    ("no part of it", ["alert"], "alerts", False),
    ("starts with", ["al*"], "ALERT", True),
    ("doesn't start with", ["al*"], "an alert", False),
    ("ends with", ["*.com"], "x.COM", True),
    ("doesn't end with", ["*.com"], "x.com.", False),
    ("contains", ["*le*"], "ALERT", True),
    ("doesn't contain", ["*lo*"], "alert", False),
    ("any", ["*"], "x", True),
    ("any, but not nothing", ["*"], None, False),
    ("any, an empty text", ["*"], "", True),
    ("any, an empty array", ["*"], [], False),
    ("any, an object", ["*"], {"a": 1}, True),
    ("an object is no text", ["{'a': 1}"], {"a": 1}, False),
    ("one of a list", ["a", "b"], "B", True),
    ("none of a list", ["a", "b"], "c", False),
    ("one of a list, a glob", ["a", "b*"], "bc", True),
    ("one of a list, beside a glob", ["a", "b*"], "A", True),
    ("none of a list with a glob", ["a", "b*"], "ab", False),
    ("number", ["7"], 7, True),
    ("number that isn't", ["7"], 77, False),
    ("true", ["true"], True, True),
    ("false", ["true"], False, False),
    ("first element", ["a"], ["a", "b"], True),
    ("another element", ["b"], ["a", "b"], False),
    ("characters of expressions", ["a.c"], "abc", False),
]


@pytest.mark.parametrize(("name", "wanted", "value", "met"), VALUES, ids=[row[0] for row in VALUES])
def test_values(name: str, wanted: list[str], value: Any, met: bool) -> None:
    assert (found({"f": value}, stored({"f": wanted})) is not None) is met


def test_only_the_first_characters_of_a_value_count() -> None:
    assert text_at({"f": "x" * 5_000}, ("f",)) == "x" * 1024


@pytest.mark.parametrize(
    ("doc", "met"),
    [({"a": "1", "b": "2"}, True), ({"a": "1"}, False), ({"a": "1", "b": "3"}, False), ({}, False)],
)
def test_all_of_where_must_hold(doc: dict[str, Any], met: bool) -> None:
    assert (found(doc, stored({"a": ["1"], "b": ["2"]})) is not None) is met


PATHS: list[tuple[str, Any, str, Any]] = [
    ("own name", {"a": 1}, "a", 1),
    ("steps", {"a": {"b": {"c": 1}}}, "a.b.c", 1),
    ("dotted name", {"a.b": 1}, "a.b", 1),
    ("dotted name before steps", {"a.b": 1, "a": {"b": 2}}, "a.b", 1),
    ("null under a dotted name", {"a.b": None, "a": {"b": 2}}, "a.b", 2),
    ("array under a dotted name", {"a.b": [[1], 2]}, "a.b", 1),
    ("array at the end", {"a": [1, 2]}, "a", 1),
    ("array on the way", {"a": [{"b": 1}, {"b": 2}]}, "a.b", 1),
    ("arrays within arrays", {"a": [[[{"b": [[1]]}]]]}, "a.b", 1),
    ("index", {"a": [{"b": 1}, {"b": 2}]}, "a.1.b", 2),
    ("index at the end", {"a": [1, 2]}, "a.1", 2),
    ("index beyond", {"a": [1, 2]}, "a.2", None),
    ("index far beyond", {"a": [1]}, "a.99999999999999999999", None),
    ("number as a name", {"a": {"1": "x"}}, "a.1", "x"),
    ("empty array", {"a": []}, "a", None),
    ("empty array on the way", {"a": []}, "a.b", None),
    ("object in a text", {"a": '{"b": {"c": 1}}'}, "a.b.c", 1),
    ("text in a text", {"a": '{"b": "{\\"c\\": 1}"}'}, "a.b.c", 1),
    ("array in a text", {"a": '[{"b": 1}, {"b": 2}]'}, "a.b", 1),
    ("index into an array in a text", {"a": '[{"b": 1}, {"b": 2}]'}, "a.1.b", 2),
    ("texts in an array", {"a": ['{"b": 1}']}, "a.b", 1),
    ("text that breaks off", {"a": '{"b": 1'}, "a.b", None),
    ("text that holds none", {"a": "b"}, "a.b", None),
    ("empty text", {"a": ""}, "a.b", None),
    ("text as a value stays one", {"a": '{"b": 1}'}, "a", '{"b": 1}'),
    ("number on the way", {"a": 1}, "a.b", None),
    ("missing", {"b": 1}, "a", None),
    ("no record", 7, "a", None),
]


@pytest.mark.parametrize(("name", "doc", "path", "expected"), PATHS, ids=[row[0] for row in PATHS])
def test_paths(name: str, doc: Any, path: str, expected: Any) -> None:
    assert value_at(doc, tuple(path.split("."))) == expected


@pytest.mark.parametrize(
    ("doc", "path"),
    [({"a": {"b": 1}}, "a.b"), ({"a.b": 1}, "a.b"), ({"a": ['{"b": 1}']}, "a.b")],
)
def test_a_rule_finds_what_a_path_finds(doc: dict[str, Any], path: str) -> None:
    assert found(doc, stored({path: ["1"]})) is not None


DOC = {
    "s": "IAM.amazonaws.com",
    "n": "Add member",
    "u": "/api/v1?x=1",
    "v": 7,
    "none": None,
    "empty": "",
    "o": {"p": "q"},
}
TEMPLATES: list[tuple[str, str, str | None]] = [
    ("no placeholder", "a/b/c", "a/b/c"),
    ("placeholder", "a/{s}", "a/IAM.amazonaws.com"),
    ("two", "a/{o.p}/{v}", "a/q/7"),
    ("key's own characters", "a/{n}", "a/Add-member"),
    ("nothing left of it", "a/{n|rest r}x", "a/unknownx"),
    ("lower", "a/{s|lower}", "a/iam.amazonaws.com"),
    ("suffix", "a/{s|-.amazonaws.com}", "a/IAM"),
    ("suffix that isn't there", "a/{s|-.com.cn}", "a/IAM.amazonaws.com"),
    ("suffix in another case", "a/{s|-.AMAZONAWS.COM}", "a/IAM.amazonaws.com"),
    ("first", "a/{u|first ?}", "a/api-v1"),
    ("first, of none", "a/{n|first ?}", "a/Add-member"),
    ("rest", "a/{u|rest ?}", "a/x=1"),
    ("rest, of none", "a/{n|rest ?}", None),
    ("last", "a/{u|last /}", "a/v1-x=1"),
    ("last, of none", "a/{n|last /}", "a/Add-member"),
    ("swap", "a/{u|swap / .}", "a/.api.v1-x=1"),
    ("swap for nothing", "a/{s|swap .}", "a/IAMamazonawscom"),
    ("filters in their order", "a/{u|first ?|last /|lower}", "a/v1"),
    ("missing", "a/{gone}", None),
    ("missing, filtered", "a/{gone|lower}", None),
    ("null", "a/{none}", None),
    ("empty", "a/{empty}", None),
    ("object", "a/{o}", None),
]


@pytest.mark.parametrize(("name", "template", "key"), TEMPLATES, ids=[row[0] for row in TEMPLATES])
def test_templates(name: str, template: str, key: str | None) -> None:
    doc = {**DOC, "n": "r///"} if name == "nothing left of it" else DOC
    assert parse_template(template)(doc) == key


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("a/{b", "brace"),
        ("a/b}", "brace"),
        ("a/{}", "brace"),
        ("a/{b||lower}", "brace"),
        ("a/{b|upper}", "upper"),
        ("a/{b|first}", "first"),
        ("a/{b|swap}", "swap"),
        ("a/{b|lower }", "lower"),
    ],
)
def test_malformed_templates(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_template(template)


@pytest.mark.parametrize(
    ("template", "start"), [("a/b", "a/b"), ("a/{b}/c", "a/"), ("{a}", ""), ("a/{b}{c}", "a/")]
)
def test_literal_start(template: str, start: str) -> None:
    assert literal_start(template) == start


def test_keys_stand_in_their_order_and_those_that_lack_a_value_are_left_out() -> None:
    rule = stored({}, "a/{x}/{y}", "a/{x}", "a/{z}", "a/other")
    met = found({"x": "1", "z": "2"}, rule)
    assert met is not None
    assert met.keys == ("a/1", "a/2", "a/other")


def test_a_rule_without_any_key_fits_nothing() -> None:
    assert found({"x": "1"}, stored({"x": ["*"]}, "a/{y}"), stored({}, name="second")).name == "second"  # type: ignore[union-attr]


def test_a_record_never_gets_the_keys_of_another() -> None:
    recogniser = Recogniser([stored({}, "a/{x}", "a/{y.z}")])
    docs: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"x": "1", "y": {"z": "2"}}, ("a/1", "a/2")),
        ({"x": "2", "y": {"z": "1"}}, ("a/2", "a/1")),
        ({"x": "1", "y": {"z": None}}, ("a/1",)),
        ({"x": None, "y": {"z": "1"}}, ("a/1",)),
        ({"x": 1, "y": '{"z": "2"}'}, ("a/1", "a/2")),
    ]
    for doc, keys in [*docs, *docs]:
        met = recogniser.find(doc)
        assert met is not None
        assert met[0].keys == keys


@pytest.mark.parametrize(
    ("time", "doc", "expected"),
    [
        ("", {"time": "t"}, None),
        ("t", {"t": "2026-01-01"}, "2026-01-01"),
        ("t", {"t": 17}, 17),
        ("a.t", {"a": {"t": [5]}}, 5),
        ("t", {}, None),
        ("date+time", {"date": "2026-01-01", "time": "10:00:00"}, "2026-01-01 10:00:00"),
        ("date+time", {"date": "2026-01-01"}, None),
        ("date+time", {"time": "10:00:00"}, None),
        ("a.date+a.time", {"a": {"date": "2026-01-01", "time": "10:00"}}, "2026-01-01 10:00"),
    ],
)
def test_time(time: str, doc: dict[str, Any], expected: Any) -> None:
    met = found(doc, stored({}, time=time))
    assert met is not None
    assert met.time == expected


@pytest.mark.parametrize(
    ("doc", "expected"),
    [
        ({"a": "one", "b": "two"}, "one"),
        ({"b": "two"}, "two"),
        ({"a": "", "b": 7}, "7"),
        ({"a": {"x": 1}, "b": "two"}, "two"),
        ({}, ""),
    ],
)
def test_system_is_the_first_that_is_there(doc: dict[str, Any], expected: str) -> None:
    met = found(doc, stored({}, system=("a", "b")))
    assert met is not None
    assert met.system == expected


def test_the_first_rule_that_fits_wins() -> None:
    rules = [
        stored({"a": ["1"]}, name="one"),
        stored({"a": ["*"]}, name="two"),
        stored({"b": ["*"]}, name="three"),
    ]
    for doc, name in (({"a": "1", "b": "x"}, "one"), ({"b": "x", "a": "2"}, "two"), ({"b": "x"}, "three")):
        met = found(doc, *rules)
        assert met is not None
        assert met.name == name
    assert found({"c": "1"}, *rules) is None


LINES: list[tuple[str, str, str, dict[str, str] | None]] = [
    ("anywhere", "b+(?P<x>c)", "abbcd", {"x": "c"}),
    ("not met", "^b", "abbcd", None),
    ("a group that isn't met", "(?P<x>q)?(?P<y>a)", "a", {"y": "a"}),
    ("no groups", "a", "a", {}),
    (
        "names of W3C",
        "(?P<cs_uri_stem>/[^ ]*) (?P<sc_status>[0-9]+) (?P<c_ip>[^ ]+) (?P<s_port>[0-9]+) (?P<other_name>.*)",
        "/a 200 10.0.0.1 80 x",
        {"cs-uri-stem": "/a", "sc-status": "200", "c-ip": "10.0.0.1", "s-port": "80", "other_name": "x"},
    ),
    ("not ASCII", "(?P<x>ü+)", "aüü", {"x": "üü"}),
]


@pytest.mark.parametrize(("name", "expression", "line", "groups"), LINES, ids=[row[0] for row in LINES])
def test_lines(name: str, expression: str, line: str, groups: dict[str, str] | None) -> None:
    met = Recogniser([stored({}, line=expression)]).find({"message": line}, line)
    assert (met[1] if met else None) == groups


def test_what_a_line_says_is_a_field_to_the_rule() -> None:
    rule = stored({"x": ["b"]}, "a/{x}/{p}", time="t", system=("h",), line="(?P<x>.) (?P<t>.) (?P<h>.)")
    met = found({"p": "q", "x": "hidden"}, {**rule, "where": {"p": ["q"]}}, line="b 1 2")
    assert met == Recognised("rule", ("a/b/q",), "1", "2")


def test_a_rule_for_lines_needs_one() -> None:
    assert found({"message": "a"}, stored({}, line="a")) is None


def test_of_rules_for_lines_the_first_that_fits_wins() -> None:
    rules = [
        stored({"p": ["1"]}, name="one", line="a"),
        stored({}, name="two", line="b"),
        stored({}, name="three", line="a"),
        stored({}, name="none"),
    ]
    for line, p, name in (("ab", "1", "one"), ("ab", "2", "two"), ("a", "2", "three"), ("c", "1", "none")):
        met = found({"p": p}, *rules, line=line)
        assert met is not None
        assert met.name == name


def test_shapes_remembered_are_bounded() -> None:
    recogniser = Recogniser([stored({"f": ["*"]})])
    for number in range(5_000):
        assert recogniser.find({f"n{number}": 1, "f": "x"}) is not None
    wide = {f"n{number:01000}": 1 for number in range(100)}
    before = len(recogniser._by_shape)
    assert before <= 4_096
    assert recogniser.find({**wide, "f": "x"}) is not None
    assert recogniser.find(wide) is None
    assert len(recogniser._by_shape) == before


def test_keys_remembered_are_bounded() -> None:
    rule = Rule(stored({}, "a/{f}"))
    for number in range(5_000):
        met = rule.apply({"f": number})
        assert met is not None
        assert met.keys == (f"a/{number}",)
    assert len(rule._memo) <= 4_096


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(['{"a": [1]}', "[", "{"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "0", "a.b", ""]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "a.b", "0", ""]), JSON, max_size=4),
    st.lists(st.sampled_from("ab0"), min_size=1, max_size=4),
)
def test_any_record_is_answered(doc: dict[str, Any], path: list[str]) -> None:
    text = text_at(doc, path)
    value = value_at(doc, path)
    assert (text is None) is (value is None)
    assert not isinstance(value, list)
    name = ".".join(path)
    met = found(doc, stored({name: ["*"]}, f"x/{{{name}}}"))
    assert (met is not None) is bool(text)
