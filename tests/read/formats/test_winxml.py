"""Windows events as XML: the same documents as from EVTX, and nothing that XML could do to us."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evtx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.read.reading import CORPORA, needs_corpora, read_all, write

from undertag.read.formats import runs

NS = 'xmlns="http://schemas.microsoft.com/win/2004/08/events/event"'
EVENT = f"""<Event {NS}>
  <System>
    <Provider Name="P" Guid="{{G}}"/>
    <EventID Qualifiers="16384">4688</EventID>
    <Level>4</Level>
    <Keywords>0x8020000000000000</Keywords>
    <TimeCreated SystemTime="2026-01-02T03:04:05.678Z"/>
    <Correlation/>
    <Execution ProcessID="4" ThreadID="72"/>
    <Channel>Security</Channel>
  </System>
  <EventData>
    <Data Name="CommandLine">cmd /c &lt;x&gt; &amp; "y"</Data>
    <Data Name="Empty"></Data>
  </EventData>
</Event>"""
DOC = {
    "Event": {
        "System": {
            "Provider": {"#attributes": {"Name": "P", "Guid": "{G}"}},
            "EventID": {"#attributes": {"Qualifiers": 16384}, "#text": 4688},
            "Level": 4,
            "Keywords": "0x8020000000000000",
            "TimeCreated": {"#attributes": {"SystemTime": "2026-01-02T03:04:05.678Z"}},
            "Correlation": None,
            "Execution": {"#attributes": {"ProcessID": 4, "ThreadID": 72}},
            "Channel": "Security",
        },
        "EventData": {"CommandLine": 'cmd /c <x> & "y"', "Empty": ""},
    }
}

FORMS = {
    "one": (EVENT, 1),
    "several": (EVENT + EVENT, 2),
    "several, a line each": ("\n".join([EVENT.replace("\n", "")] * 3), 3),
    "a root": (
        f"<?xml version='1.0' encoding='utf-8'?>\r\n<Events>\n{EVENT}\n<!-- - -->{EVENT}</Events>\n",
        2,
    ),
    "several declarations": (f"<?xml version='1.0'?>{EVENT}<?xml version='1.0'?>{EVENT}", 2),
}


@pytest.mark.parametrize("unit_bytes", [1, 900, 1 << 20])
@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str, unit_bytes: int, tmp_path: Path) -> None:
    text, count = FORMS[name]
    for data in (
        text.encode(),
        gzip.compress(text.encode()),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
    ):
        found = read_all(write(tmp_path, "x.evtx", data), unit_bytes=unit_bytes)
        assert (found.docs, found.codes, found.formats) == ([DOC] * count, [], {"winxml"})
        assert all(raw.startswith(b"<Event ") and raw.endswith(b"</Event>") for raw in found.raws)


def _event(inside: str) -> str:
    return f"<Event {NS}>{inside}</Event>"


def _data(inside: str) -> str:
    return f"<EventData>{inside}</EventData>"


BODIES: dict[str, tuple[str, object]] = {
    "unnamed data": (_data("<Data>a</Data><Data>b</Data>"), {"EventData": {"Data": {"#text": ["a", "b"]}}}),
    "one unnamed": (_data("<Data>a</Data>"), {"EventData": {"Data": {"#text": "a"}}}),
    "binary": (_data("<Binary>00FF</Binary>"), {"EventData": {"Binary": "00FF"}}),
    "a name twice": (
        _data('<Data Name="a">1</Data><Data Name="a">2</Data>'),
        {"EventData": {"a": "1", "a_1": "2"}},
    ),
    "no data": ("<EventData/>", {"EventData": None}),
    "user data": (
        '<UserData><X xmlns="u"><A>1</A><B c="d">2</B></X></UserData>',
        {"UserData": {"X": {"A": "1", "B": {"#attributes": {"c": "d"}, "#text": "2"}}}},
    ),
    "empty user data": ("<UserData><X><A/><B></B></X></UserData>", {"UserData": {"X": {"A": "", "B": ""}}}),
    "no user data": ("<UserData/>", {"UserData": None}),
    "rendering": (
        "<RenderingInfo Culture='en'><Message>m</Message></RenderingInfo>",
        {"RenderingInfo": {"#attributes": {"Culture": "en"}, "Message": "m"}},
    ),
    "an event ID that is none": ("<System><EventID>x</EventID></System>", {"System": {"EventID": "x"}}),
    "an event ID beyond reason": (
        f"<System><EventID>{'9' * 50}</EventID></System>",
        {"System": {"EventID": "9" * 50}},
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(name: str, tmp_path: Path) -> None:
    inside, expected = BODIES[name]
    assert read_all(write(tmp_path, "x", _event(inside).encode())).docs == [{"Event": expected}]


OWN_ENTITY = '<!DOCTYPE x [<!ENTITY a "b">]>'
FILE_ENTITY = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'

DAMAGED: dict[str, tuple[str, int, list[str]]] = {
    "not closed": (f"{EVENT}<Event {NS}><System>{EVENT}", 2, ["UT111"]),
    "last not closed": (f"{EVENT}<Event {NS}><System>", 1, ["UT111"]),
    "not well-formed": (EVENT + _event("<System></EventData>") + EVENT, 2, ["UT111"]),
    "junk between": (f"{EVENT}junk{EVENT}", 2, ["UT111"]),
    "closed twice": (f"{EVENT}</Event>{EVENT}", 2, ["UT111"]),
    "an entity of its own": (OWN_ENTITY + _event(_data("&a;")) + EVENT, 1, ["UT111"] * 2),
    "an entity from a file": (FILE_ENTITY + _event(_data("&a;")) + EVENT, 1, ["UT111"]),
    "deep": (_event("<a>" * 100_000 + "</a>" * 100_000) + EVENT, 1, ["UT111"]),
    "a forbidden character": (EVENT + _event(_data("<Data>a\x0fb&#x2;</Data>")), 2, ["UT112"]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told_and_the_rest_read(name: str, tmp_path: Path) -> None:
    text, count, codes = DAMAGED[name]
    found = read_all(write(tmp_path, "x", text.encode()))
    assert (len(found.docs), found.codes) == (count, codes)
    assert "root:" not in str(found)


def test_forbidden_characters_are_replaced_and_kept_in_the_raw(tmp_path: Path) -> None:
    found = read_all(write(tmp_path, "x", _event("<EventData><Data>a\x0fb&#15;</Data></EventData>").encode()))
    assert found.docs == [{"Event": {"EventData": {"Data": {"#text": "a\ufffdb\ufffd"}}}}]
    assert b"\x0f" in found.raws[0]


def test_invalid_utf8_is_replaced(tmp_path: Path) -> None:
    found = read_all(
        write(tmp_path, "x", _event("<EventData><Data>\xe4</Data></EventData>").encode("latin-1"))
    )
    assert (found.docs, found.codes) == ([{"Event": {"EventData": {"Data": {"#text": "\ufffd"}}}}], ["UT112"])


def test_many_that_are_not_closed_take_linear_time(tmp_path: Path) -> None:
    found = read_all(write(tmp_path, "x", f"<Event {NS}>".encode() * 50_000))
    assert (found.raws, found.codes) == ([], ["UT111"])


def test_many_equal_names_take_linear_time(tmp_path: Path) -> None:
    text = _event(_data('<Data Name="a_7">x</Data>' + '<Data Name="a"/>' * 100_000))
    [doc] = read_all(write(tmp_path, "x", text.encode())).docs
    assert len(doc["Event"]["EventData"]) == 100_001


def test_an_event_beyond_the_bound_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MAX_RECORD_BYTES", 5000)
    long = _event(f"<EventData><Data>{'x' * 200_000}</Data></EventData>")
    for unit_bytes in (1, 100):
        found = read_all(write(tmp_path, "x", (EVENT + long + EVENT).encode()), unit_bytes=unit_bytes)
        assert (len(found.docs), found.codes) == (2, ["UT114"])


@given(
    st.lists(st.sampled_from([EVENT, "<Event ", "</Event>", ">", "<", "&", "]]>", "<!--", "\n", "x"])),
    st.integers(1, 2000),
)
def test_nearly_xml_never_stops_reading(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], unit_bytes: int
) -> None:
    path = write(tmp_path_factory.mktemp("x"), "x", (EVENT + "".join(parts)).encode())
    assert read_all(path, unit_bytes=unit_bytes).raws == read_all(path).raws


class TestCorpora:
    pytestmark = needs_corpora

    def test_the_same_documents_as_from_evtx(self, tmp_path: Path) -> None:
        """But for what XML doesn't tell: whether a value was a number, and whether it was empty or absent."""
        paths = sorted((CORPORA / "evtx-attack-samples" / "Execution").glob("*.evtx"))
        texts: list[Any] = []
        documents: list[Any] = []
        for path in paths:
            texts += [record["data"] for record in _iterate(evtx.PyEvtxParser(str(path), 1).records())]
            documents += [
                orjson.loads(record["data"])
                for record in _iterate(evtx.PyEvtxParser(str(path), 1).records_json())
            ]
        found = read_all(write(tmp_path, "x", "".join(texts).encode()))
        assert len(found.docs) == len(documents) > 100
        for ours, theirs in zip(found.docs, documents, strict=True):
            assert _plain(ours["Event"]["System"]) == _plain(theirs["Event"]["System"])
            assert _plain(ours["Event"].get("EventData")) == _plain(theirs["Event"].get("EventData"))


def _iterate(records: Any) -> Iterator[dict[str, Any]]:
    return iter(records)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return (
        ""
        if value is None
        else str(value).replace("True", "true").replace("False", "false").replace("\r\n", "\n").strip()
    )
