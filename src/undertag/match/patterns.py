"""One `Test` compiled into a predicate on text: the expensive half of matching, shared by both matchers.

Contract: `compile_text_test(test)` gives a pure function `str -> bool`. It takes *folded* text where
`wants_folded(test)` is true and the text as it is elsewhere (tests on numbers, dates and addresses take
either). Every predicate runs in time linear in the text, but for regular expressions that re2 refuses
(look-around, back-references): those run in `regex` for at most `REGEX_SECONDS` a value, much less once that was
too little too often; a value that takes longer counts as no match and is reported to `on_timeout`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from operator import ge, gt, le, lt
from typing import Any, Final, TypeAlias

import re2
import regex

from undertag.match.scalars import date_part, parse_number
from undertag.model.expr import ANY, COMPARE_OPS, DATE_OPS, ONE, Test

Predicate: TypeAlias = Callable[[str], bool]
OnTimeout: TypeAlias = Callable[[Test, str], None]

REGEX_SECONDS: Final = 0.05
PATIENCE: Final = 20
"""Values on which an expression may take so long; on all others it is broken off after `SHORT_SECONDS`."""
SHORT_SECONDS: Final = 0.001
MAX_REGEX_CHARS: Final = 16_384
_SET_PROGRAM_SIZE: Final = 1_000
"""An `re2.Set` of one answers yes or no twice as fast as a search, but gives up without a word where its
automaton outgrows its memory; programs of this size can't."""
_NO_LINE: Final = re.compile(r"\\[AzZ]|\(\?[a-zA-Z]*-")
"""The very beginning or end of a text, or a flag taken back: joined texts would answer otherwise."""
_COMPARE: Final = {"lt": lt, "lte": le, "gt": gt, "gte": ge}


class PatternError(ValueError):
    """A pattern that can't be compiled; the message says why."""


def wants_folded(test: Test) -> bool:
    """Whether the predicate of `test` takes folded text."""
    return not test.cased and test.op in ("eq", "contains", "startswith", "endswith", "glob")


def compile_text_test(test: Test, on_timeout: OnTimeout | None = None) -> Predicate:
    """Compile a test into a predicate on text.

    Raises:
        PatternError: the pattern is not valid, or the operator doesn't look at text (`exists`, `null`, …).
    """
    op, pattern = test.op, test.pattern
    if op == "eq":
        return lambda text: text == pattern
    if op == "contains":
        return lambda text: pattern in text
    if op == "startswith":
        return lambda text: text.startswith(pattern)
    if op == "endswith":
        return lambda text: text.endswith(pattern)
    if op == "glob":
        return compile_glob(pattern)
    if op == "re":
        return _compile_re(test, on_timeout)
    if op == "cidr":
        return _compile_cidr(pattern)
    if op in COMPARE_OPS:
        compare = _COMPARE[op]
        return lambda text: (number := parse_number(text)) is not None and compare(number, pattern)
    if op in DATE_OPS:
        return lambda text: date_part(text, op) == pattern
    raise PatternError(f"'{op}' is no test on text")


# -- addresses


def _compile_cidr(pattern: str) -> Predicate:
    try:
        network = ip_network(pattern)
    except ValueError as error:
        raise PatternError(str(error)) from error
    low, high, version = int(network.network_address), int(network.broadcast_address), network.version

    def within(text: str) -> bool:
        address = parse_address(text)
        return address is not None and address.version == version and low <= int(address) <= high

    return within


