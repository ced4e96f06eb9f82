"""What the tests of this room share: reading to the end, and a place to find the corpora."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from undertag.model.problem import Problem
from undertag.read import records, units
from undertag.read.limits import Limits

ROOT = Path(__file__).parents[2]
CORPORA = Path(os.environ.get("UNDERTAG_CORPORA", ROOT.parent / "shared" / "corpora"))

needs_corpora = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA.is_dir(), reason=f"no corpora at {CORPORA}: set UNDERTAG_CORPORA"),
]


@dataclass
class Read:
    """All that came out of some inputs."""

    raws: list[bytes] = field(default_factory=list)
    docs: list[Any] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    formats: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    units: int = 0

    @property
    def codes(self) -> list[str]:
        return sorted(problem.code for problem in self.problems)


def read_all(*inputs: str | Path, unit_bytes: int = 4 << 20, limits: Limits | None = None) -> Read:
    """Reads inputs as a run would, one unit after the other."""
    result = Read()
    for unit in units(inputs, unit_bytes=unit_bytes, problems=result.problems, limits=limits):
        found = records(unit)
        assert found.docs is None or len(found.docs) == len(found.raws)
        assert not found.offsets or len(found.offsets) == len(found.raws)
        result.units += 1
        result.raws += found.raws
        result.docs += found.docs or []
        result.places += [(unit.source, offset) for offset in found.offsets]
        result.problems += found.problems
        result.formats.add(unit.format)
        if unit.source not in result.sources:
            result.sources.append(unit.source)
    return result


def write(folder: Path, name: str, data: bytes) -> Path:
    """A file with this content."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def tar_of(members: dict[str, bytes | tarfile.TarInfo], form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar archive; a `TarInfo` stands for a member without data."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            if isinstance(data, tarfile.TarInfo):
                archive.addfile(data)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
