"""The anti-virus book: each thing that its files can get wrong, on a small product with just that one fault; then what is shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from undertag.catalogue.signatures import load_reader
from undertag.catalogue.sources import book_schema, schema
from undertag.catalogue.sources.book import CHAPTERS, REQUIRED, book_problems
from undertag.catalogue.sources.building import compile_all
from undertag.catalogue.sources.figures import BOOK, figures
from undertag.catalogue.sources.files import DATA, Read, read_curated
from undertag.catalogue.sources.links import merged
from undertag.catalogue.sources.lookup import load_catalogue

PRODUCT: Final = """\
book:
  name: Guard
  vendor: Acme
  summary: A scanner.
  names: none
  where: [{say: In a file., sources: [doc]}]
  switch_on: [{say: It is on., sources: [known]}]
  worth: [{say: Everything., sources: [doc, seen]}]
  never: [{say: Clean files., sources: [doc]}]
  traps: [{say: Times are local., sources: [known]}]
  unconfirmed: [{event: '9', title: Something else}]
  recognise:
  - {where: {vendor: Acme, kind: '*'}, event: kind, events: {hit: found, other: clean up, '*': scan}}
defaults:
  prefix: antivirus/guard
  platform: antivirus
  product: Guard
  delivery: file
  form: json
  fields: [kind, threat.name, file, host.name]
  default: unknown
  volume: unknown
  cost: unknown
  difficulty: setting
  fidelity: {level: medium, why: names are exact, source: doc}
  reads: {signature: threat.name, file: file, system: host}
  sources: [doc]
sources:
  doc: {kind: documentation, title: The manual}
  seen: {kind: corpus, title: Recordings}
  known: {kind: knowledge, title: Known}
entries:
  found: {title: Found, category: detection, outcome: detected}
  cleaned: {title: Cleaned, event: clean up, category: action, outcome: cured, sources: [known, seen]}
  scan: {title: Scanned, category: scan, outcome: none, fidelity: unknown}
"""
OTHER: Final = """\
defaults: {prefix: linux/guard, platform: linux, product: Guard}
entries:
  found: {title: Found}
