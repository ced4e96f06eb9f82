"""The floor for EVTX: parse each file, write its records' JSON. `evtx_floor.py FOLDER OUT`; one thread."""

from __future__ import annotations

import sys
from pathlib import Path

import evtx


def parse_and_write(folder: Path, target: Path) -> int:
    """Write every record below `folder` as a line of JSON to `target`; the number of records."""
    count = 0
    with target.open("wb", buffering=1 << 20) as writing:
        for path in sorted(folder.rglob("*.evtx")):
            # One thread of the parser too: it would start a pool of its own otherwise.
            for record in evtx.PyEvtxParser(str(path), number_of_threads=1).records_json():
                assert record is not None
                writing.write(record["data"].encode())
                writing.write(b"\n")
                count += 1
    return count


if __name__ == "__main__":
    print(parse_and_write(Path(sys.argv[1]), Path(sys.argv[2])))
