"""What is fuzzed: each target takes any bytes and fails by raising. Nothing hostile may do more than cost time.

`TARGETS`: name → (function, bytes to begin with). The bytes are made here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson
import yaml

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.engine import Engine
from undertag.match.sigma.files import RuleFile
from undertag.match.sigma.load import load_files
from undertag.model.problem import Problem
from undertag.model.source import Records, Unit
from undertag.pipeline.way import Way
from undertag.read import records, units
from undertag.read.normalise.normaliser import Normaliser
from undertag.tag.tagger import Tagger
from undertag.write.jsonl import LineRenderer

EVENT: Final = (
    b'{"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,'
    b'"TimeCreated":{"#attributes":{"SystemTime":"2026-01-01T00:00:00.000000Z"}},'
    b'"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"c"},'
    b'"EventData":{"CommandLine":"zzz -x","User":"u","ProcessId":7}}}\n'
)
FLAT: Final = (
    b'{"Channel":"Security","EventID":4688,"NewProcessName":"C:\\\\zzz.exe","EventTime":"2026-01-01"}\n'
)
XML: Final = (
    b'<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="p"/>'
    b"<EventID>1</EventID><Channel>Security</Channel></System><EventData><Data Name='a'>zzz</Data></EventData></Event>"
)
CSV: Final = b'EventID,Channel,CommandLine\n1,Security,zzz\n2,Security,"a\nb"\n'
RULE: Final = b"""title: x
id: 00000000-0000-4000-8000-000000000001
status: test
level: low
logsource: {product: windows, category: process_creation}
detection:
  a: {CommandLine|contains: zzz, User|re: 'u+', ProcessId|gt: 3}
  b: [zzz, 'q*']
  c: {Image: null, Hashes|exists: true}
  condition: 1 of a* or b and not c
"""


def _rules() -> list[RuleFile]:
    return [RuleFile(name="r.yml", shown="r.yml", data=RULE)]


def _way() -> Way:
    rules = load_files(_rules(), [], placeholders={}, pack=False).rules
    return Way(
        records=records,
        normaliser=Normaliser(windows_router(), other_router()),
        engine=Engine(rules),
        tagger=Tagger(rules),
        renderer=LineRenderer(attack_version="19"),
    )


_WAY = _way()


def reading(data: bytes) -> None:
    """Any bytes as a file: the same records however it is cut, and all the way to a line of output."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        found: list[list[bytes]] = []
        for unit_bytes in (64, 1 << 20):
            problems: list[Problem] = []
            parts = list(units([file.name], unit_bytes=unit_bytes, problems=problems))
            found.append([raw for unit in parts for raw in records(unit).raws])
        assert found[0] == found[1], "units change what is read"
        for unit in parts:
            _go(unit, len(records(unit).raws))


def normalising(data: bytes) -> None:
    """Any bytes as JSON lines: each line is one event or one problem, and what is written is JSON."""
    raws = [line for line in data.split(b"\n") if line.strip()]
    if raws:
        unit = Unit(source="x", source_no=0, format="jsonl", data=b"\n".join(raws))
        _go(unit, len(records(unit).raws))
        Normaliser(windows_router(), other_router()).normalise(unit, Records(raws=raws))


def _go(unit: Unit, count: int) -> None:
    outcome = _WAY.go((unit,))
    damaged = sum(
        problem.code == "UT111" and problem.severity == "error" for problem in outcome.tally.problems
    )
    assert outcome.tally.events <= count <= outcome.tally.events + damaged
    text = outcome.rendered.joined()  # type: ignore[attr-defined]
    written = text.split(b"\n")[:-1]
    assert len(written) == outcome.tally.events
    for line in written:
        said = orjson.loads(line[line.rindex(b'"undertag":') + 11 :][:-1])
        assert said["event_uid"]


def loading(data: bytes) -> None:
    """Any bytes as a rule file: rules, or problems that say why not."""
    result = load_files([RuleFile(name="x.yml", shown="x.yml", data=data)], [], placeholders={}, pack=False)
    if _says_something(data):
        assert result.rules or result.correlations or result.filters or result.problems, "lost without a word"
    for rule in result.rules:
        Engine([rule])


def _says_something(data: bytes) -> bool:
    """Whether YAML finds anything but null in the bytes, or can't read them."""
    try:
        documents = list(yaml.load_all(data, Loader=yaml.BaseLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return True
    return any(document not in (None, "", "~", "null", "Null", "NULL") for document in documents)


Target = Callable[[bytes], None]
TARGETS: Final[dict[str, tuple[Target, list[bytes]]]] = {
    "reading": (
        reading,
        [
            EVENT * 2,
            FLAT * 3,
            b"[" + EVENT + b"]",
            XML * 2,
            CSV,
            b"ElfFile\0" + bytes(120),
            b"PK\3\4",
            b"\x1f\x8b\x08\0",
        ],
    ),
    "normalising": (
        normalising,
        [EVENT, FLAT, EVENT + FLAT, EVENT.replace(b"7", b"1e999"), b'{"undertag":1}'],
    ),
    "loading": (
        loading,
        [RULE, b"---\n" + RULE, b"title: [x", b"a: &x [*x]", b"filter: {rules: [x]}\n"],
    ),
}


def corpus_folder(name: str) -> Path:
    """A fresh folder that holds a target's first inputs."""
    folder = Path(tempfile.mkdtemp(prefix=f"undertag-fuzz-{name}-"))
    for number, data in enumerate(TARGETS[name][1]):
        (folder / f"{number:02}").write_bytes(data)
    return folder
