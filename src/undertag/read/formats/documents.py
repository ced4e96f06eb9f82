"""JSON documents over several lines, in an array, in an envelope, or one after the other.

Contract: each document is a record; its raw is on one line, without the blanks that only lay it out. A unit
carries the documents' bytes, and its header where each lies.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import msgspec

from undertag.model.source import Records, Unit
from undertag.read.formats.scanner import Document, Scanner
from undertag.read.source import Source, unit_data


class JsonDocuments:
    """Reader of `json`."""

    what = "JSON documents: pretty-printed, arrays, CloudTrail's and Azure's envelopes"

    def split(self, source: Source, unit_bytes: int) -> Iterator[Unit]:
        """See `registry.Format`."""
        held: list[Document] = []
        size = 0
        for document in Scanner(source.name, source.tell, offset=source.start).documents(
            source.stream.blocks()
        ):
            held.append(document)
            size += len(document.data)
            if size >= unit_bytes:
                yield _unit(source, held)
                held, size = [], 0
        if held:
            yield _unit(source, held)

    def records(self, unit: Unit) -> Records:
        """See `registry.Format`."""
        data = unit_data(unit)
        places = _places(unit)
        raws = []
        at = 0
        for length in places[1::2]:
            raws.append(on_one_line(data[at : at + length]))
            at += length
        return Records(raws=raws, offsets=list(places[::2]))

    def locate(self, unit: Unit, index: int) -> int:
        """See `registry.Format`."""
        places = _places(unit)
        return places[2 * index] if 2 * index < len(places) else -1


def on_one_line(data: bytes) -> bytes:
    """A document without line breaks; those of valid JSON only lay it out."""
    if b"\n" not in data and b"\r" not in data:
        return data
    try:
        return msgspec.json.format(data, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return data.replace(b"\r", b" ").replace(b"\n", b" ")


def _unit(source: Source, documents: list[Document]) -> Unit:
    places = array("Q")
    for document in documents:
        places.extend((document.offset, len(document.data)))
    data = b"".join([document.data for document in documents])
    return source.inline("json", data, documents[0].offset, header=places.tobytes())


def _places(unit: Unit) -> array[int]:
    places = array("Q")
    places.frombytes(unit.header)
    return places
