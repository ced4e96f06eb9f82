"""Aliases: the (name, channel) pairs of ATT&CK v18.1 as entries of ours.

Contract: each pair gets one state. `events`: its channel names events, which are entries here; `component`: the
channel is prose, but the log is
known and has entries for the data component that lists the pair; `log`: only the log is known; `prose`: nothing that could be
switched on or watched is named. A correction says why the pair as published is wrong. The pairs themselves are MITRE's and are read from
the embedded ATT&CK facts; here stand only the rules that read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from undertag.catalogue.sources import schema
from undertag.catalogue.sources.attack_names import alias_pairs
from undertag.catalogue.sources.compiling import ranges
from undertag.catalogue.sources.keys import key_part
from undertag.catalogue.sources.selectors import Selection
from undertag.catalogue.sources.strict_yaml import read_strict
from undertag.model.problem import CatalogueError, Place, Problem

RELEASE: Final = "18.1"
NAME: Final = "aliases.yml"
CORRECTIONS: Final = "alias-corrections.yml"
State = Literal["events", "component", "log", "prose"]

_IDS: Final = re.compile(
    r"(?:EventCode|EventID|Event ID|Event IDs)\s*[=:]?\s*([0-9]+(?:\s*(?:,|/|or)\s*[0-9]+)*)", re.I
)
_NUMBER: Final = re.compile(r"[0-9]+")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z]")
_LIST: Final = re.compile(r"\s*(?:,|/|\||;|&|\bor\b|\band\b|\bvia\b)\s*|\s+")
_CUT: Final = re.compile(r"\s*(?:/|,|\||:|;|\bor\b)\s*")
_JOINED: Final = re.compile(r"[a-z0-9][A-Z]|[A-Z][a-z]+[A-Z]|[a-z0-9][_.-][a-z0-9]", re.A)
_OPERATION: Final = re.compile(r"(microsoft\.[a-z]+)((?:/[a-z]+)+)", re.I)


class NameRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one name reads."""

    log: list[str | dict[str, str]] = []
    reads: Literal["event-ids", "names", "phrases", "operations", ""] = ""
    under: list[str] = []
    forms: list[str] = msgspec.field(default_factory=lambda: ["{}"])
    strip: list[str] = []
    common: list[str] = []
    prose: Literal["plain", "joined"] = "joined"


class PairRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pair that the rules can't read, or that is wrong (then with `why`)."""

    name: str
    channel: str
    entries: list[str | dict[str, str]]
    why: str = ""


class NameCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name that should be another; `event` is what else stood in it."""

    name: str
    reads_as: str
    why: str
    event: str = ""


class Unlisted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pair that techniques cite, but that no data component lists as its own."""

    name: str
    channel: str


class AliasFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`aliases.yml`."""

    names: dict[str, NameRule]
    pairs: list[PairRule] = []


class CorrectionFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`alias-corrections.yml`."""

    names: list[NameCorrection]
    pairs: list[PairRule]
    unlisted: list[Unlisted] = []


def compile_aliases(root: Path, selection: Selection) -> tuple[list[Any], list[Problem]]:
    """Every pair as stored ([name, channel, components, state, ranges, why]), and what is wrong with the rules."""
    try:
        rules = schema.convert(read_strict((root / NAME).read_bytes(), NAME), AliasFile)
        corrections = schema.convert(
            read_strict((root / CORRECTIONS).read_bytes(), CORRECTIONS), CorrectionFile
        )
    except (CatalogueError, OSError, msgspec.ValidationError) as error:
        problem = error.problem if isinstance(error, CatalogueError) else None
        return [], [problem or Problem(code="UT302", message=str(error), place=Place(source=NAME))]
    pairs = alias_pairs(RELEASE)
    reader = _Reader(rules, corrections, selection)
    problems = list(_unused(rules, corrections, pairs))
    unlisted = {(one.name, one.channel) for one in corrections.unlisted}
    found = []
    for (name, channel), components in pairs.items():
        try:
            state, numbers, why = reader.read(name, channel, components)
        except CatalogueError as error:
            problems.append(
                Problem(code="UT311", message=f"{name}: {error.problem.message}", place=Place(source=NAME))
            )
            continue
        listed = [] if (name, channel) in unlisted else list(components)
        found.append([name, channel, listed, state, ranges(numbers), why])
    return sorted(found), problems


def _unused(
    rules: AliasFile, corrections: CorrectionFile, pairs: Mapping[tuple[str, str], Any]
) -> Iterator[Problem]:
    """Rules and corrections for pairs that the release doesn't have."""
    names = {name for name, _ in pairs}
    for pair in rules.pairs:
        if (pair.name, pair.channel) not in pairs:
            yield _no_pair(pair.name, pair.channel, NAME)
    for correction in corrections.names:
        if correction.name not in names:
            yield _no_pair(correction.name, "", CORRECTIONS)
    for pair in corrections.pairs:
        if (pair.name, pair.channel) not in pairs:
            yield _no_pair(pair.name, pair.channel, CORRECTIONS)
    for one in corrections.unlisted:
        if (one.name, one.channel) not in pairs:
            yield _no_pair(one.name, one.channel, CORRECTIONS)


