"""YAML text → documents with line numbers, bounded and strict. Knows nothing of Sigma.

Contract: works on the parser's *events*, so that neither depth nor aliases cost more than their bounds (the C
composer recurses, and overflows the stack on nested brackets). A key that stands twice in a mapping is an
error. Documents before a broken one are kept. Values are `str`, `int`, `float`, `bool`, `None`, `date`,
`datetime`, `list` and `Mapped`; explicit tags other than those are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import yaml

from undertag.match.sigma.codes import Rejected

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_DEPTH: Final = 48
MAX_NODES: Final = 250_000
"""Nodes in one document, each use of an alias counted in full."""
MAX_NUMBER_CHARS: Final = 128
"""Long numbers, above all in base 60 (`1:1:1…`), take the square of their length to read."""

_STR: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"
_SCALAR_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
)
_CONTAINER_TAGS: Final = frozenset({None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})


class Mapped(dict[Any, Any]):
    """A mapping that knows the line (from 1) on which it and each of its keys stands."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}

    def line_of(self, key: Any) -> int:
        """The line of a key, or of the mapping if the key isn't there."""
        return self.lines.get(key, self.line)


class _Merge:
    """The key `<<`."""


_MERGE_KEY: Final = _Merge()
_NO_KEY: Final = object()


class _Frame:
    """A container under construction."""

    __slots__ = ("anchor", "key", "line", "nodes", "value")

    def __init__(self, value: Any, anchor: str | None, line: int) -> None:
        self.value = value
        self.anchor = anchor
        self.line = line
        self.nodes = 1
        self.key: Any = _NO_KEY


def read_documents(data: bytes) -> Iterator[tuple[Any, int]]:
    """Yield each document of a YAML text with the line (from 1) on which it starts.

    Raises:
        Rejected: UT201, UT202 or UT203, with the line, when the iteration comes to the fault.
    """
    if len(data) > MAX_BYTES:
        raise Rejected("UT203", f"{len(data)} bytes; at most {MAX_BYTES} are read", hint="split the file")
    try:
        loader = yaml.CSafeLoader(data)
        try:
            yield from _documents(loader)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _rejection(error) from error


def _rejection(error: yaml.YAMLError) -> Rejected:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        message = " ".join(part for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark else None
        if "nesting depth" in message:  # newer versions of the parser have a bound of their own
            return Rejected("UT203", f"nested deeper than {MAX_DEPTH} levels", line=line)
        hint = (
            "indent with spaces, not tabs"
            if "'\\t'" in message
            else "check indentation and quotes on this line"
        )
        return Rejected("UT201", message, hint=hint, line=line)
    return Rejected("UT201", str(error).splitlines()[0], hint="save the file as UTF-8 text")


def _documents(loader: Any) -> Iterator[tuple[Any, int]]:
    builder = _Builder(loader)
    while True:
        event = loader.get_event()
        kind = type(event)
        if kind is yaml.DocumentStartEvent:
            value, line = builder.document()
            yield value, line
        elif kind is yaml.StreamEndEvent:
            return


class _Builder:
    """Turns events into values without recursion."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self._plain: dict[str, Any] = {}

    def document(self) -> tuple[Any, int]:
        """Read the events up to the end of the document."""
        get_event = self._loader.get_event
        stack: list[_Frame] = []
        anchors: dict[str, tuple[Any, int]] = {}
        nodes = 0
        first_line = 0
        result: Any = None
        while True:
            event = get_event()
            kind = type(event)
            if kind is yaml.DocumentEndEvent:
                return result, first_line
            line: int = event.start_mark.line + 1
            first_line = first_line or line
            size = 1
            if kind is yaml.ScalarEvent:
                value = self._scalar(event, line)
                if event.anchor is not None:
                    anchors[event.anchor] = (value, 1)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if event.tag not in _CONTAINER_TAGS:
                    raise Rejected("UT201", f"tag {event.tag} is not allowed", line=line)
                if len(stack) >= MAX_DEPTH:
                    raise Rejected("UT203", f"nested deeper than {MAX_DEPTH} levels", line=line)
                stack.append(
                    _Frame(Mapped(line) if kind is yaml.MappingStartEvent else [], event.anchor, line)
                )
                continue
            elif kind is yaml.AliasEvent:
                if event.anchor not in anchors:
                    raise Rejected(
                        "UT201", f"alias *{event.anchor} comes before its anchor is complete", line=line
                    )
                value, size = anchors[event.anchor]
            else:  # the end of a mapping or sequence
                frame = stack.pop()
                value, size, line = frame.value, frame.nodes, frame.line
                if frame.anchor is not None:
                    anchors[frame.anchor] = (value, size)
                nodes -= size - 1  # its parts are counted already
            nodes += size
            if nodes > MAX_NODES:
                raise Rejected(
                    "UT203", f"more than {MAX_NODES} values", hint="aliases count each time", line=line
                )
            if stack:
                frame = stack[-1]
                frame.nodes += size
                if type(frame.value) is list:
                    frame.value.append(value)
                elif frame.key is _NO_KEY:
                    frame.key = self._key(frame.value, value, line)
                else:
                    if frame.key is _MERGE_KEY:
                        _merge(frame.value, value, line)
                    else:
                        frame.value[frame.key] = value
                    frame.key = _NO_KEY
            else:
                result = value

    @staticmethod
    def _key(mapping: Mapped, key: Any, line: int) -> Any:
        if isinstance(key, list | dict):
            raise Rejected("UT201", "a list or mapping can't be a key", line=line)
        if key in mapping.lines:
            raise Rejected(
                "UT202",
                f"key '{key}' stands twice in one mapping; first in line {mapping.lines[key]}",
                hint="rename one; for two sets of values on one field use `|all` or two selections",
                line=line,
            )
        if key is not _MERGE_KEY:
            mapping.lines[key] = line
        return key

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        tag: str | None = event.tag
        if tag is None and not event.implicit[0]:
            return text  # quoted or block text
        if tag is None:
            plain = self._plain.get(text, _NO_KEY)
            if plain is not _NO_KEY:
                return plain
            tag = self._loader.resolve(yaml.ScalarNode, text, (True, False))
        elif tag == "!":
            tag = _STR
        if tag not in _SCALAR_TAGS:
            raise Rejected("UT201", f"tag {tag} is not allowed", line=line)
        value = self._construct(tag, text, line)
        if event.tag is None:
            self._plain[text] = value
        return value

    def _construct(self, tag: str, text: str, line: int) -> Any:
        if tag == _STR or tag.endswith(":value"):
            return text
        if tag == _MERGE:
            return _MERGE_KEY
        if len(text) > MAX_NUMBER_CHARS:
            raise Rejected("UT203", f"a number of {len(text)} characters", hint="quote the value", line=line)
        try:
            return self._loader.construct_object(yaml.ScalarNode(tag, text))
        except (
            ValueError,
            KeyError,
            IndexError,
            AttributeError,
        ) as error:  # what PyYAML's constructors raise
            kind = tag.rpartition(":")[2]
            raise Rejected(
                "UT201", f"'{text[:80]}' is no valid {kind}", hint="quote the value", line=line
            ) from error


def _merge(mapping: Mapped, value: Any, line: int) -> None:
    """Apply `<<`: keys of `value` (mappings, the first winning) that the mapping hasn't itself."""
    sources = value if isinstance(value, list) else [value]
    if not all(isinstance(source, Mapped) for source in sources):
        raise Rejected("UT201", "`<<` takes a mapping or a list of mappings", line=line)
    for source in sources:
        for key, item in source.items():
            if key not in mapping:
                mapping[key] = item
