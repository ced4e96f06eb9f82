"""`sources check`: everything that can be wrong with the catalogue's files, and what they hold.

Contract: finds all problems in one run and never stops at the first. `python -m undertag.catalogue.sources.check` prints them
by file, for those who write the files.
"""

from __future__ import annotations

import sys
from pathlib import Path

from undertag.catalogue.sources.artefact import Artefact
from undertag.catalogue.sources.building import Compiled, compile_all
from undertag.catalogue.sources.files import DATA
from undertag.catalogue.sources.lookup import PATH
from undertag.model.problem import CatalogueError, Place, Problem


def check_catalogue(root: Path = DATA, artefact: Path = PATH) -> tuple[Compiled, list[Problem]]:
    """The compiled files and all that is wrong, by file; a stale or damaged artefact included."""
    compiled = compile_all(root)
    problems = [*compiled.problems, *_stale(compiled, artefact)]
    return compiled, sorted(problems, key=_place)


def _stale(compiled: Compiled, artefact: Path) -> list[Problem]:
    try:
        found = Artefact(artefact).head.digest
    except CatalogueError as error:
        return [error.problem]
    if found == compiled.digest:
        return []
    return [
        Problem(
            code="UT313",
            message="the compiled catalogue was made from other files",
            place=Place(source=artefact.name),
            hint="run tools/build_catalogue.py",
        )
    ]


def _place(problem: Problem) -> tuple[str, int, str]:
    place = problem.place
    return (place.source, place.line or 0, problem.message) if place else ("", 0, problem.message)


def main(argv: list[str]) -> int:
    """Prints every problem (only of files whose name holds one of `argv`); 1 if there are any."""
    _, problems = check_catalogue()
    if argv:
        problems = [p for p in problems if p.place and any(part in p.place.source for part in argv)]
    for problem in problems:
        print(problem)  # noqa: T201
    print(f"{len(problems)} problems", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
