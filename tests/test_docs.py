"""The generated reference is what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "tools" / "build_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reference_is_fresh() -> None:
    made = builder()
    for name, text in (("cli.md", made.command_page()), ("problems.md", made.problem_page())):
        assert (ROOT / "docs" / "reference" / name).read_text() == text, (
            f"{name} is stale: run tools/build_docs.py"
        )


def test_every_command_and_option_is_described() -> None:
    page = builder().command_page()
    assert page.count("\n## undertag ") >= 15
    assert "|  |" not in page, "an option without help"


def test_every_problem_code_is_said_in_words() -> None:
    rows = [row for row in builder().problem_page().splitlines() if row.startswith("| UT")]
    assert len(rows) > 100
    for row in rows:
        assert "(see the message)" not in row, f"say it in tools/build_docs.py: {row}"


def test_every_problem_code_has_its_words_in_one_place() -> None:
    twice = {code: said for code, said in builder().meanings().items() if len(said) > 1}
    assert not twice


def test_links_between_pages_lead_somewhere() -> None:
    import re

    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
