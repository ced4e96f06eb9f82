"""`sources check`: everything that can be wrong with the catalogue's files, and what they hold.

Contract: finds all problems in one run and never stops at the first. `python -m undertag.catalogue.sources.check` prints them
by file, for those who write the files.
"""

from __future__ import annotations

import sys
from pathlib import Path

from undertag.catalogue.sources import links
from undertag.catalogue.sources.derived import read_derived
from undertag.catalogue.sources.files import DATA, read_curated, read_prerequisites
from undertag.model.problem import Problem


def check_files(root: Path = DATA) -> list[Problem]:
    """What is wrong with the curated files, the prerequisites and the derived tables."""
    curated = read_curated(root / "curated")
    prerequisites = read_prerequisites(root / "prerequisites")
    tables, problems = read_derived(root / "derived")
    keys = {key for _, key, _ in curated.entries()}
    keys.update(key for table in tables for key in table.rows)
    return [
        *curated.problems,
        *prerequisites.problems,
        *problems,
        *links.duplicate_keys(curated),
        *links.duplicate_keys(prerequisites),
        *links.missing_facts(curated),
        *links.dangling(curated, prerequisites, keys),
        *links.cycles(prerequisites),
        *links.attack_links(curated),
    ]


def main(argv: list[str]) -> int:
    """Prints every problem by file (only of files whose name holds one of `argv`); 1 if there are any."""
    problems = check_files()
    if argv:
        problems = [p for p in problems if p.place and any(part in p.place.source for part in argv)]
    for problem in sorted(
        problems, key=lambda p: (p.place.source, p.place.line or 0) if p.place else ("", 0)
    ):
        print(problem)  # noqa: T201
    print(f"{len(problems)} problems", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
