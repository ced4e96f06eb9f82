"""Writes docs/reference/packs.md from the rules of the pack; `--check` only tells whether it is current."""

from __future__ import annotations

import sys
from pathlib import Path

from undertag.catalogue.attack import DEFAULT_VERSION
from undertag.packs import pack_folder
from undertag.packs.check import inspect_pack
from undertag.packs.pages import pack_page

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "packs.md"


def main(argv: list[str]) -> int:
    """Exit code: 0 written or current, 1 not current or the pack has findings."""
    report = inspect_pack(pack_folder())
    if report.findings:
        print("\n".join(map(str, report.findings)), file=sys.stderr)
        return 1
    page = pack_page(report, attack_version=DEFAULT_VERSION)
    if "--check" in argv:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
