"""The pages of the catalogue's reference are those of the shipped catalogue, and everything stands in them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # tools import one another by their bare names
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return tool("build_catalogue_docs")


@pytest.fixture(scope="module")
def book_pages(builder: ModuleType) -> dict[str, str]:
    made: dict[str, str] = tool("build_antivirus_docs").pages()
    return made


@pytest.fixture(scope="module")
def pages(builder: ModuleType) -> dict[str, str]:
    made: dict[str, str] = builder.pages()
    return made


def test_pages_are_fresh(pages: dict[str, str]) -> None:
    stale = [
        name
        for name, text in pages.items()
        if (ROOT / "docs/reference" / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run tools/build_catalogue_docs.py"


def test_alternatives_are_told_from_needs_that_must_all_be_met(pages: dict[str, str]) -> None:
    rows = {
        line.split("|")[1].strip(): line
        for line in pages["catalogue/windows.md"].partition("## windows/security\n")[2].splitlines()
        if line.startswith("| `")
    }
    assert "| `audit/logon` or `audit/account-lockout` |" in rows["`4625`"]
    assert "| `audit/registry`, `sacl/registry` or `sacl/global-registry` |" in rows["`4657`"]


def test_the_book_is_fresh(book_pages: dict[str, str]) -> None:
    folder = ROOT / "docs/reference"
    have = {path.relative_to(folder).as_posix() for path in folder.glob("antivirus/*.md")} | {"antivirus.md"}
    stale = [name for name, text in book_pages.items() if (folder / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run tools/build_antivirus_docs.py"
    assert have == book_pages.keys()


def test_a_product_is_told_from_top_to_bottom(book_pages: dict[str, str]) -> None:
    page = book_pages["antivirus/eset-protect.md"]
    parts = (
        "What to switch on",
        "What each type is worth",
        "What it will never tell",
        "How its names are to be read",
        "Sources",
    )
    places = [page.index(f"## {part}") for part in parts]
    assert places == sorted(places)
    assert "| `Threat_Event` |" in page


def test_every_name_and_correction_is_published(pages: dict[str, str]) -> None:
    page = pages["catalogue.md"]
    for part in (
        "Detonation chamber",
        "Dynamic metadata extraction",
        "### Corrections",
        "### Pairs that lead nowhere",
    ):
        assert part in page
    assert "| `WinEventLog:Security` | EventCode=1074 |" in page


def test_a_table_of_markdown_survives_any_text(builder: ModuleType) -> None:
    assert builder.cell("a|b\nc *d* <e>") == "a\\|b c \\*d\\* &lt;e&gt;"


def test_the_search_page_needs_no_network_and_ends_no_script(pages: dict[str, str]) -> None:
    page = pages["catalogue-search.html"]
    assert "http" not in page.replace("https", "http").split("const DATA=")[0]
    assert page.count("</script>") == 1
