"""Keywords are sought in the record's bytes: whatever spells a value otherwise must not hide one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.match.batches import batch_of, by_index, by_reference

from undertag.match.indexed import memory
from undertag.match.indexed.gate import Gate
from undertag.match.indexed.plan import Plan
from undertag.model.expr import Expr, Test
from undertag.read.normalise.other import OtherLayout

RULES: list[tuple[int, Expr]] = [
    (0, Test(None, "contains", "whoami")),
    (1, Test(None, "contains", "cat /etc/shadow")),
    (2, Test(None, "contains", "kernel evil")),
    (3, Test("A", "eq", "x")),
]
SPELT = {
    "a slash behind a backslash": (r'{"A":"cat \/etc\/shadow"}', "cat /etc/shadow", 1),
    "an escaped slash": (r'{"A":"cat \u002fetc\u002Fshadow"}', "cat /etc/shadow", 1),
    "a capital i with a dot": ('{"A":"WHOAM\u0130 /all"}', "WHOAM\u0130 /all", 0),
    "the same escaped": (r'{"A":"WHOAM\u0130 /all"}', "WHOAM\u0130 /all", 0),
    "the sign for Kelvin": ('{"A":"\u212aernel evil"}', "\u212aernel evil", 2),
    "the same escaped, in capitals": (r'{"A":"\u212Aernel evil"}', "\u212aernel evil", 2),
    "a reference": ('{"A":"&#8490;ernel evil"}', "\u212aernel evil", 2),
}


@pytest.mark.parametrize(
    "covered", [(), ("whoami", "shadow", "kernel evil")], ids=["heard here", "heard by the gate"]
)
@pytest.mark.parametrize("spelt", SPELT)
def test_however_json_spells_it(spelt: str, covered: tuple[str, ...]) -> None:
    raw, value, number = SPELT[spelt]
    gate = Gate(covered)
    events = [{"A": "x"}, {"A": value}, {"A": "y"}]
    batch = batch_of(events, gate)
    batch.raws[1] = raw.encode()
    batch.loud = sorted(gate.loud(batch.raws))
    expected = by_reference(RULES, events)
    assert (1, number) in expected
    assert by_index(Plan(RULES, gated=gate.covered), batch) == expected


@pytest.mark.parametrize("covered", [(), ("whoami", "shadow")], ids=["heard here", "heard by the gate"])
def test_values_that_the_bytes_do_not_show(covered: tuple[str, ...]) -> None:
    """auditd writes arguments in hexadecimal; XML may part a text."""
    gate = Gate(covered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "TRIALS", (1,))
        patch.setattr(memory, "WORTH", 1.0)
        made = Plan(RULES, gated=gate.covered)
        for value in ("", "", "y", "Cat /etc/shadow", "z", ["a", "WhoAmI"], "y"):
            events: list[dict[str, Any]] = [{"A": "x", "B": value}]
            batch = batch_of(events)
            batch.layout = OtherLayout(json=False)
            batch.raws[0] = b"a=78"
            batch.loud = sorted(gate.loud(batch.raws))
            assert by_index(made, batch) == by_reference(RULES, events)
