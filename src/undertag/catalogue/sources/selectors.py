"""Selectors: how umbrellas, Sigma log sources and aliases name entries without listing them.

Contract: a selector is a text or a mapping. A text is a pattern on keys: `*` stands for any text within a part, `**` for any
text at all, `{a,b}` for either; without a wildcard it is one key. A mapping has one of `component`, `data_source_2019`, `technique`,
`need`, `difficulty`, `channel`, `sigma` with a value, and optionally `within` (a pattern). A selection never has an entry twice
and is in the order of keys. Patterns take linear time.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from undertag.model.problem import CatalogueError, Problem

Selector = str | Mapping[str, str]
Index = Mapping[str, Mapping[str, Sequence[Sequence[int]]]]
MAX_PATTERN: Final = 300
_SPECIAL: Final = "*{"
_NOT_LITERAL: Final = re.compile(r"\*|\{[^}]*\}?")


class Selection:
    """Entries by selector, over sorted keys and the index of attributes."""

    def __init__(self, keys: Sequence[str], index: Index) -> None:
        self._keys = keys
        self._index = index

    def numbers(self, selector: Selector) -> list[int]:
        """The numbers of the entries that a selector selects, rising.

        Raises:
            CatalogueError: UT318, the selector is malformed.
        """
        if isinstance(selector, str):
            return self._by_pattern(selector)
        names = [name for name in selector if name != "within"]
        if len(names) != 1 or names[0] not in self._index:
            raise _malformed(f"a selector has one of {', '.join(self._index)}, not {', '.join(names)}")
        spans = self._index[names[0]].get(str(selector[names[0]]), ())
        found = [number for first, end in spans for number in range(first, end)]
        if "within" not in selector:
            return found
        within = set(self._by_pattern(selector["within"]))
        return [number for number in found if number in within]

    def values(self, name: str) -> list[str]:
        """The values of an attribute that any entry has."""
        return list(self._index.get(name, ()))

    def all(self, selectors: Iterable[Selector], without: Iterable[Selector] = ()) -> list[int]:
        """The union of selectors, less that of `without`."""
        found = {number for selector in selectors for number in self.numbers(selector)}
        found.difference_update(number for selector in without for number in self.numbers(selector))
        return sorted(found)

    def keys(self, numbers: Iterable[int]) -> list[str]:
        """The keys of entries."""
        return [self._keys[number] for number in numbers]

    def _by_pattern(self, pattern: str) -> list[int]:
        first = next((i for i, character in enumerate(pattern) if character in _SPECIAL), None)
        if first is None:
            place = bisect_left(self._keys, pattern)
            return [place] if place < len(self._keys) and self._keys[place] == pattern else []
        start, end = self.span(pattern[:first])
        if pattern[first:] == "**":
            return list(range(start, end))
        if pattern[first] == "{":  # each alternative has a longer literal start, so fewer keys to look at
            close = pattern.find("}", first)
            if close < 0:
                raise _malformed(f"a brace in {pattern!r} isn't closed")
            options = pattern[first + 1 : close].split(",")
            found = {
                n for one in options for n in self._by_pattern(pattern[:first] + one + pattern[close + 1 :])
            }
            return sorted(found)
        matches = compiled(pattern).fullmatch
        keys, literal = self._keys, longest_literal(pattern)
        return [number for number in range(start, end) if literal in keys[number] and matches(keys[number])]

    def span(self, prefix: str) -> tuple[int, int]:
        """The numbers [first, end) of the keys that start with `prefix`."""
        return bisect_left(self._keys, prefix), bisect_left(self._keys, prefix + "\U0010ffff")


def longest_literal(pattern: str) -> str:
    """The longest text that stands in every key that a pattern matches: a cheap test before the dear one.

    >>> longest_literal("*/application/**/*{jvm,java}*")
    '/application/'
    """
    return max(_NOT_LITERAL.split(pattern), key=len)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Any:
    """A pattern on keys as a regular expression of re2.

    Raises:
        CatalogueError: UT318, it is too long or its braces don't close.
    """
    import re2

    if len(pattern) > MAX_PATTERN:
        raise _malformed(f"a pattern has at most {MAX_PATTERN} characters")
    parts: list[str] = []
    position, depth = 0, 0
    while position < len(pattern):
        character = pattern[position]
        if pattern.startswith("**", position):
            parts.append(".*")
            position += 1
        elif character == "*":
            parts.append("[^/]*")
        elif character == "{":
            parts.append("(?:")
            depth += 1
        elif character == "}" and depth:
            parts.append(")")
            depth -= 1
        elif character == "," and depth:
            parts.append("|")
        else:
            parts.append(re2.escape(character))
        position += 1
    if depth:
        raise _malformed(f"a brace in {pattern!r} isn't closed")
    return re2.compile("".join(parts))


def _malformed(message: str) -> CatalogueError:
    return CatalogueError(
        Problem(code="UT318", message=message, hint="see docs/reference/catalogue-format.md, selectors")
    )