@lru_cache(maxsize=65_536)
def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an IP address; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) is the IPv4 address."""
    if not 2 <= len(text) <= 64:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


# -- regular expressions


def compile_regex(
    expression: str, flags: str = "", on_timeout: Callable[[str], None] | None = None
) -> Predicate:
    """Compile a regular expression that is searched for anywhere in a text.

    Classes such as `\\w` are ASCII, `$` is the very end of the text unless `m`.

    Raises:
        PatternError: neither re2 nor `regex` takes the expression, or it is too long.
    """
    if len(expression) > MAX_REGEX_CHARS:
        raise PatternError(f"longer than {MAX_REGEX_CHARS} characters")
    try:
        return _compile_re2(expression, flags)
    except re2.error as refusal:
        reason = refusal.args[0].decode("utf-8", "replace")
        return _compile_backtracking(expression, flags, on_timeout, reason)


def compile_lines_regex(expression: str, flags: str = "") -> Predicate | None:
    """The same for many texts, each on lines of its own: true at least where it is true for one of them.

    None where that can't be had: for what re2 refuses, and for anchors that no line has.
    """
    if len(expression) > MAX_REGEX_CHARS or _NO_LINE.search(expression):
        return None
    try:
        return _compile_re2(expression, flags if "m" in flags else flags + "m")
    except re2.error:
        return None


def _compile_re2(expression: str, flags: str) -> Predicate:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    prefixed = f"(?{flags}){expression}" if flags else expression
    encoded = prefixed.encode("utf-8", "surrogatepass")
    compiled = re2.compile(encoded, options)
    if compiled.programsize <= _SET_PROGRAM_SIZE:
        one = re2.Set.SearchSet(options)
        one.Add(encoded)
        one.Compile()
        match = one.Match
        return lambda text: bool(match(text.encode("utf-8", "surrogatepass")))
    search = compiled.search
    return lambda text: search(text.encode("utf-8", "surrogatepass")) is not None


def _compile_backtracking(
    expression: str, flags: str, on_timeout: Callable[[str], None] | None, refusal: str
) -> Predicate:
    bits = regex.ASCII
    for flag in flags:
        bits |= {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}[flag]
    try:
        search = regex.compile(expression, bits).search
    except (regex.error, RecursionError, OverflowError) as error:
        raise PatternError(f"{error}; re2: {refusal}") from error

    broken_off = 0

    def found(text: str) -> bool:
        nonlocal broken_off
        try:
            seconds = REGEX_SECONDS if broken_off < PATIENCE else SHORT_SECONDS
            return search(text, timeout=seconds) is not None
        except TimeoutError:
            broken_off += 1
            if on_timeout is not None:
                on_timeout(text)
            return False

    return found


def _compile_re(test: Test, on_timeout: OnTimeout | None) -> Predicate:
    if on_timeout is None:
        return compile_regex(test.pattern, test.flags)
    return compile_regex(test.pattern, test.flags, lambda text: on_timeout(test, text))


# -- wildcards


def compile_glob(parts: tuple[Any, ...]) -> Predicate:
    """Compile a glob (text, `ANY`, `ONE`) into a predicate on the whole text.

    Between two `ANY` lies a run of fixed length; taking the leftmost place for each run in turn is exact, so
    no backtracking is needed.
    """
    runs: list[list[Any]] = [[]]
    for part in parts:
        if part == ANY and not isinstance(part, str):
            runs.append([])
        else:
            runs[-1].append(part)
    if all(isinstance(part, str) for run in runs for part in run):
        return _texts_in_order(["".join(run) for run in runs])
    finders = [_Run(run) for run in runs]
    first, last, middle = finders[0], finders[-1], [run for run in finders[1:-1] if run.length]
    if len(finders) == 1:
        return lambda text: len(text) == first.length and first.at(text, 0)
    shortest = sum(run.length for run in finders)

    def matches(text: str) -> bool:
        if len(text) < shortest or not first.at(text, 0) or not last.at(text, len(text) - last.length):
            return False
        at, end = first.length, len(text) - last.length
        for run in middle:
            at = run.find(text, at, end)
            if at < 0:
                return False
            at += run.length
        return True

    return matches


def _texts_in_order(texts: list[str]) -> Predicate:
    """The same where nothing but any text lies between: begins with the first, ends with the last, the others within."""
    first, last, middle = texts[0], texts[-1], [text for text in texts[1:-1] if text]
    if len(texts) == 1:
        return lambda text: text == first
    shortest = sum(map(len, texts))

    def matches(text: str) -> bool:
        if len(text) < shortest or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for part in middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True

    return matches


class _Run:
    """Texts and `ONE`s in a row: matches a fixed number of characters."""

    __slots__ = ("anchor", "anchor_at", "length", "others")

    def __init__(self, parts: list[Any]) -> None:
        texts: list[tuple[int, str]] = []
        at = 0
        for part in parts:
            if part == ONE and not isinstance(part, str):
                at += 1
            else:
                texts.append((at, part))
                at += len(part)
        self.length = at
        self.anchor_at, self.anchor = max(texts, key=lambda pair: len(pair[1]), default=(0, ""))
        self.others = [pair for pair in texts if pair != (self.anchor_at, self.anchor)]

    def at(self, text: str, start: int) -> bool:
        """Whether the run stands at `start`; the caller has checked the length."""
        return text.startswith(self.anchor, start + self.anchor_at) and all(
            text.startswith(part, start + offset) for offset, part in self.others
        )

    def find(self, text: str, start: int, end: int) -> int:
        """The leftmost place of the run within `text[start:end]`, -1 if there is none."""
        at = start
        while at + self.length <= end:
            found = text.find(self.anchor, at + self.anchor_at, end)
            if found < 0 or found - self.anchor_at + self.length > end:
                return -1
            at = found - self.anchor_at
            if all(text.startswith(part, at + offset) for offset, part in self.others):
                return at
            at += 1
        return -1


def glob_name(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern in which `*` stands for any text, in linear time (`1 of sel*`)."""
    parts = [ANY if part == "*" else part for part in re.split(r"(\*)", pattern) if part]
    return compile_glob(tuple(parts))(name)
