"""Compiled rule sets, kept between runs. Data only: no code is ever read back.

Contract: `load_rules_cached` gives what `load_rules` would, or less trouble than that: whatever is wrong with
the cache (not readable, not writable, damaged, forged) it is passed over and the rules are loaded afresh. The
key is a hash over every file's bytes and name, the settings, and the versions of all that takes part, so no
entry is ever stale. What is read back is checked node by node and bounded like rules from files are.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard

from undertag.match.sigma.codes import CODES
from undertag.match.sigma.files import RuleFile, read_rule_files
from undertag.match.sigma.result import LoadResult
from undertag.match.sigma.stored import decode_result, encode_result
from undertag.model.problem import Place, Problem

FORMAT: Final = 4
"""To be raised whenever the loader gives another result for the same file, or the stored form changes."""
KEEP: Final = 8
MAX_BYTES: Final = 256 * 1024 * 1024
SUFFIX: Final = ".rules"
ENVIRONMENT: Final = "UNDERTAG_CACHE"


def load_rules_cached(
    paths: Iterable[str | os.PathLike[str]],
    *,
    placeholders: Mapping[str, Sequence[str]] | None = None,
    pack: bool = False,
    folder: str | os.PathLike[str] | None = None,
) -> LoadResult:
    """Load rules as `load_rules` does, from the cache where the same files were loaded before.

    Args:
        paths: files and folders.
        placeholders: as for `load_rules`.
        pack: as for `load_rules`.
        folder: where the cache lies; by default `$UNDERTAG_CACHE`, or the user's cache folder.

    Raises:
        RuleError: UT200, a path doesn't exist.
    """
    files, problems = read_rule_files(paths)
    place = Path(folder) if folder is not None else cache_folder()
    path = place / f"{cache_key(files, problems, placeholders or {}, pack)}{SUFFIX}"
    result = _read(path)
    if result is not None:
        return result
    from undertag.match.sigma.load import load_files  # pySigma takes longer to import than the cache to read

    result = load_files(files, problems, placeholders=placeholders or {}, pack=pack)
    data = encode_result(result)
    result = decode_result(data)  # the first run has what later ones have
    fault = _write(path, data)
    if fault:
        severity: Any = CODES["UT250"][0]
        hint = f"set {ENVIRONMENT} to a folder that can be written"
        problem = Problem(
            code="UT250", message=fault, severity=severity, place=Place(source=str(path)), hint=hint
        )
        result.problems.append(problem)
    return result


def cache_folder() -> Path:
    """`$UNDERTAG_CACHE`, or `rules` in the user's cache folder."""
    if configured := os.environ.get(ENVIRONMENT):
        return Path(configured)
    from platformdirs import user_cache_path

    return user_cache_path("undertag") / "rules"


def cache_key(
    files: list[RuleFile], problems: list[Problem], placeholders: Mapping[str, Sequence[str]], pack: bool
) -> str:
    """The hash that an entry is filed under: 64 hex digits."""
    settings = {
        "format": FORMAT,
        "versions": [version(name) for name in ("undertag", "pysigma", "pyyaml", "google-re2", "regex")],
        "placeholders": {name: list(values) for name, values in placeholders.items()},
        "pack": pack,
        "problems": [problem.row() for problem in problems],
    }
    digest = hashlib.sha256(msgspec.json.encode(settings, order="deterministic"))
    for file in files:
        named = msgspec.json.encode([file.name, file.shown, len(file.data)])
        digest.update(named)
        digest.update(hashlib.sha256(file.data).digest())
    return digest.hexdigest()


def _read(path: Path) -> LoadResult | None:
    try:
        with path.open("rb") as stream:
            packed = stream.read(MAX_BYTES)
        if not 0 <= zstandard.frame_content_size(packed) <= MAX_BYTES:
            return None
        result = decode_result(zstandard.ZstdDecompressor().decompress(packed))
        os.utime(path)  # the newest used are kept
    except (OSError, zstandard.ZstdError, ValueError, RecursionError):
        return None
    return result


def _write(path: Path, data: bytes) -> str:
    """Write an entry in one step and drop the oldest; gives what went wrong, if anything."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data))
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        entries = sorted(path.parent.glob(f"*{SUFFIX}"), key=lambda entry: entry.stat().st_mtime_ns)
        for entry in entries[:-KEEP]:
            entry.unlink(missing_ok=True)
    except OSError as error:
        return f"the rule cache can't be written: {error.strerror or error}"
    return ""