"""


def planted(root: Path, product: str = PRODUCT, other: str = OTHER) -> Read:
    for name, text in (("antivirus/guard.yml", product), ("linux/guard.yml", other)):
        path = root / "curated" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_curated(root / "curated")


def test_nothing_is_wrong_with_the_small_product(tmp_path: Path) -> None:
    read = planted(tmp_path)
    assert read.problems == []
    assert list(book_problems(read)) == []


# what is replaced, by what, the code, the line (None: the product as a whole), words of the message
FAULTS: Final[dict[str, tuple[str, str, str, int | None, str]]] = {
    "chapter empty": (
        "  never: [{say: Clean files., sources: [doc]}]",
        "  never: []",
        "UT309",
        None,
        "nothing under never",
    ),
    "statement's source not declared": (
        "Times are local., sources: [known]",
        "Times are local., sources: [told]",
        "UT309",
        None,
        "book.traps: the source 'told'",
    ),
    "statement without source": (
        "In a file., sources: [doc]",
        "In a file., sources: []",
        "UT309",
        None,
        "book.where: a statement names no source",
    ),
    "recognise leads nowhere": (
        "hit: found",
        "hit: lost",
        "UT305",
        None,
        "leads to lost, which is no entry",
    ),
    "the rest leads nowhere": (
        "'*': scan",
        "'*': lost",
        "UT305",
        None,
        "leads to lost, which is no entry",
    ),
    "recognise says no entry": (
        "kind: '*'}, event: kind, events: {hit: found, other: clean up, '*': scan}}",
        "kind: '*'}}",
        "UT302",
        None,
        "leads nowhere",
    ),
    "knowledge alone": (
        "outcome: detected}",
        "outcome: detected, sources: [known]}",
        "UT320",
        33,
        "found rests on knowledge alone",
    ),
    "no source at all": (
        "outcome: detected}",
        "outcome: detected, sources: []}",
        "UT320",
        33,
        "rests on knowledge alone",
    ),
    "fidelity's source not declared": (
        "why: names are exact, source: doc",
        "why: names are exact, source: told",
        "UT309",
        33,
        "the source 'told' is not declared",
    ),
    "signature is no field": (
        "signature: threat.name",
        "signature: name",
        "UT309",
        33,
        "reads.signature names name, which is none",
    ),
    "signature is beside a field": (
        "signature: threat.name",
        "signature: threat.title",
        "UT309",
        33,
        "reads.signature names threat.title",
    ),
    "another role is no field": (
        "system: host}",
        "system: computer}",
        "UT309",
        33,
        "reads.system names computer",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_where_it_is(name: str, tmp_path: Path) -> None:
    old, new, code, line, says = FAULTS[name]
    assert PRODUCT.count(old) == 1
    read = planted(tmp_path, PRODUCT.replace(old, new))
    assert read.problems == []
    found = list(book_problems(read))
    assert {problem.code for problem in found} == {code}
    places = [(p.place.source, p.place.line) for p in found if p.place and says in p.message]
    assert places[:1] == [("curated/antivirus/guard.yml", line)]


@pytest.mark.parametrize("name", REQUIRED)
def test_an_event_says_something_of(name: str, tmp_path: Path) -> None:
    """Taken from the defaults or from the first event, wherever it stands."""
    read = planted(tmp_path)
    (file,) = (one for one in read.files if one.book)
    file.defaults.pop(name, None)
    file.entries["antivirus/guard/found"].pop(name, None)
    found = [p for p in book_problems(read) if "antivirus/guard/found" in p.message]
    assert [(p.code, p.message) for p in found] == [
        ("UT309", f"antivirus/guard/found says nothing of {name}")
    ]
    assert found[0].place == file.place("antivirus/guard/found")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_can_t_be_left_out(chapter: str, tmp_path: Path) -> None:
    lines = [line for line in PRODUCT.splitlines() if not line.startswith(f"  {chapter}:")]
    read = planted(tmp_path, "\n".join(lines))
    assert [problem.code for problem in read.problems] == ["UT302"]
    assert f"missing required field `{chapter}`" in read.problems[0].message
    assert [p.message for p in book_problems(read)] == ["the product has no book"]


def test_a_product_without_book(tmp_path: Path) -> None:
    read = planted(tmp_path, PRODUCT[PRODUCT.index("defaults:") :])
    assert [(p.code, p.message) for p in book_problems(read)] == [("UT309", "the product has no book")]


def test_a_book_outside_antivirus(tmp_path: Path) -> None:
    book = PRODUCT[: PRODUCT.index("defaults:")]
    found = list(book_problems(planted(tmp_path, other=book + OTHER)))
    assert [(p.code, p.message, str(p.place)) for p in found] == [
        ("UT302", "a book outside antivirus/", "curated/linux/guard.yml")
    ]


def test_others_need_say_nothing_of_all_that(tmp_path: Path) -> None:
    read = planted(tmp_path)
    assert not [p for p in book_problems(read) if p.place and "linux" in p.place.source]


@pytest.mark.parametrize(
    "reads", ["signature: threat", "signature: threat.name", "signature: threat.name.text"], ids=str
)
def test_a_path_may_be_a_field_an_object_of_fields_or_within_a_field(reads: str, tmp_path: Path) -> None:
    assert list(book_problems(planted(tmp_path, PRODUCT.replace("signature: threat.name", reads)))) == []


def test_unknown_fields_leave_reads_unchecked(tmp_path: Path) -> None:
    text = PRODUCT.replace("fields: [kind, threat.name, file, host.name]", "fields: unknown")
    assert list(book_problems(planted(tmp_path, text))) == []


# -- the schema

FIDELITY = {"level": "high", "why": "w"}
SHAPES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "fidelity without a reason": (schema.Fidelity, {"level": "high"}, "missing required field `why`"),
    "fidelity of no such level": (
        schema.Fidelity,
        {"level": "sure", "why": "w"},
        "Invalid enum value 'sure'",
    ),
    "fidelity's typing error": (schema.Fidelity, {**FIDELITY, "sorce": "x"}, "unknown field `sorce`"),
    "reads that are no text": (schema.Reads, {"file": 1}, "Expected `str`"),
    "reads of an unknown role": (schema.Reads, {"signature": "s", "colour": "c"}, "unknown field `colour`"),
    "statement without sources": (book_schema.Said, {"say": "s"}, "missing required field `sources`"),
    "statement's source as text": (book_schema.Said, {"say": "s", "sources": "doc"}, "Expected `array`"),
    "recognise without where": (book_schema.Recognise, {"event": "e"}, "missing required field `where`"),
    "no such outcome": (schema.CuratedEntry, {"title": "t", "outcome": "won"}, "Invalid enum value 'won'"),
    "no such form": (schema.CuratedEntry, {"title": "t", "form": "yaml"}, "Invalid enum value 'yaml'"),
    "no such category": (schema.CuratedEntry, {"title": "t", "category": "x"}, "Invalid enum value 'x'"),
    "no such delivery": (schema.CuratedEntry, {"title": "t", "delivery": "x"}, "Invalid enum value 'x'"),
    "book of an unknown chapter": (book_schema.Book, {"name": "n", "chapter": []}, "unknown field `chapter`"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_the_schema_refuses(name: str) -> None:
    kind, value, says = SHAPES[name]
    with pytest.raises(msgspec.ValidationError) as caught:
        schema.convert(value, kind)
    assert says in str(caught.value)


def test_fidelity_may_be_unknown() -> None:
    entry = schema.convert({"title": "t", "fidelity": "unknown"}, schema.CuratedEntry)
    assert entry.fidelity == "unknown"


# -- what is shipped


@pytest.fixture(scope="module")
def shipped() -> Read:
    read = read_curated()
    return Read(files=[f for f in read.files if f.name.startswith("curated/antivirus/")])


def test_nothing_is_wrong_with_the_shipped_book(shipped: Read) -> None:
    assert [str(problem) for problem in book_problems(shipped)] == []


def test_the_shipped_book_is_as_large_as_promised(shipped: Read) -> None:
    assert len(shipped.files) == len({str(file.defaults["prefix"]) for file in shipped.files}) >= 60
    assert sum(len(file.entries) for file in shipped.files) >= 2_000


def test_every_product_has_every_chapter(shipped: Read) -> None:
    assert {
        (file.name, chapter)
        for file in shipped.files
        for chapter in (*CHAPTERS, "name", "vendor", "summary", "names")
        if not file.book.get(chapter)
    } == set()


def test_every_event_says_form_fields_default_and_fidelity(shipped: Read) -> None:
    assert {
        (key, name)
        for file, key, entry in shipped.entries()
        for name in ("form", "fields", "default", "fidelity", "outcome", "delivery")
        if merged(file, entry).get(name) in (None, "", [])
    } == set()


def test_the_reader_knows_every_convention(shipped: Read) -> None:
    """A convention of its own, or none where the product leaves names to an engine of others."""
    reader = load_reader()
    named = {
        str(file.book["names"])
        for file, _, entry in shipped.entries()
        if merged(file, entry).get("reads", {}).get("signature") and file.book["names"] != "none"
    }
    assert len(named) > 20
    assert {name: reader.convention(name) for name in named if not reader.convention(name)} == {}
    told = {event.convention for event in load_catalogue().routes.antivirus.values()} - {""}
    assert told == named


def test_the_catalogue_tells_of_every_event_that_names_a_signature(shipped: Read) -> None:
    table = load_catalogue().routes.antivirus
    expected = {
        key: (tuple(facts["reads"]["signature"].split(".")), facts["outcome"])
        for file, key, entry in shipped.entries()
        if (facts := merged(file, entry)).get("reads", {}).get("signature")
    }
    assert {key: (table[key].signature, table[key].outcome) for key in expected} == expected
    by_channel = table.keys() - expected.keys()
    assert by_channel
    assert {key.partition("/")[0] for key in by_channel} == {"windows", "macos"}
    assert {table[key].key for key in by_channel} <= expected.keys()


def test_a_signature_is_no_file_and_no_type_of_event(shipped: Read) -> None:
    wrong = set()
    for file, key, entry in shipped.entries():
        reads = merged(file, entry).get("reads")
        if reads:
            others = {path for role, path in reads.items() if role != "signature"}
            types = {rule.get("event") for rule in file.book.get("recognise", ())}
            if reads.get("signature", "") in others | types:
                wrong.add((key, reads["signature"]))
    assert wrong == set()


def test_the_figures_are_counts_of_the_files(shipped: Read) -> None:
    found = figures(compile_all(DATA))["antivirus"]
    events = [merged(file, entry) for file, _, entry in shipped.entries()]
    assert found["products"] == found["books"] == len(shipped.files)
    assert found["events"] == len(events)
    assert found["with_signature"] == sum(bool(facts.get("reads", {}).get("signature")) for facts in events)
    assert found["unconfirmed"] == sum(len(file.book.get("unconfirmed", ())) for file in shipped.files)
    assert set(found["known"]) == set(BOOK)
    for name in BOOK:
        said = sum(_known(merged(file, entry).get(name)) for file, _, entry in shipped.entries())
        inherited = sum(
            _known(entry.get(name)) or _known(file.defaults.get(name)) for file, _, entry in shipped.entries()
        )
        share = found["known"][name]["share"]
        assert said / len(events) - 1e-4 <= share <= inherited / len(events) + 1e-4, name
        assert 0.5 < share <= 1, name
        assert sum(found["known"][name]["sources"].values()) == pytest.approx(share, abs=1e-3), name


def _known(value: Any) -> bool:
    """Whether a fact as written says something."""
    if isinstance(value, dict):
        return bool(value.get("level") != "unknown")
    if isinstance(value, list):
        return any(not isinstance(one, dict) or one["state"] != "unknown" for one in value)
    return value not in (None, "", "unknown")
