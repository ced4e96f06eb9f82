"""Where the recordings are that some tests run against."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("UNDERTAG_CORPORA", Path(__file__).resolve().parents[2] / "shared" / "corpora"))


def corpus(*parts: str) -> Path:
    """A folder of the corpora; skips the test where it is absent."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no {path}: set UNDERTAG_CORPORA to the folder of recordings")
    return path


def sigma_rules(*folders: str) -> list[str]:
    """Rule folders of SigmaHQ; all three where none is named."""
    return [
        str(corpus("sigma", name))
        for name in folders or ("rules", "rules-emerging-threats", "rules-threat-hunting")
    ]
