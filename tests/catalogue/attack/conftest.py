"""Keeps the tests away from the releases that the machine's user has imported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from undertag.catalogue.attack.resolve import forget


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder of the test's own."""
    folder = tmp_path / "data"
    monkeypatch.setenv("UNDERTAG_DATA", str(folder))
    forget()
    yield folder
    forget()
