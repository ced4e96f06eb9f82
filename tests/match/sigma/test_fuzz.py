"""Whatever stands in a rule file, loading ends with rules and problems, never with a raised error."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.match.modifier_cases import load_text

from undertag.match.sigma.files import RuleFile
from undertag.match.sigma.load import load_files
from undertag.match.sigma.modifiers import MODIFIERS
from undertag.match.sigma.stored import decode_result, encode_result

DOCUMENTS: list[dict[str, Any]] = [
    {
        "title": "x",
        "id": "11111111-1111-4111-8111-111111111111",
        "name": "n",
        "level": "low",
        "status": "test",
        "tags": ["attack.t1003"],
        "falsepositives": ["none"],
        "undertag": {"benign": ["x"]},
        "logsource": {"product": "windows", "category": "c", "service": "s", "definition": "d"},
        "detection": {
            "sel": {"A|contains": ["x", 1]},
            "other": [{"B": None}, "kw"],
            "condition": ["sel", "other"],
        },
    },
    {
        "title": "f",
        "logsource": {"product": "windows"},
        "filter": {"rules": ["n"], "sel": {"A": 1}, "condition": "not sel"},
    },
    {"title": "c", "correlation": {"type": "event_count"}},
    {"action": "global", "title": "g"},
]

ODD: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.dates(),
        st.binary(max_size=3),
        st.sampled_from(
            ["any", "global", "repeat", "reset", "%x%", "1 of them", "*", "a|b", "(?=x)", "[", ""]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all nodes."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """One of the documents with one node replaced, as YAML."""
    document: Any = copy.deepcopy(draw(st.sampled_from(DOCUMENTS)))
    path = draw(st.sampled_from(places(document)))
    odd = draw(ODD)
    if path:
        target = document
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = odd
    else:
        document = odd
    text: str = yaml.safe_dump(document, allow_unicode=True)
    return text


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(text=mutated())
def test_odd_values_anywhere(text: str) -> None:
    result = load_text(text + "---\n" + yaml.safe_dump(DOCUMENTS[0]))
    assert decode_result(encode_result(result)) == result


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(st.sampled_from([*MODIFIERS, "bogus", ""]), max_size=4),
    value=ODD,
    field=st.sampled_from(["A", ""]),
)
def test_any_chain_of_modifiers_on_any_value(names: list[str], value: Any, field: str) -> None:
    document = copy.deepcopy(DOCUMENTS[0])
    document["detection"] = {"sel": {"|".join([field, *names]): value}, "condition": "sel"}
    result = load_text(yaml.safe_dump(document), {"x": ["1", "*"]})
    assert len(result.rules) + len(result.rejected) == 1
    assert decode_result(encode_result(result)) == result


@given(condition=st.text("sel()not and or 1 of them*_|", max_size=40))
def test_any_condition(condition: str) -> None:
    document = copy.deepcopy(DOCUMENTS[0])
    document["detection"]["condition"] = condition
    result = load_text(yaml.safe_dump(document))
    assert len(result.rules) + len(result.rejected) == 1


@given(
    data=st.one_of(
        st.binary(max_size=60), st.text("abc:-[]{}&*<!|>\"'#%@\n\t ?,", max_size=60).map(str.encode)
    )
)
def test_any_bytes(data: bytes) -> None:
    load_files([RuleFile(name="x", shown="x", data=data)], [], placeholders={}, pack=False)
