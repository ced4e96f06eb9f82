"""What is wrong with a rule is said with its code, its line and what to do. Each case is one broken file."""

from __future__ import annotations

import pytest
from tests.match.modifier_cases import load_text

from undertag.match.sigma.codes import CODES

GOOD = """\
title: good
logsource: {product: windows}
detection:
  sel: {A: 1}
  condition: sel
"""


def broken(**changes: str) -> str:
    """The good rule with top-level parts replaced; an empty part is left out."""
    parts = {
        "title": "title: bad",
        "logsource": "logsource: {product: windows}",
        "detection": "detection:\n  sel: {A: 1}\n  condition: sel",
    }
    parts.update(changes)
    return "\n".join(part for part in parts.values() if part) + "\n"


def sel(line: str, condition: str = "sel") -> str:
    """The good rule with another selection, which stands in line 4, its first item in line 5."""
    return broken(detection=f"detection:\n  sel:\n    {line}\n  condition: {condition}")


ERRORS = {
    # name: (text, what the problem says)
    "tab for indentation": (
        "title: x\ndetection:\n\tsel: 1\n",
        "rule.yml:3: UT201 while scanning for the next token found character that cannot start any token "
        "(check indentation and quotes on this line)",
    ),
    "unclosed quote": (
        "title: 'x\n",
        "rule.yml:2: UT201 while scanning a quoted scalar found unexpected end of stream "
        "(check indentation and quotes on this line)",
    ),
    "python tag": (
        "title: !!python/object/apply:os.system ['x']\n",
        "rule.yml:1: UT201 tag tag:yaml.org,2002:python/object/apply:os.system is not allowed",
    ),
    "impossible date": (
        "date: 2024-02-31\n",
        "rule.yml:1: UT201 '2024-02-31' is no valid timestamp (quote the value)",
    ),
    "duplicate key": (
        sel("A: 1\n    B: 2\n    A: 3"),
        "rule.yml:7: UT202 key 'A' stands twice in one mapping; first in line 5 "
        "(rename one; for two sets of values on one field use `|all` or two selections)",
    ),
    "duplicate key by another spelling": (
        sel("1: x\n    0x1: y"),
        "rule.yml:6: UT202 key '1' stands twice in one mapping; first in line 5 "
        "(rename one; for two sets of values on one field use `|all` or two selections)",
    ),
    "recursive alias": (
        "a: &x [*x]\n",
        "rule.yml:1: UT201 alias *x comes before its anchor is complete",
    ),
    "no title": (broken(title=""), "rule.yml:1: UT206 no title (add `title:`)"),
    "title no text": (broken(title="title: 5"), "rule.yml:1: UT206 no title (add `title:`)"),
    "no log source": (
        broken(logsource=""),
        "rule.yml:1: UT206 no log source (give at least one of product, category, service)",
    ),
    "empty log source": (
        broken(logsource="logsource: {definition: x}"),
        "rule.yml:2: UT206 Sigma log source can't be empty (give at least one of product, category, service)",
    ),
    "log source no text": (
        broken(logsource="logsource: {product: [windows]}"),
        "rule.yml:2: UT206 log source product is no text (give at least one of product, category, service)",
    ),
    "no detection": (
        broken(detection=""),
        "rule.yml:1: UT206 no detection (add `detection:` with a selection and a condition)",
    ),
    "no condition": (
        broken(detection="detection:\n  sel: {A: 1}"),
        "rule.yml:4: UT206 no condition (add `condition: selection`)",
    ),
    "no selection": (
        broken(detection="detection:\n  condition: sel"),
        "rule.yml:4: UT215 no selection (add a selection)",
    ),
    "id no UUID": (
        broken(id="id: my-rule"),
        "rule.yml:6: UT207 id 'my-rule' is no UUID (give a random UUID, or leave the id out)",
    ),
    "unknown modifier": (
        sel("A: 1\n    B|beginswith: x"),
        "rule.yml:6: UT210 unknown modifier 'beginswith' in 'B|beginswith' (known: all, base64, "
        "base64offset, cased, cidr, contains, day, dotall, endswith, exists, expand, fieldref, gt, gte, "
        "hour, i, ignorecase, lt, lte, m, minute, month, multiline, neq, re, s, startswith, utf16, utf16be, "
        "utf16le, week, wide, windash, year)",
    ),
    "comparison with text": (
        sel("A|lt: '5'"),
        "rule.yml:5: UT211 'A|lt': Modifier SigmaLessThanModifier incompatible to value type of '5' "
        "(give a number, without quotes)",
    ),
    "existence of text": (
        sel("A|exists: 'yes'"),
        "rule.yml:5: UT211 'A|exists': Modifier SigmaExistsModifier incompatible to value type of 'yes' "
        "(give true or false, without quotes)",
    ),
    "contains null": (
        sel("A|contains: null"),
        "rule.yml:5: UT211 'A|contains': null takes no modifier (write `field: null`)",
    ),
    "base64 of a wildcard": (
        sel("A|base64: 'a*'"),
        "rule.yml:5: UT211 'A|base64': Base64 encoding of strings with wildcards is not allowed "
        "(see the modifier appendix of the Sigma specification)",
    ),
    "too many dashes": (
        sel("A|windash: '-a -b -c -d'"),
        "rule.yml:5: UT211 'A|windash': windash modifier expands at most three dash occurrences in one "
        "value; split multiple dash expansions into separate ORed string match conditions with one dash "
        "expanded (split it into several values with at most three dashes each)",
    ),
    "years compared": (
        sel("T|year|gt: 2020"),
        "rule.yml:5: UT211 `year` can't be compared with `gt` (list the years)",
    ),
    "unquoted date": (sel("A: 2024-01-01"), "rule.yml:5: UT211 'A': the value is a date (quote the value)"),
    "keyword null": (sel("- null"), "rule.yml:4: UT211 a keyword can't be null (name a field)"),
    "keyword compared with a field": (
        sel("'|fieldref': B"),
        "rule.yml:5: UT211 a keyword can't be compared with a field (name a field)",
    ),
    "regular expression": (
        sel("A|re: 'a('"),
        "rule.yml:5: UT212 regular expression not valid: missing ) at position 2; re2: missing ): a( "
        "(see PCRE's syntax)",
    ),
    "re after another modifier": (
        sel("A|base64|re: 'a'"),
        "rule.yml:5: UT212 'A|base64|re': Regular expression modifier only applicable to unmodified values "
        "(see the modifier appendix of the Sigma specification)",
    ),
    "network with host bits": (
        sel("A|cidr: 10.0.0.1/8"),
        "rule.yml:5: UT213 'A|cidr': Invalid CIDR expression: 10.0.0.1/8 has host bits set "
        "(give a network such as 10.0.0.0/8, without host bits)",
    ),
    "network that is none": (
        sel("A|cidr: intranet"),
        "rule.yml:5: UT213 'A|cidr': Invalid CIDR expression: 'intranet' does not appear to be an IPv4 or "
        "IPv6 network (give a network such as 10.0.0.0/8, without host bits)",
    ),
    "placeholder": (
        sel("A|expand: '%admins%'"),
        "rule.yml:5: UT214 placeholder %admins% has no setting (set placeholders.admins to a list of values)",
    ),
    "empty selection": (
        broken(detection="detection:\n  sel: {}\n  condition: sel"),
        "rule.yml:4: UT215 selection 'sel' is empty (give it a field or a keyword)",
    ),
    "null selection": (
        broken(detection="detection:\n  sel:\n  condition: sel"),
        "rule.yml:4: UT215 selection 'sel' is empty (give it a field or a keyword)",
    ),
    "empty list": (
        broken(detection="detection:\n  sel: []\n  condition: sel"),
        "rule.yml:4: UT215 selection 'sel' is empty (give it a field or a keyword)",
    ),
    "list in a list of values": (
        sel("A: [[x]]"),
        "rule.yml:5: UT215 'A': a value can't be a list or mapping (write several values as one flat list)",
    ),
    "condition in upper case": (
        sel("A: 1", "sel AND sel"),
        "rule.yml:6: UT220 condition can't be parsed: Expected end of text, found 'AND'  (at char 4), "
        "(line:1, col:5) (operators are `and`, `or`, `not`, `1 of`, `all of`, in lower case)",
    ),
    "condition no text": (
        sel("A: 1", "5"),
        "rule.yml:6: UT206 the condition is no text (write `condition: selection`)",
    ),
    "condition names nothing": (
        sel("A: 1", "sel and filter"),
        "rule.yml:6: UT221 condition names 'filter', which is no selection (selections: sel)",
    ),
    "pattern fits nothing": (
        sel("A: 1", "sel and not 1 of filter_*"),
        "rule.yml:6: UT221 '1 of filter_*' fits no selection (selections: sel)",
    ),
    "aggregation": (
        sel("A: 1", "sel | count() > 5"),
        "rule.yml:6: UT222 aggregation by `|` in the condition "
        "(use a correlation rule (Sigma 2) for counts over several events)",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_broken_rule_is_rejected_and_told(name: str) -> None:
    text, told = ERRORS[name]
    result = load_text(text)
    assert result.rules == []
    assert [str(problem)[: len(told)] for problem in result.rejected] == [told]
    assert CODES[result.rejected[0].code][0] == "error"


def test_every_error_code_about_content_has_a_case() -> None:
    told = {said.split("UT")[1][:3] for _, said in ERRORS.values()}
    elsewhere = {
        "200",
        "203",
        "208",
        "223",
        "230",
        "251",
    }  # files, bounds, duplicates, size, filters and the cache: other tests
    assert {code[2:] for code, (severity, _) in CODES.items() if severity == "error"} == told | elsewhere


WARNINGS = {
    "unknown level": (
        "level: severe",
        "rule.yml:6: UT240 level 'severe' is none of Sigma's; taken as medium",
    ),
    "tags no list": ("tags: attack.t1003", "rule.yml:6: UT240 tags is no list of texts"),
    "a tag no text": ("tags: [attack.t1003, 5]", "rule.yml:6: UT240 tags is no list of texts"),
    "status no text": ("status: [test]", "rule.yml:6: UT240 status is no text"),
    "our own key no mapping": ("undertag: benign", "rule.yml:6: UT240 `undertag` is no mapping"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_malformed_description_only_warns(name: str) -> None:
    line, told = WARNINGS[name]
    result = load_text(GOOD + line)
    assert [rule.title for rule in result.rules] == ["good"]
    assert [str(problem) for problem in result.problems] == [f"{told} (correct or remove it)"]
    assert result.rejected == []


INFOS = {
    "correlation": (
        "title: many\ncorrelation: {type: event_count, rules: [x], timespan: 1m}\n",
        "rule.yml:2: UT205 correlations are not evaluated yet: 'many'",
        (1, 0),
    ),
    "something else": (
        "services: {web: {image: x}}\n",
        "rule.yml:1: UT204 not a Sigma document: neither detection nor log source",
        (0, 1),
    ),
    "a list": ("- 1\n- 2\n", "rule.yml:1: UT204 not a Sigma document: no mapping", (0, 1)),
}


@pytest.mark.parametrize("name", INFOS)
def test_other_documents_are_counted_and_told(name: str) -> None:
    text, told, counts = INFOS[name]
    result = load_text(text)
    assert [str(problem) for problem in result.problems] == [told]
    assert (result.correlations, result.others) == counts
    assert result.rejected == []


def test_documents_before_a_broken_one_are_kept() -> None:
    result = load_text(GOOD + "---\ntitle: [\n")
    assert [rule.title for rule in result.rules] == ["good"]
    assert [problem.code for problem in result.rejected] == ["UT201"]


BOMBS = {
    "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)),
    "nested brackets": "a: " + "[" * 100_000,
    "nested dashes": "- " * 100_000 + "x",
    "nested maps": "{a: " * 100_000,
    "huge file": "a: " + "x" * (2 * 1024 * 1024),
    "base 60": "a: " + "1" + ":1" * 100_000,
    "many values": "a: [" + "1," * 300_000 + "]",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(name: str) -> None:
    result = load_text(BOMBS[name])
    assert [problem.code for problem in result.rejected] == ["UT203"]


DEEP = {
    "brackets": "(" * 5_000 + "sel" + ")" * 5_000,
    "nots": "not " * 2_000 + "sel",
    "long": " and ".join(["sel"] * 2_000),
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_conditions_are_refused(name: str) -> None:
    result = load_text(sel("A: 1", DEEP[name]))
    assert [problem.code for problem in result.rejected] == ["UT220"]


def test_condition_that_multiplies_selections_is_refused() -> None:
    values = ", ".join(str(number) for number in range(2_000))
    result = load_text(sel(f"A: [{values}]", " or ".join(["1 of them and sel"] * 50)))
    assert [problem.code for problem in result.rejected] == ["UT223"]


def test_placeholders_that_multiply_are_refused() -> None:
    many = {"a": [str(number) for number in range(200)]}
    result = load_text(sel("A|expand: '%a%%a%%a%%a%'"), many)
    assert [problem.code for problem in result.rejected] == ["UT223"]


def test_hostile_expression_is_harmless() -> None:
    import time

    from undertag.match.reference import match_event

    (rule,) = load_text(sel(r"A|re: '^(a+)+\1$'")).rules
    started = time.perf_counter()
    assert not match_event(rule, {"A": "a" * 5_000 + "b"})
    assert time.perf_counter() - started < 1
