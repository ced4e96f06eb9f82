"""Lines are spliced, never rewritten, and what they add is what the schema says."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import jsonschema
import orjson
import pytest
from tests.match.batches import batch_of

from undertag.model.batch import Batch
from undertag.read.normalise.other import OtherLayout
from undertag.write.events import NewUid, Tagged
from undertag.write.jsonl import LineRenderer, Lines, with_uid


class Tags:
    names = ("obs.x.y",)
    json = b'[{"tag":"obs.x.y","kind":"obs","title":"undertag: X","rules":["r"]}]'


SCHEMA: dict[str, Any] = orjson.loads(files("undertag.write").joinpath("event.schema.json").read_bytes())
HIT = Tagged(b'[{"id":"r","title":"X","level":"low","hash":"00","evidence":[]}]', Tags())


def lines_of(batch: Batch, tagged: dict[int, Tagged], *, only_tagged: bool = False) -> list[bytes]:
    renderer = LineRenderer(attack_version="19", only_tagged=only_tagged)
    lines = renderer.start()
    renderer.render(batch, tagged, lines)
    return [b"".join(lines[number]) for number in sorted(lines)]


@pytest.mark.parametrize(
    "event",
    [
        {"a": 1},
        {},
        {"undertag": {"old": 1}, "a": [1, {"b": None}]},
        {"a": 'ünï \\ " \n'},
        {"x": {"undertag": 1}},
    ],
    ids=["plain", "empty object", "tagged before", "escapes", "a key of that name inside"],
)
@pytest.mark.parametrize("tagged", [{}, {0: HIT}], ids=["no hit", "a hit"])
def test_line_is_the_record_and_one_object(event: dict[str, Any], tagged: dict[int, Tagged]) -> None:
    (line,) = lines_of(batch_of([event]), tagged)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    record = orjson.loads(line)
    said = record.pop("undertag")
    assert record == {key: value for key, value in event.items() if key != "undertag"}
    jsonschema.validate(said, SCHEMA)
    assert [tag["tag"] for tag in said["tags"]] == (["obs.x.y"] if tagged else [])


def test_bytes_of_the_record_stay_untouched() -> None:
    batch = batch_of([{}])
    batch.raws[0] = b'{"b":1.50,"a":"\\u0041","b":2}'
    (line,) = lines_of(batch, {})
    assert line.startswith(b'{"b":1.50,"a":"\\u0041","b":2,"undertag":{')


def test_a_record_that_is_no_json_keeps_its_text() -> None:
    batch = batch_of([{"EventID": "1"}])
    batch.layout = OtherLayout(json=False)
    batch.raws[0] = b"1;x"
    record = orjson.loads(lines_of(batch, {})[0])
    assert record["EventID"] == "1"
    assert record["undertag"]["raw"] == "1;x"
    jsonschema.validate(record["undertag"], SCHEMA)


@pytest.mark.parametrize("loud", [None, []], ids=["not looked at", "nothing loud"])
@pytest.mark.parametrize(
    "raw", [b'{"a":"\xff"}', b'{"a":"\xfe","undertag":1}'], ids=["a record", "tagged before"]
)
def test_a_record_with_invalid_utf8_is_written_mended(raw: bytes, loud: list[int] | None) -> None:
    batch = batch_of([{"a": "\ufffd"}])
    batch.layout, batch.loud = OtherLayout(json=True, mended=True), loud
    batch.raws[0] = raw
    (line,) = lines_of(batch, {})
    record = orjson.loads(line)
    assert record["a"] == "\ufffd"
    jsonschema.validate(record["undertag"], SCHEMA)
    assert batch.raws[0] == raw


def test_only_tagged_leaves_the_others_out() -> None:
    batch = batch_of([{"a": 1}, {"a": 2}, {"a": 3}])
    assert [orjson.loads(line)["a"] for line in lines_of(batch, {1: HIT}, only_tagged=True)] == [2]


def test_new_uid_is_put_where_the_old_one_was() -> None:
    old, new = bytes(range(16)), bytes(range(16, 32))
    forged = b'{"x":"\\"event_uid\\":\\"%b\\""' % old.hex().encode()
    line = forged + b',"undertag":{"event_uid":"' + old.hex().encode() + b'"}}\n'
    parts = (forged, line[len(forged) : -3], line[-3:])
    changed = b"".join(with_uid(parts, old, new))
    assert orjson.loads(changed)["undertag"]["event_uid"] == new.hex()
    assert orjson.loads(changed)["x"] == orjson.loads(line)["x"]
    lines = Lines()
    lines[7], lines[0] = parts, (b"", b"{}", b"\n")
    assert lines.joined() == b"{}\n" + b"".join(parts)
    assert lines.joined([NewUid(7, old, new), NewUid(3, old, new)]) == b"{}\n" + changed
