"""SigmaHQ's regression data: for each rule a recording that it has to find.

Contract: `info.yml` files are joined to rules by rule id (titles go stale); where one names no rule, by the recording's
file name, which is the rule's id. `match_count` is a lower bound; where it is missing, one match is enough. Every `info.yml`
gives one case at least: what can't be read, or a rule that isn't there, fails its case and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from undertag.catalogue.other import other_router
from undertag.catalogue.windows import windows_router
from undertag.match.engine import Engine
from undertag.match.sigma.cache import load_rules_cached
from undertag.match.sigma.codes import Rejected
from undertag.match.sigma.documents import MAX_BYTES, read_documents
from undertag.match.sigma.files import SUFFIXES
from undertag.model.batch import Batch
from undertag.model.entry import Service
from undertag.model.problem import Place, Problem, ReadError
from undertag.model.rule import Rule
from undertag.read import records, units
from undertag.read.normalise.normaliser import Normaliser

DATA: Final = "regression_data"
MAX_COUNT: Final = 1 << 53
"""The largest whole number that every reader of JSON takes."""
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
    infos = [path for path in infos if DATA in path.parts]
    if not infos:
        raise ReadError(
            Problem(
                code="UT120",
                message="no regression_data/**/info.yml found",
                place=Place(source=folder),
                hint="name the folder of SigmaHQ's repository",
            )
        )
    result = Regression()
    rules = _Rules(root, placeholders, result.problems)
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


class _Rules:
    """The rules below a folder by id: of its folders `rules*`, then, if one isn't there, of all but the regression data."""

    def __init__(
        self, root: Path, placeholders: Mapping[str, Sequence[str]] | None, problems: list[Problem]
    ) -> None:
        first = [path for path in sorted(root.glob("rules*")) if path.is_dir()]
        others = [
            path
            for path in sorted(root.iterdir())
            if path not in first
            and path.name != DATA
            and not path.name.startswith(".")
            and not path.is_symlink()
            and (path.is_dir() or path.name.lower().endswith(SUFFIXES))
        ]
        self._unread = [paths for paths in (first, others) if paths]
        self._placeholders = placeholders
        self._problems = problems
        self._known: dict[str, Rule] = {}

    def find(self, rule_id: str) -> Rule | None:
        """The rule of this id, which is folded as rules' own are."""
        while rule_id not in self._known and self._unread:
            loaded = load_rules_cached(self._unread.pop(0), placeholders=self._placeholders)
            self._problems.extend(loaded.problems)
            self._known = {rule.id: rule for rule in loaded.rules} | self._known
        return self._known.get(rule_id)


def _cases(info: Path, root: Path, rules: _Rules, problems: list[Problem]) -> Iterator[Case]:
    try:
        document = _read_info(info)
    except ReadError as error:
        problems.append(error.problem)
        reason = f"info.yml {error.problem.message}"
        yield Case(rule=str(info), title="", expected=1, found=0, reason=reason)
        return
    beside = [{"path": path.name} for path in sorted(info.parent.iterdir()) if path.suffix in RECORDINGS]
    for about in _mappings(document.get("rule_metadata")) or [{}]:
        for test in _mappings(document.get("regression_tests_info")) or beside or [{}]:
            yield _case(about, test, info, root, rules, problems)


def _case(
    about: Mapping[str, Any],
    test: Mapping[str, Any],
    info: Path,
    root: Path,
    rules: _Rules,
    problems: list[Problem],
) -> Case:
    """One recording, run; or what keeps it from being run."""
    count = 1 if test.get("match_count") is None else test["match_count"]
    counts = isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= MAX_COUNT
    rule_id = _rule_id(about, test)
    title = about.get("title")
    case = Case(
        rule=rule_id or str(info),
        title=title if isinstance(title, str) else "",
        expected=count if counts else 1,
        found=0,
    )
    if not rule_id:
        return replace(case, reason="info.yml names no rule")
    rule = rules.find(rule_id)
    if rule is None:
        return replace(case, reason="the rule isn't there or was rejected")
    path = _recording(test, info, root)
    if path is None:
        return replace(case, reason="the recording isn't there")
    if not counts:
        return replace(case, reason="match_count is no whole number from 0 up")
    return replace(case, title=rule.title, found=_count(rule, path, problems))


def _read_info(path: Path) -> Mapping[str, Any]:
    """The one mapping of an `info.yml`.

    Raises:
        ReadError: UT121, there is none.
    """
    line, hint = None, "correct it: every info.yml is a case"
    try:
        if not path.is_file():
            raise OSError("not a regular file")  # a pipe would be waited for
        with path.open("rb") as file:
            read = list(read_documents(file.read(MAX_BYTES + 1)))
        documents = [document for document, _ in read if document is not None]
        if len(documents) == 1 and isinstance(documents[0], Mapping):
            return documents[0]
        fault = "it isn't one mapping"
    except OSError as error:
        fault = error.strerror or str(error)
    except Rejected as error:
        fault, line, hint = error.message, error.line, error.hint or hint
    place = Place(source=str(path), line=line)
    raise ReadError(Problem(code="UT121", message=f"can't be read: {fault}", place=place, hint=hint))


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    """The entries of a list, a value alone being a list of one; what is no mapping says nothing but that it is there."""
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return [entry if isinstance(entry, Mapping) else {} for entry in listed]


def _rule_id(about: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    """The rule's id, folded: as named, or else the name of the recording's file if that is one."""
    named, path = about.get("id"), test.get("path")
    text = str(named) if named else Path(path).stem if isinstance(path, str) else ""
    try:
        return str(UUID(text))
    except ValueError:
        return text.lower() if named else ""


def _recording(test: Mapping[str, Any], info: Path, root: Path) -> Path | None:
    """The test's recording: where its path says, or beside its `info.yml`; never outside the folder."""
    named = test.get("path")
    if not isinstance(named, str):
        return None
    for path in (root / named, info.parent / Path(named).name):
        try:
            real = path.resolve(strict=True)
        except (
            OSError,
            ValueError,
            RuntimeError,
        ):  # not there, or no path: too long, a NUL, links in a circle
            continue
        if real.is_file() and real.is_relative_to(root.resolve()):
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
