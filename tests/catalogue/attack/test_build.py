"""The embedded files are what the script makes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from undertag.catalogue.attack.facts import DATA

ATTACK = Path(os.environ.get("UNDERTAG_CORPORA", "../shared/corpora")).parent / "attack"
SCRIPT = Path(__file__).parents[3] / "tools" / "build_attack.py"


@pytest.mark.corpora
@pytest.mark.skipif(not ATTACK.is_dir(), reason="needs the bundles of ATT&CK beside UNDERTAG_CORPORA")
def test_script_makes_the_embedded_files_again(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, SCRIPT, "--from", ATTACK, "--out", tmp_path], check=True, capture_output=True
    )
    for name in ("objects.json", "telemetry.json"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()
