"""The pages of the catalogue's reference are those of the shipped catalogue, and everything stands in them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "catalogue_docs", ROOT / "tools" / "build_catalogue_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
