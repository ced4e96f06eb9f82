"""Compiles the tables of signature names into the file that is shipped. `--check` only tells whether it is current."""

from __future__ import annotations

import sys

from undertag.catalogue.signatures.compiling import compile_tables
from undertag.catalogue.signatures.tables import PATH
from undertag.model.problem import CatalogueError


def main(argv: list[str]) -> int:
    """Exit code: 0 written or current, 1 not current or the tables make no sense."""
    try:
        data = compile_tables()
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 1
    if "--check" in argv:
        current = PATH.is_file() and PATH.read_bytes() == data
        print(f"{PATH.name} is {'current' if current else 'not current'}", file=sys.stderr)
        return int(not current)
    PATH.write_bytes(data)
    print(f"{PATH.name}: {len(data):,} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
