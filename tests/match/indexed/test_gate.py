"""A look at all bytes at once misses nothing that it was made to find."""

from __future__ import annotations

import pytest

from undertag.match.indexed.gate import MAX_LITERALS, Gate

GATE = Gate(["mimidrv.sys", " 123 ", "asp/backdoor ", "__viewstate="])
ROWS: dict[str, tuple[bytes, bool]] = {
    "nothing": (b'{"Image":"C:\\\\Windows\\\\explorer.exe"}', False),
    "a literal": (b'{"a":"mimidrv.sys"}', True),
    "a literal in capitals": (b'{"a":"MimiDrv.SYS"}', True),
    "blanks and digits": (b'{"a":"x 123 y"}', True),
    "signs": (b'{"a":"__VIEWSTATE=1"}', True),
    "half a literal": (b'{"a":"mimidrv"}', False),
    "at its very beginning": (b"mimidrv.sys}", True),
    "at its very end": (b"{mimidrv.sys", True),
    "an escaped letter": (b'{"a":"\\u006dimidrv"}', True),
    "an escape that is no letter": (b'{"a":"\\u2013"}', False),
    "a reference": (b'{"a":"&#x6d;imidrv"}', True),
    "beyond ASCII": ('{"a":"mümidrv.sys"}'.encode(), False),
    "our own name": (b'{"undertag":{}}', True),
    "nothing at all": (b"", False),
}


@pytest.mark.parametrize("read", ["one by one", "in lines", "in lines with an end"])
def test_loud_rows(read: str) -> None:
    raws = [raw for raw, _ in ROWS.values()]
    data = {"one by one": b"", "in lines": b"\n".join(raws), "in lines with an end": b"\n".join([*raws, b""])}
    loud = GATE.loud(raws, data[read])
    assert {name: row in loud for row, name in enumerate(ROWS)} == {
        name: loud for name, (_, loud) in ROWS.items()
    }


def test_nothing_to_look_at() -> None:
    assert GATE.loud([]) == set()


MANY = [f"{start}{number}" for number in range(40) for start in ("kerberos::", "lsadump::")]

CASES = {
    "few": (["mimikatz"], [], {"mimikatz"}),
    "a longer one with a shorter in it": (["mimikatz"], ["mimikatz.exe"], {"mimikatz", "mimikatz.exe"}),
    "as many others as there is room for": (
        ["a"],
        [f"b{n:03}" for n in range(99)],
        {"a"} | {f"b{n:03}" for n in range(MAX_LITERALS - 1)},
    ),
    "many that begin alike": (MANY, ["other"], {*MANY, "other"}),
    "many that don't": ([f"{n:05}" for n in range(99)], [], {f"{n:05}" for n in range(MAX_LITERALS)}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_covered_is_loud(name: str) -> None:
    first, others, covered = CASES[name]
    gate = Gate(first, others)
    assert gate.covered == covered
    for text in covered:
        assert gate.loud([b"quiet", b"some " + text.upper().encode() + b" here", b"quiet"]) == {1}


@pytest.mark.parametrize("raw", [b"mimi\\u006batz", b"mimi&#107;atz"])
def test_what_may_hide_letters_is_loud(raw: bytes) -> None:
    assert Gate(["mimikatz"]).loud([b"quiet", raw]) == {1}