def _no_pair(name: str, channel: str, source: str) -> Problem:
    shown = f"{name!r}, {channel!r}" if channel else repr(name)
    return Problem(
        code="UT311", message=f"ATT&CK v{RELEASE} has no log source {shown}", place=Place(source=source)
    )


class _Reader:
    """Reads pairs by the rules."""

    def __init__(self, rules: AliasFile, corrections: CorrectionFile, selection: Selection) -> None:
        self._names = {name: rule for name, rule in rules.names.items() if "*" not in name}
        self._patterns = {name: rule for name, rule in rules.names.items() if "*" in name}
        self._pairs = {(pair.name, pair.channel): pair for pair in [*rules.pairs, *corrections.pairs]}
        self._renamed = {correction.name: correction for correction in corrections.names}
        self._selection = selection
        self._components: dict[tuple[str, ...], set[int]] = {}
        self._logs: dict[str, list[int]] = {}
        self._words: dict[tuple[str, ...], dict[str, list[int]]] = {}

    def read(self, name: str, channel: str, components: Sequence[str]) -> tuple[State, Iterable[int], str]:
        """A pair's state, entries, and what is wrong with it."""
        pair = self._pairs.get((name, channel))
        if pair is not None:
            numbers = self._selection.all(pair.entries)
            return "events" if numbers else "prose", numbers, pair.why
        renamed = self._renamed.get(name)
        why = renamed.why if renamed else ""
        if renamed:
            name, channel = renamed.reads_as, renamed.event or channel
        rule = self._names.get(name) or next(
            (rule for pattern, rule in self._patterns.items() if fnmatchcase(name, pattern)), None
        )
        if rule is None:
            return "prose", [], why
        numbers = self._events(rule, channel)
        if numbers:
            return "events", numbers, why
        log = self._log(name, rule)
        of_component = {
            n for component in components for n in self._selection.numbers({"component": component})
        }
        narrowed = sorted(of_component.intersection(log))
        if narrowed:
            return "component", narrowed, why
        return ("log" if log else "prose"), log, why

    def _of_components(self, components: tuple[str, ...]) -> set[int]:
        if components not in self._components:
            self._components[components] = {
                number
                for component in components
                for number in self._selection.numbers({"component": component})
            }
        return self._components[components]

    def _log(self, name: str, rule: NameRule) -> list[int]:
        if name not in self._logs:
            self._logs[name] = self._selection.all(rule.log)
        return self._logs[name]

    def _events(self, rule: NameRule, channel: str) -> list[int]:
        if not rule.reads:
            return []
        if rule.reads == "event-ids":
            wanted = [number for ids in _IDS.findall(channel) for number in _NUMBER.findall(ids)]
        elif rule.reads == "operations":
            wanted = [f"{one}/{rest[1:].replace('/', '.')}" for one, rest in _OPERATION.findall(channel)]
        elif rule.reads == "phrases":
            wanted = [key_part(part) for part in [channel, *_CUT.split(channel)] if part]
        else:
            wanted = list(_names(channel, rule))
        words = self._last_parts(tuple(rule.under))
        found = {
            number
            for word in wanted
            for form in rule.forms
            for number in words.get(form.format(word).lower(), ())
        }
        return sorted(found)

    def _last_parts(self, places: tuple[str, ...]) -> dict[str, list[int]]:
        """The entries under places by what follows the place in their keys, in lower case."""
        if places not in self._words:
            found: dict[str, list[int]] = {}
            for place in places:
                depth = place.count("/") + 1
                numbers = self._selection.numbers(f"{place}/**")
                for number, key in zip(numbers, self._selection.keys(numbers), strict=True):
                    found.setdefault("/".join(key.split("/")[depth:]).lower(), []).append(number)
            self._words[places] = found
        return self._words[places]


def _names(channel: str, rule: NameRule) -> Iterator[str]:
    """Words of a channel's text that may be names: all of a list, but of prose only those that are no common words."""
    head, colon, rest = channel.partition(":")
    texts = [(head, True), (rest, False)] if colon and " " not in head.strip() else [(channel, False)]
    for text, is_list in texts:
        parts = [part for part in _LIST.split(text.strip()) if part]
        listed = is_list or _is_list(text)
        for part in parts if listed else _WORD.findall(text):
            word = part.strip("()[]{}'\"`*.")
            for pattern in rule.strip:
                word = re.sub(pattern, "", word)
            if word and (listed or _may_be_name(word, rule)):
                yield word


def _may_be_name(word: str, rule: NameRule) -> bool:
    """Whether a word of prose may be an event's name: no common word, and joined of several unless plain ones count."""
    if word.lower() in rule.common:
        return False
    return rule.prose == "plain" or _JOINED.search(word) is not None


def _is_list(text: str) -> bool:
    """Whether a text is nothing but names with something between them: more signs than spaces, or one word."""
    bare = re.sub(r"\s*(?:,|/|\||;|&|\bor\b|\band\b)\s*", ",", text.strip())
    return bool(bare) and " " not in bare
