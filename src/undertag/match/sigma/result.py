"""What loading rules gives. Types only."""

from __future__ import annotations

from dataclasses import dataclass, field

from undertag.model.problem import Problem
from undertag.model.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterUse:
    """A Sigma filter and the ids of the rules that it was joined to."""

    title: str
    id: str
    file: str
    rules: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class LoadResult:
    """Rules in the order of their files; every document that is no rule in it has a row in `problems`."""

    rules: list[Rule] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    filters: list[FilterUse] = field(default_factory=list)
    files: int = 0
    """Files looked at."""
    correlations: int = 0
    """Correlation documents, none of which is evaluated yet."""
    others: int = 0
    """Documents that are no Sigma."""

    @property
    def rejected(self) -> list[Problem]:
        """The problems that kept a document from being loaded, in the order of the files."""
        return [problem for problem in self.problems if problem.severity == "error"]
