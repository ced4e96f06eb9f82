"""Hypothesis strategies for rules and events that have a fair chance to meet.

Contract: fields, letters and numbers come from small alphabets shared by rules and events, so that matches
and near misses are common. `exprs()` gives trees as the loader makes them (patterns folded unless cased),
`rule_texts()` the text of whole rules, `events()` dicts as decoded from JSON.
"""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from undertag.match.scalars import fold
from undertag.model.expr import ANY, ONE, And, Expr, Not, Or, Test

FIELDS = ["A", "B", "C", "a.b", "a.b.c", "x"]
LETTERS = "abAB*?\\-éΣς1."
NUMBERS = [-1, 0, 1, 2, 5, 10, 4688, 10**16]
ADDRESSES = ["10.0.0.1", "10.1.2.3", "192.168.1.1", "::1", "fe80::1", "::ffff:10.0.0.1", "10.0.0.256"]
NETWORKS = ["10.0.0.0/8", "192.168.0.0/16", "::1/128", "fe80::/10", "0.0.0.0/0"]
TIMES = ["2024-01-01T00:00:00Z", "2024-12-30 23:05:09.123", "2021-06-15", "2024-02-31"]
EXPRESSIONS = ["a+b", "^a", "b$", "[ab]{2}", "(?:a|b)1", "a(?=b)", r"(a)\1", "", "é", r"\."]


def texts() -> st.SearchStrategy[str]:
    """Short texts that often hold each other."""
    return st.text(LETTERS, max_size=6)


def values() -> st.SearchStrategy[Any]:
    """Scalars, null included."""
    return st.one_of(
        texts(),
        st.sampled_from(NUMBERS),
        st.sampled_from([0.5, 1.0, -0.0, -1.5, 1e16, 1e22]),
        st.booleans(),
        st.none(),
        st.sampled_from(ADDRESSES + TIMES + ["0x5", "5.0"]),
    )


def field_contents() -> st.SearchStrategy[Any]:
    """What may stand under a key: a scalar, an array, an object, nested."""
    return st.recursive(
        values(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["b", "c", "A"]), inner, max_size=2)
        ),
        max_leaves=5,
    )


def events() -> st.SearchStrategy[dict[str, Any]]:
    """Events as decoded from JSON."""
    return st.dictionaries(
        st.sampled_from(["A", "B", "C", "a", "a.b", "x", "other"]), field_contents(), max_size=5
    )


def flat_events() -> st.SearchStrategy[dict[str, Any]]:
    """Events of scalars and arrays of scalars only."""
    content = st.one_of(values(), st.lists(values(), max_size=3))
    return st.dictionaries(st.sampled_from(["A", "B", "C", "x"]), content, max_size=4)


def globs() -> st.SearchStrategy[tuple[str | int, ...]]:
    """Globs over `ab`."""
    part: st.SearchStrategy[str | int] = st.one_of(
        st.sampled_from([ANY, ONE]), st.text("ab", min_size=1, max_size=3)
    )
    return st.lists(part, max_size=6).map(tuple)


def tests(fields: list[str] = FIELDS, *, keywords: bool = True) -> st.SearchStrategy[Test]:
    """Single tests of every operator."""
    field = st.sampled_from(fields)
    anywhere = st.one_of(field, st.none()) if keywords else field
    cased = st.booleans()

    @st.composite
    def textual(draw: st.DrawFn) -> Test:
        op = draw(st.sampled_from(["eq", "contains", "startswith", "endswith"]))
        is_cased, text = draw(cased), draw(texts())
        return Test(draw(anywhere), op, text if is_cased else fold(text), is_cased)

    flags = st.lists(st.sampled_from("ims"), unique=True).map(lambda chosen: "".join(sorted(chosen)))
    return st.one_of(
        textual(),
        st.builds(Test, anywhere, st.just("glob"), globs(), cased),
        st.builds(Test, anywhere, st.just("re"), st.sampled_from(EXPRESSIONS), st.just(False), flags),
        st.builds(Test, anywhere, st.just("cidr"), st.sampled_from(NETWORKS)),
        st.builds(
            Test, anywhere, st.sampled_from(["lt", "lte", "gt", "gte"]), st.sampled_from([*NUMBERS, 0.5])
        ),
        st.builds(
            Test, anywhere, st.sampled_from(["hour", "week", "year"]), st.sampled_from([0, 1, 23, 2024])
        ),
        st.builds(Test, field, st.just("exists"), st.booleans()),
        st.builds(Test, field, st.just("null"), st.none()),
        st.builds(
            Test,
            field,
            st.sampled_from(["fieldref", "fieldref_startswith", "fieldref_endswith", "fieldref_contains"]),
            field,
            cased,
        ),
    )


