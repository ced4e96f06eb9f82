"""Make a big, seeded corpus from real recordings: `generate.py --events N --seed S --shape SHAPE --out FILE`.

The same recordings, seed, size and shape give the same bytes. Beside FILE stands FILE.meta.json, by which a
later run knows that the file can be reused. How copies differ: `variation.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from copies import WEEK_SECONDS, varied_lines
from sources import SHAPES, corpora, read_sources
from variation import make_templates

DATA = Path(__file__).resolve().parent / "data"
CHUNK_LINES = 8192


def generate(events: int, seed: int, shape: str) -> Iterator[bytes]:
    """`events` lines of `shape`, newline included."""
    sources = read_sources(shape, corpora())
    count = sum(len(source.lines) for source in sources)
    if not count:
        raise SystemExit(f"the corpora hold no recording for the shape {shape}")
    copies = math.ceil(events / count)
    templates = make_templates(sources, WEEK_SECONDS / copies)
    return islice(varied_lines(templates, seed, copies), events)


def corpus_file(events: int, seed: int, shape: str, out: Path | None = None) -> Path:
    """The file of such a corpus, made now unless it is there already."""
    out = out or DATA / f"{shape}-{events}-s{seed}.jsonl"
    meta_file = out.with_name(out.name + ".meta.json")
    wanted = {"events": events, "seed": seed, "shape": shape, "generator": _generator_hash()}
    if out.exists() and meta_file.exists():
        meta = json.loads(meta_file.read_bytes())
        if (
            all(meta.get(key) == value for key, value in wanted.items())
            and meta["bytes"] == out.stat().st_size
        ):
            return out
    out.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    part = out.with_name(out.name + ".part")
    with part.open("wb") as file:
        lines = generate(events, seed, shape)
        while chunk := b"".join(islice(lines, CHUNK_LINES)):
            file.write(chunk)
    part.replace(out)
    seconds = round(time.perf_counter() - started, 2)
    meta = wanted | {"bytes": out.stat().st_size, "seconds": seconds}
    meta_file.write_text(json.dumps(meta, indent=1) + "\n")
    print(f"{out.name}: {events} events, {out.stat().st_size / 1e6:.1f} MB, {seconds} s", file=sys.stderr)
    return out


def _generator_hash() -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for name in ("generate.py", "sources.py", "variation.py", "copies.py"):
        digest.update((here / name).read_bytes())
    return digest.hexdigest()[:16]


def main(argv: list[str] | None = None) -> None:
    """Read the arguments and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", choices=SHAPES, default="evtx-json")
    parser.add_argument("--out", type=Path, help="default: benches/data/SHAPE-EVENTS-sSEED.jsonl")
    arguments: Any = parser.parse_args(argv)
    if arguments.events < 1:
        parser.error("--events has to be at least 1")
    print(corpus_file(arguments.events, arguments.seed, arguments.shape, arguments.out))


if __name__ == "__main__":
    main()
