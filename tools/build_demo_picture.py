"""Draws what `undertag demo` ends on as docs/images/demo.svg, for the README."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from undertag.apps.cli import demo
from undertag.apps.cli.loading import load_rule_set
from undertag.apps.cli.settings import Settings
from undertag.apps.demo import findings, screen

TARGET = Path(__file__).resolve().parent.parent / "docs" / "images" / "demo.svg"
WIDTH = 132


def main() -> None:
    """Runs the demo and writes the picture."""
    settings = Settings()
    loaded = load_rule_set([], settings, pack=True)
    with tempfile.TemporaryDirectory() as folder:
        summary = demo._run(Path(folder), loaded, settings)
        found = findings.find(Path(folder))
        console = Console(record=True, width=WIDTH, file=io.StringIO())
        screen.show(found, summary, "tagged", console)
    svg = console.export_svg(title="undertag demo", unique_id="demo")
    # The fonts that rich names lie on a host; any monospaced one will do.
    svg = re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
