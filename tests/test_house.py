"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import undertag

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "undertag"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 300
ROOMS_THAT_ARE_NO_ROOMS = {"utils", "util", "helpers", "helper", "common", "core", "misc"}


def tracked() -> list[Path]:
    """All files that would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("no git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_states_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "no docstring"
    assert text.count("\n") <= MAX_LINES, "too long to be one thing"


def test_no_room_for_odds_and_ends() -> None:
    names = {part for path in MODULES for part in path.relative_to(SOURCE).with_suffix("").parts}
    assert not names & ROOMS_THAT_ARE_NO_ROOMS


def documented() -> Iterator[tuple[str, object]]:
    for name in undertag.__all__:
        if name == "__version__":
            continue
        thing = getattr(undertag, name)
        yield name, thing
        for member, value in vars(thing).items() if inspect.isclass(thing) else ():
            if not member.startswith("_") and inspect.isfunction(value):
                yield f"{name}.{member}", value


@pytest.mark.parametrize(("name", "thing"), list(documented()), ids=[name for name, _ in documented()])
def test_public_names_are_documented(name: str, thing: object) -> None:
    assert inspect.getdoc(thing), f"{name} has no docstring"
    assert not (thing.__doc__ or "").startswith(f"{getattr(thing, '__name__', name)}("), "only a signature"


def test_all_public_names_are_there_and_nothing_else() -> None:
    assert set(undertag.__all__) == set(undertag._HOMES) | {"__version__"}
    with pytest.raises(AttributeError):
        _ = undertag.nothing_of_the_kind


FORBIDDEN = {
    "a place on somebody's machine": re.compile(rb"(?<![\w.])/(?:work|home|Users|root)/[a-z]"),
    "a registry's host": re.compile(
        rb"(?:index-url|extra-index|trusted-host|pypi\.org/simple|files\.pythonhosted\.org|registry\.npmjs|crates\.io/api|proxy\.golang)",
        re.I,
    ),
    "who wrote it": re.compile(rb"Co-Authored-By|\bas an AI\b|language model", re.I),
}
CONTENT = ("src/undertag/catalogue/data/", "docs/reference/catalogue")
"""The catalogue and the pages made from it name whatever products log, language models among them."""
FREE = {"tests/test_house.py", "Makefile"}
"""This file names what it forbids; the Makefile turns addresses off by naming the options that would print them."""


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_names(what: str) -> None:
    pattern = FORBIDDEN[what]
    found = []
    for path in tracked():
        name = str(path.relative_to(ROOT))
        if name in FREE or path.stat().st_size > 4 << 20 or name.startswith(CONTENT):
            continue
        data = path.read_bytes()
        if b"\0" in data[:4096]:
            continue
        found += [f"{name}: {match[0].decode()}" for match in pattern.finditer(data)]
    assert found == []


def test_no_cyclic_or_sideways_import_is_excused() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "ignore_imports" not in text
    assert "lint-imports" in (ROOT / "Makefile").read_text(encoding="utf-8")
