"""The example that ships with undertag: a made-up week of two Windows systems with one attack in it.

Contract: `week.jsonl.zst` (events, as the `evtx` library gives them) and `truth.json` (which of them belong to the
attack: system → channel → record numbers) are written by tools/build_demo.py and read when asked for. What is said of
them is counted from a run, never written down.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def week_file() -> Path:
    """The events of the week."""
    return _FOLDER / "week.jsonl.zst"


def truth_file() -> Path:
    """Which events belong to the attack."""
    return _FOLDER / "truth.json"