tests.__test__ = False  # type: ignore[attr-defined]  # no test for pytest to collect


def exprs(
    fields: list[str] = FIELDS, *, keywords: bool = True, max_leaves: int = 8
) -> st.SearchStrategy[Expr]:
    """Whole expressions."""
    leaf: st.SearchStrategy[Expr] = tests(fields, keywords=keywords)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, max_size=3).map(lambda args: And(tuple(args))),
            st.lists(inner, max_size=3).map(lambda args: Or(tuple(args))),
        ),
        max_leaves=max_leaves,
    )


_MODIFIED: list[tuple[str, st.SearchStrategy[Any]]] = [
    ("", st.one_of(texts(), st.sampled_from(NUMBERS), st.booleans(), st.none())),
    ("|contains", texts()),
    ("|startswith", texts()),
    ("|endswith", texts()),
    ("|cased", texts()),
    ("|contains|cased", texts()),
    ("|windash|contains", st.sampled_from(["-a", " /b", "a-b"])),
    ("|base64offset|contains", st.text("ab", min_size=1, max_size=4)),
    ("|wide|base64offset|contains", st.text("abé", min_size=1, max_size=3)),
    ("|re", st.sampled_from(EXPRESSIONS)),
    ("|re|i", st.sampled_from(EXPRESSIONS)),
    ("|cidr", st.sampled_from(NETWORKS)),
    ("|lt", st.sampled_from(NUMBERS)),
    ("|gte", st.sampled_from(NUMBERS)),
    ("|hour", st.sampled_from([0, 23])),
    ("|neq", st.one_of(texts(), st.sampled_from(NUMBERS))),
    ("|fieldref", st.sampled_from(FIELDS)),
]


def items() -> st.SearchStrategy[tuple[str, Any]]:
    """One line of a selection: key with modifiers, and one value or several."""

    def lines(pair: tuple[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[str, Any]]:
        suffix, value = pair
        keys = st.sampled_from(FIELDS).map(lambda field: field + suffix)
        several = st.tuples(keys, st.lists(value, min_size=1, max_size=3))
        linked = st.tuples(keys.map(lambda key: key + "|all"), st.lists(value, min_size=2, max_size=3))
        return st.one_of(st.tuples(keys, value), several, linked)

    existence = st.tuples(st.sampled_from(FIELDS).map(lambda field: f"{field}|exists"), st.booleans())
    return st.one_of(st.sampled_from(_MODIFIED).flatmap(lines), existence)


def selections() -> st.SearchStrategy[Any]:
    """A mapping, a list of mappings, or keywords."""
    mapping = st.lists(items(), min_size=1, max_size=3, unique_by=lambda item: item[0]).map(dict)
    keywords = st.lists(st.one_of(texts(), st.sampled_from(NUMBERS)), min_size=1, max_size=2)
    return st.one_of(mapping, st.lists(mapping, min_size=1, max_size=2), keywords)


CONDITIONS = [
    "s1",
    "s1 and not s2",
    "s1 or s2",
    "1 of s*",
    "all of them",
    "not 1 of them",
    "(s1 or s2) and not s3",
]


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    """The YAML text of a whole rule that loads."""
    detection = {name: draw(selections()) for name in ("s1", "s2", "s3")}
    document = {
        "title": "random",
        "logsource": {"product": "windows"},
        "detection": {**detection, "condition": draw(st.sampled_from(CONDITIONS))},
    }
    text: str = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    return text
