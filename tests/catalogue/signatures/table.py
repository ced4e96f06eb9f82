"""The names of cases.tsv: vendor, name, and the parts that must be read (`*`: not checked)."""

from __future__ import annotations

from pathlib import Path

COLUMNS = ("type", "platform", "family", "variant")


def read_cases(path: Path) -> list[dict[str, str]]:
    """The rows by column; lines that begin with `#` are remarks."""
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    names = head.split("\t")
    return [dict(zip(names, row.split("\t"), strict=True)) for row in rows if row and not row.startswith("#")]


CASES = read_cases(Path(__file__).parent / "cases.tsv")
