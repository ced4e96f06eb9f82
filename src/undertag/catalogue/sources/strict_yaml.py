"""YAML as the catalogue's files use it: mappings, lists and plain scalars, and nothing that could be misread.

Contract: what this reads, any YAML 1.1 or 1.2 reader reads as the same values. Duplicate keys, anchors, aliases, tags and
scalars on which the two versions differ (`on`, `no`, `010`, `1:30`, dates) are errors with their line. Size and depth are
bounded. Built on PyYAML's event parser in C, which keeps line numbers and takes about a third of its loader's time.
"""

from __future__ import annotations

import re
from typing import Any, Final

from undertag.model.problem import CatalogueError, Place, Problem

MAX_BYTES: Final = 8 << 20
MAX_DEPTH: Final = 24

_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_AMBIGUOUS: Final = re.compile(
    r"(?i:on|off|yes|no|y|n)|[-+]?\.(?i:inf|nan)|[-+]?0[bxo]?[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9]*)?"
    r"|[-+]?[0-9][0-9_,]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[<=]<?"
)
_WORDS: Final[dict[str, Any]] = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
}


class Lines(dict[tuple[Any, ...], int]):
    """The line (from 1) of every mapping key down to the third level, by its path."""


def read_strict(data: bytes, source: str, lines: Lines | None = None) -> Any:
    """The value of the one document in `data`.

    Args:
        data: UTF-8 text.
        source: name for messages.
        lines: filled with the lines of keys, if given.

    Raises:
        CatalogueError: UT300, it is no such YAML; UT301, a mapping has a key twice.
    """
    import yaml

    if len(data) > MAX_BYTES:
        raise _error(source, None, f"larger than {MAX_BYTES >> 20} MiB")
    loader = yaml.CSafeLoader(data)
    try:
        reader = _Reader(loader, source, lines)
        return reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _error(source, mark.line + 1 if mark else None, error.problem or "no YAML") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _error(source, None, f"no YAML: {error}") from error
    finally:
        loader.dispose()


class _Reader:
    """Builds values from the events of one document."""

    def __init__(self, loader: Any, source: str, lines: Lines | None) -> None:
        self._next = loader.get_event
        self._source = source
        self._lines = lines

    def document(self) -> Any:
        from yaml import events

        self._next()  # stream start
        if isinstance(self._next(), events.StreamEndEvent):
            return None
        value = self._value(self._next(), ())
        self._next()  # document end
        end = self._next()
        if not isinstance(end, events.StreamEndEvent):
            raise _error(self._source, end.start_mark.line + 1, "more than one document")
        return value

    def _value(self, event: Any, path: tuple[Any, ...]) -> Any:
        kind = type(event).__name__
        if kind == "AliasEvent" or event.anchor is not None:
            raise _error(self._source, event.start_mark.line + 1, "anchors and aliases are not allowed")
        if event.tag is not None and event.tag != "!":
            raise _error(self._source, event.start_mark.line + 1, f"tag {event.tag} is not allowed")
        if kind == "ScalarEvent":
            return self._scalar(event)
        if len(path) >= MAX_DEPTH:
            raise _error(self._source, event.start_mark.line + 1, f"nested deeper than {MAX_DEPTH}")
        return self._mapping(path) if kind == "MappingStartEvent" else self._sequence(path)

    def _sequence(self, path: tuple[Any, ...]) -> list[Any]:
        items: list[Any] = []
        while type(event := self._next()).__name__ != "SequenceEndEvent":
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: tuple[Any, ...]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while (kind := type(event := self._next()).__name__) != "MappingEndEvent":
            line = event.start_mark.line + 1
            if kind != "ScalarEvent":
                raise _error(self._source, line, "a key is no scalar")
            key = self._value(event, path)
            if key in found:
                raise CatalogueError(
                    Problem(
                        code="UT301",
                        message=f"the key {key!r} stands twice in one mapping",
                        place=Place(source=self._source, line=line),
                        hint="of two equal keys other readers silently drop one: join or rename them",
                    )
                )
            inner = (*path, key)
            if self._lines is not None and len(inner) <= 3:
                self._lines[inner] = line
            found[key] = self._value(self._next(), inner)
        return found

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if not event.implicit[0]:  # quoted or block
            return text
        if text in _WORDS:
            return _WORDS[text]
        first = text[0]
        if first.isalpha() and len(text) > 3:
            return text
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        if _AMBIGUOUS.fullmatch(text) or text.lower() in _WORDS:
            raise _error(
                self._source,
                event.start_mark.line + 1,
                f"{text!r} is read differently by different YAML readers",
                hint="put it in quotes",
            )
        return text


def _error(source: str, line: int | None, message: str, hint: str = "") -> CatalogueError:
    return CatalogueError(
        Problem(code="UT300", message=message, place=Place(source=source, line=line), hint=hint)
    )
