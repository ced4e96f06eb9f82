"""Our tag rules: valid Sigma files, one observation a file, each proven by examples and counterexamples.

Contract: data and the check of the data; nothing here is read on import.
"""

from __future__ import annotations

from pathlib import Path


def pack_folder() -> str:
    """The folder that holds the rules of the pack, for the rule loader."""
    return str(Path(__file__).parent)
