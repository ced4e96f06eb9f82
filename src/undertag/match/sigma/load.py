"""Rule files → rules: the one way in. Nothing is evaluated here and nothing is cached (see `cache`).

Contract: every document of every file ends as a rule, a filter, or a row in `problems`. The result depends on
the files and settings only, never on the order of paths. Of rules with the same id the first by file wins.
Old-style collections (`action: global`) merge as in pySigma.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from undertag.match.sigma.codes import CODES, Rejected
from undertag.match.sigma.detection import Placeholders
from undertag.match.sigma.documents import Mapped, read_documents
from undertag.match.sigma.files import RuleFile, read_rule_files
from undertag.match.sigma.filters import Filter, choose, convert_filter
from undertag.match.sigma.pause import collector_paused
from undertag.match.sigma.result import FilterUse, LoadResult
from undertag.match.sigma.rules import Converted, convert_rule, id_of
from undertag.match.sigma.trees import all_of
from undertag.model.problem import Place, Problem
from undertag.model.rule import Rule

_ACTIONS: Final = ("global", "reset", "repeat")
_RULE_KEYS: Final = frozenset({"detection", "logsource"})


def load_rules(
    paths: Iterable[str | os.PathLike[str]], *, placeholders: Placeholders | None = None, pack: bool = False
) -> LoadResult:
    """Load all rules under `paths` (files, or folders with `*.yml` and `*.yaml`).

    Args:
        paths: files and folders.
        placeholders: name → values for `%name%` under the `expand` modifier; values may hold wildcards.
        pack: whether the rules are our own.

    Raises:
        RuleError: UT200, a path doesn't exist. Whatever is wrong *in* files is in the result's problems.
    """
    files, problems = read_rule_files(paths)
    return load_files(files, problems, placeholders=placeholders or {}, pack=pack)


def load_files(
    files: list[RuleFile], problems: list[Problem], *, placeholders: Placeholders, pack: bool
) -> LoadResult:
    """Load rules from files that are read already; `problems` are those of reading them."""
    loader = _Loader(placeholders, pack, problems)
    with collector_paused():
        for file in files:
            loader.read(file)
        loader.join_filters()
    return LoadResult(
        rules=[taken.rule for taken in loader.rules.values()],
        problems=loader.problems,
        filters=loader.uses,
        files=len(files),
        correlations=loader.correlations,
        others=loader.others,
    )


@dataclass(slots=True)
class _Taken:
    """A loaded rule and where it came from."""

    rule: Rule
    shown: str
    name: str | None


@dataclass(slots=True)
class _Loader:
    placeholders: Placeholders
    pack: bool
    problems: list[Problem]
    rules: dict[str, _Taken] = field(default_factory=dict)
    filters: list[tuple[Filter, RuleFile]] = field(default_factory=list)
    uses: list[FilterUse] = field(default_factory=list)
    not_rules: set[str] = field(default_factory=set)
    """Ids and names of filters and correlations."""
    correlations: int = 0
    others: int = 0

    def read(self, file: RuleFile) -> None:
        """Take in all documents of a file."""
        shared: dict[Any, Any] = {}
        previous: dict[Any, Any] = {}
        try:
            for document, line in read_documents(file.data):
                if document is None:
                    continue
                action = document.get("action") if isinstance(document, Mapped) else None
                if action not in _ACTIONS:
                    merged = (
                        _overlaid(shared, document) if shared and isinstance(document, Mapped) else document
                    )
                    previous = merged if isinstance(merged, Mapped) else {}
                    self._document(merged, line, file)
                elif action == "repeat":
                    previous = _overlaid(previous, document)
                    self._document(previous, line, file)
                else:
                    shared = _overlaid({}, document) if action == "global" else {}
                    previous = shared
        except Rejected as fault:
            self._note(fault.code, fault.message, file, fault.line, fault.hint)

    def _document(self, document: Any, line: int, file: RuleFile) -> None:
        if not isinstance(document, Mapped):
            self.others += 1
            self._note("UT204", "not a Sigma document: no mapping", file, line)
            return
        try:
            if "correlation" in document:
                self._correlation(document, file)
            elif "filter" in document:
                self._filter(document, file)
            elif _RULE_KEYS.isdisjoint(document):
                self.others += 1
                self._note("UT204", "not a Sigma document: neither detection nor log source", file, line)
            else:
                self._rule(document, file)
        except Rejected as fault:
            self._note(fault.code, fault.message, file, fault.line or line, fault.hint)

    def _rule(self, document: Mapped, file: RuleFile) -> None:
        converted = convert_rule(document, file=file.name, pack=self.pack, placeholders=self.placeholders)
        rule = converted.rule
        if rule.id in self.rules:
            first = self.rules[rule.id]
            raise Rejected(
                "UT208",
                f"id {rule.id} is taken by '{first.rule.title}' in {first.shown}, "
                f"so '{rule.title}' in {file.shown} is not loaded",
                hint="give the rule an id of its own, or remove one of the two",
                line=converted.id_line,
            )
        self.rules[rule.id] = _Taken(rule, file.shown, converted.name)
        self._warn(converted, file)

    def _warn(self, converted: Converted, file: RuleFile) -> None:
        for message, line in converted.warnings:
            self._note("UT240", message, file, line, "correct or remove it")

    def _correlation(self, document: Mapped, file: RuleFile) -> None:
        self.correlations += 1
        self.not_rules |= {text for key in ("id", "name") if isinstance(text := document.get(key), str)}
        title = document.get("title", "")
        self._note(
            "UT205", f"correlations are not evaluated yet: '{title}'", file, document.line_of("correlation")
        )

    def _filter(self, document: Mapped, file: RuleFile) -> None:
        self.not_rules |= {text for text in (id_of(document), document.get("name")) if isinstance(text, str)}
        self.filters.append((convert_filter(document, self.placeholders), file))

    def join_filters(self) -> None:
        """Join each filter to its rules, once all rules are known."""
        if not self.filters:
            return
        sources = {rule: taken.rule.logsource for rule, taken in self.rules.items()}
        known: dict[str, list[str]] = {}
        for rule, taken in self.rules.items():
            if taken.name:
                known.setdefault(taken.name, []).append(rule)
        known |= {rule: [rule] for rule in sources}
        for wanted, file in self.filters:
            chosen, faults = choose(wanted, sources, known, self.not_rules)
            for code, message, hint in faults:
                self._note(code, f"filter '{wanted.title}': {message}", file, wanted.line, hint)
            for rule in chosen:
                taken = self.rules[rule]
                taken.rule = replace(taken.rule, condition=all_of((taken.rule.condition, wanted.condition)))
            if chosen:
                self.uses.append(
                    FilterUse(title=wanted.title, id=wanted.id, file=file.name, rules=tuple(chosen))
                )

    def _note(self, code: str, message: str, file: RuleFile, line: int | None, hint: str = "") -> None:
        severity: Any = CODES[code][0]
        place = Place(source=file.shown, line=line)
        self.problems.append(Problem(code=code, message=message, severity=severity, place=place, hint=hint))


def _overlaid(base: dict[Any, Any], over: Mapped) -> Mapped:
    """`over` laid upon `base`, mappings merged key by key, `action` dropped."""
    merged = Mapped(over.line)
    merged.update(base)
    merged.lines = {**getattr(base, "lines", {}), **over.lines}
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = (
            _overlaid(below, value) if isinstance(below, Mapped) and isinstance(value, Mapped) else value
        )
    merged.pop("action", None)
    return merged
