"""Writes the example that `undertag demo` tags: a made-up week of two Windows systems with one attack in it.

Contract: the same seed gives the same lines. `week.jsonl.zst` holds the events, `truth.json` the record numbers of
those that belong to the attack (system → channel → numbers). `--out DIR` writes elsewhere, `--check` writes nothing
and tells whether what is shipped is what would be written.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zstandard

from demo_week.attack import attack
from demo_week.host import Host
from demo_week.records import Log
from demo_week.server import day_of_server
from demo_week.station import working_day

SEED = 1117
MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
FOLDER = Path(__file__).parent.parent / "src" / "undertag" / "apps" / "demo"
WEEK, TRUTH = "week.jsonl.zst", "truth.json"


def build(seed: int = SEED) -> tuple[bytes, bytes]:
    """The lines of the week, and the truth about them."""
    log = Log(seed)
    station = Host(log, "WS-17", "192.0.2.117")
    server = Host(log, "SRV-FILES", "192.0.2.20")
    for number in range(7):
        day = MONDAY + timedelta(days=number)
        working = number < 5
        day_of_server(day, server, working=working)
        if working:
            user = working_day(day, station, at_home=number in (1, 4))
            if number == 3:
                attack(day, station, server, user)
    lines, truth = log.lines()
    return b"\n".join(lines) + b"\n", json.dumps(truth, indent=1).encode() + b"\n"


def main(argv: list[str]) -> int:
    """Exit code: 0 written or current, 1 not current."""
    folder = Path(argv[argv.index("--out") + 1]) if "--out" in argv else FOLDER
    week, truth = build()
    if "--check" in argv:
        shipped = zstandard.ZstdDecompressor().decompress((folder / WEEK).read_bytes())
        return int(shipped != week or (folder / TRUTH).read_bytes() != truth)
    packed = zstandard.ZstdCompressor(level=19, write_checksum=True).compress(week)
    (folder / WEEK).write_bytes(packed)
    (folder / TRUTH).write_bytes(truth)
    print(f"{week.count(10):,} events, {len(week):,} bytes, packed {len(packed):,}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
