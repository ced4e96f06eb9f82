"""Names of files as they are shown."""

from __future__ import annotations

import pytest

from undertag.model.problem import printable

NAMES = {
    "plain": ("a b.yml", "a b.yml"),
    "no-break space": ("a\u00a0b", "a\u00a0b"),
    "ideographic space": ("a\u3000b", "a\u3000b"),
    "joiners": ("\u0645\u06cc\u200c\u062e \u0915\u094d\u200d\u0937", "\u0645\u06cc\u200c\u062e \u0915\u094d\u200d\u0937"),
    "private use": ("a\uf03ab", "a\uf03ab"),
    "escape sequence": ("\x1b[31m\n", r"\x1b[31m\n"),
    "line and paragraph": ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
    "turned direction": ("a\u202egpj.exe\u2066", r"a\u202egpj.exe\u2066"),
    "no UTF-8": ("a\udcff", r"a\udcff"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "shown"), NAMES.values(), ids=NAMES)
def test_only_what_would_disturb_is_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown
