"""SigmaHQ's regression data: for each rule a recording that it has to find.

Contract: `info.yml` files are joined to rules by rule id (titles go stale). `match_count` is a lower bound; where it is
missing, one match is enough. A recording that can't be read, or a rule that isn't there, fails its case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import yaml

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.engine import Engine
from undertag.match.sigma.cache import load_rules_cached
from undertag.model.batch import Batch
from undertag.model.entry import Service
from undertag.model.problem import Place, Problem, ReadError
from undertag.model.rule import Rule
from undertag.read import records, units
from undertag.read.normalise.normaliser import Normaliser

MAX_INFO_BYTES: Final = 1 << 20
RECORDINGS: Final = (".evtx", ".raw", ".log")
"""Recordings that stand in for tests where an `info.yml` names none; JSON beside an EVTX is the same once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recording of one rule."""

    rule: str
    title: str
    expected: int
    found: int
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """The case as a row of the command's JSON."""
        return {
            "rule": self.rule,
            "title": self.title,
            "expected": self.expected,
            "found": self.found,
            "reason": self.reason,
        }


@dataclass(slots=True, kw_only=True)
class Regression:
    """What came of all cases."""

    total: int = 0
    passed: int = 0
    failed: list[Case] = field(default_factory=list)
    over: list[Case] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The keys of the command's contract."""
        return {
            "total": self.total,
            "passed": self.passed,
            "failed": [case.to_json() for case in self.failed],
            "over": [case.to_json() for case in self.over],
        }


def run_regression(folder: str, *, placeholders: Mapping[str, Sequence[str]] | None = None) -> Regression:
    """Runs every case below `folder`.

    Raises:
        ReadError: there is no `regression_data` with an `info.yml` below `folder`.
    """
    root = Path(folder)
    infos = sorted(root.rglob("info.yml"))
    infos = [path for path in infos if "regression_data" in path.parts]
    if not infos:
        raise ReadError(
            Problem(
                code="UT120",
                message="no regression_data/**/info.yml found",
                place=Place(source=folder),
                hint="name the folder of SigmaHQ's repository",
            )
        )
    rule_folders = [
        str(path) for path in sorted(root.iterdir()) if path.is_dir() and path.name.startswith("rules")
    ]
    loaded = load_rules_cached(rule_folders or [folder], placeholders=placeholders)
    rules = {rule.id: rule for rule in loaded.rules}
    result = Regression(problems=list(loaded.problems))
    for info in infos:
        for case in _cases(info, root, rules, result.problems):
            result.total += 1
            if case.reason or case.found < case.expected:
                result.failed.append(case)
                continue
            result.passed += 1
            if case.found > case.expected:
                result.over.append(case)
    return result


def _cases(info: Path, root: Path, rules: Mapping[str, Rule], problems: list[Problem]) -> Iterator[Case]:
    document = _read_info(info, problems)
    if document is None:
        yield Case(rule=str(info), title="", expected=1, found=0, reason="info.yml can't be read")
        return
    tests: list[Mapping[str, Any]] = [
        test for test in _list(document.get("regression_tests_info")) if isinstance(test, Mapping)
    ] or [{"path": beside.name} for beside in sorted(info.parent.iterdir()) if beside.suffix in RECORDINGS]
    for about in _list(document.get("rule_metadata")):
        rule_id = str(about.get("id")) if isinstance(about, Mapping) else ""
        title = str(about.get("title", "")) if isinstance(about, Mapping) else ""
        rule = rules.get(rule_id)
        for test in tests or [{}]:
            count = test.get("match_count")
            expected = count if isinstance(count, int) and not isinstance(count, bool) else 1
            if rule is None:
                yield Case(
                    rule=rule_id,
                    title=title,
                    expected=expected,
                    found=0,
                    reason="the rule isn't there or was rejected",
                )
                continue
            path = _recording(test, info, root)
            if path is None:
                yield Case(
                    rule=rule_id, title=title, expected=expected, found=0, reason="the recording isn't there"
                )
                continue
            yield Case(rule=rule_id, title=rule.title, expected=expected, found=_count(rule, path, problems))


def _read_info(path: Path, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            document = yaml.safe_load(file.read(MAX_INFO_BYTES))
    except (OSError, yaml.YAMLError) as error:
        problems.append(Problem(code="UT121", message=f"can't read: {error}", place=Place(source=str(path))))
        return None
    return document if isinstance(document, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _recording(test: Mapping[str, Any], info: Path, root: Path) -> Path | None:
    """The test's recording: where its path says, or beside its `info.yml`; never outside the folder."""
    named = test.get("path")
    if not isinstance(named, str):
        return None
    for path in (root / named, info.parent / Path(named).name):
        if path.is_file() and path.resolve().is_relative_to(root.resolve()):
            return path
    return None


def _count(rule: Rule, path: Path, problems: list[Problem]) -> int:
    """Events of a recording that the rule matches."""
    engine = Engine([rule])
    normaliser = Normaliser(windows_router(), other_router())
    found = 0
    for unit in units([str(path)], problems=problems):
        normalised = normaliser.normalise(unit, records(unit))
        problems.extend(normalised.problems)
        found += sum(len(engine.match(_as_meant(batch, rule))) for batch in normalised.batches)
    return found


def _as_meant(batch: Batch, rule: Rule) -> Batch:
    """A batch of events that nothing tells the log source of: a rule's own recording is of the rule's log source."""
    if not batch.entry.catalogued and not batch.entry.services:
        batch.entry = replace(batch.entry, services=(Service(logsource=rule.logsource),))
    return batch
