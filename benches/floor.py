"""The floor: decode each line and write the same bytes, as fast as plain Python can. `floor.py IN OUT`.

No tagging can be faster in this process model, since it has to do at least this. One process, one thread.
"""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

CHUNK_BYTES = 1 << 20


def parse_and_rewrite(source: Path, target: Path) -> int:
    """Decode every line of `source` and write it to `target` unchanged; the number of lines."""
    count = 0
    loads = orjson.loads
    with source.open("rb", buffering=0) as reading, target.open("wb", buffering=0) as writing:
        rest = b""
        while chunk := reading.read(CHUNK_BYTES):
            whole, newline, tail = chunk.rpartition(b"\n")
            if not newline:
                rest += chunk
                continue
            block = rest + whole
            rest = tail
            for line in block.split(b"\n"):
                loads(line)
                count += 1
            writing.write(block)
            writing.write(b"\n")
        if rest:
            loads(rest)
            writing.write(rest)
            count += 1
    return count


if __name__ == "__main__":
    print(parse_and_rewrite(Path(sys.argv[1]), Path(sys.argv[2])))
