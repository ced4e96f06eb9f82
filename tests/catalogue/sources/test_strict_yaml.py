"""The strict reader: what other readers would read otherwise, or silently drop, is an error with its line."""

from __future__ import annotations

import pytest
import yaml

from undertag.catalogue.sources.strict_yaml import MAX_DEPTH, Lines, read_strict
from undertag.model.problem import CatalogueError

BAD = {
    "key twice": ("a: 1\nb: 2\na: 3\n", "UT301", 3),
    "key twice, deep": ("a:\n  b: {c: 1, c: 2}\n", "UT301", 2),
    "number twice under other spelling": ("1: a\n2: b\n1: c\n", "UT301", 3),
    "anchor": ("a: &x 1\nb: 2\n", "UT300", 1),
    "alias": ("a: &x [1]\nb: *x\n", "UT300", 1),
    "tag": ("a: 1\nb: !!python/object:os.system x\n", "UT300", 2),
    "on": ("a: 1\nstate: on\n", "UT300", 2),
    "No": ("state: No\n", "UT300", 1),
    "octal": ("id: 0777\n", "UT300", 1),
    "hexadecimal": ("id: 0x10\n", "UT300", 1),
    "sexagesimal": ("time: 1:30\n", "UT300", 1),
    "date": ("day: 2026-11-24\n", "UT300", 1),
    "exponent": ("n: 1e3\n", "UT300", 1),
    "key is a list": ("? [a]\n: b\n", "UT300", 1),
    "two documents": ("a: 1\n---\nb: 2\n", "UT300", 2),
    "no YAML": ("a: [1\n", "UT300", 2),
    "no UTF-8": ("a: \udcff\n", "UT300", None),
    "too deep": ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "UT300", 1),
}


@pytest.mark.parametrize(("text", "code", "line"), BAD.values(), ids=BAD.keys())
def test_is_refused(text: str, code: str, line: int | None) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_strict(text.encode("utf-8", "surrogateescape"), "file.yml")
    place = caught.value.problem.place
    assert caught.value.problem.code == code
    assert place is not None
    assert (place.source, place.line) == ("file.yml", line)


GOOD = {
    "quoted words": "a: 'on'\nb: \"no\"\n",
    "numbers": "a: 0\nb: -12\nc: 1.5\nd: 4688\n",
    "words": "a: true\nb: false\nc: null\nd: ~\ne:\nf: unknown\n",
    "texts like others": "a: 1.2.3\nb: 10.0/8\nc: a:b\nd: '010'\ne: ES_EVENT_TYPE\nf: -x\ng: 12 events\n",
    "nested": "a: {b: [1, {c: d}]}\nb:\n  - x\n  - e: f\n",
    "block": "a: |\n  on\n  off\nb: >-\n  folded\n  text\n",
    "empty": "",
}


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD.keys())
def test_reads_as_other_readers_do(text: str) -> None:
    assert read_strict(text.encode(), "file.yml") == yaml.safe_load(text)


def test_tells_lines_of_keys() -> None:
    lines = Lines()
    read_strict(b"a: 1\nentries:\n  7045:\n    title: x\n", "file.yml", lines)
    assert lines == {("a",): 1, ("entries",): 2, ("entries", 7045): 3, ("entries", 7045, "title"): 4}


def test_bounds_the_size() -> None:
    with pytest.raises(CatalogueError, match="larger than"):
        read_strict(b"#" * (9 << 20), "file.yml")
