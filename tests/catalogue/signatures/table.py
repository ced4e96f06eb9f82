"""Tables of names: vendor, name, and the parts that must be read.

`*`: not checked. `a|b`: either; an empty alternative (`a|`) accepts that nothing was read. Letter case and spaces in a family don't
matter where alternatives are compared, and a family may be given under its usual name or as the vendor spells it.
"""

from __future__ import annotations

from pathlib import Path

from undertag.catalogue.signatures import SignatureName

COLUMNS = ("type", "platform", "family", "variant")


def read_cases(path: Path) -> list[dict[str, str]]:
    """The rows by column; lines that begin with `#` are remarks."""
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    names = head.split("\t")
    return [dict(zip(names, row.split("\t"), strict=True)) for row in rows if row and not row.startswith("#")]


def agrees(case: dict[str, str], column: str, found: SignatureName) -> bool:
    """Whether one part was read as one of the case's alternatives."""
    wanted = {_same(alternative) for alternative in case[column].split("|")}
    if "*" in wanted or _same(getattr(found, column)) in wanted:
        return True
    return column == "family" and bool(found.family) and _same(found.family_word) in wanted


def _same(text: str) -> str:
    return text.lower().replace(" ", "")


CASES = read_cases(Path(__file__).parent / "cases.tsv")
INDEPENDENT = read_cases(Path(__file__).parent / "independent.tsv")
"""Written by someone who hadn't seen the reader, nor its tables."""
