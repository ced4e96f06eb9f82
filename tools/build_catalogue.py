"""Compiles the catalogue's files into the one that is shipped. `--check` only tells whether it is current."""

from __future__ import annotations

import sys

from undertag.catalogue.sources.building import compile_all, write
from undertag.catalogue.sources.check import check_catalogue
from undertag.catalogue.sources.files import DATA
from undertag.catalogue.sources.lookup import PATH


def main(argv: list[str]) -> int:
    """Exit code: 0 written or current, 1 not current or the files have problems (then nothing is written, but with `--force`)."""
    if "--check" in argv:
        _, problems = check_catalogue()
    else:
        compiled = compile_all(DATA)
        problems = compiled.problems
        if not problems or "--force" in argv:
            size = write(compiled, PATH)
            print(f"{PATH.name}: {len(compiled.entries):,} entries, {size:,} bytes", file=sys.stderr)
    print("\n".join(map(str, problems)), file=sys.stderr)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
