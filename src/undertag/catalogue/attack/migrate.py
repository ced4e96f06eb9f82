"""Migrates the ATT&CK tags of files from one release to another.

Contract: without `write` nothing on disk changes. A file is replaced in one step, with its mode kept, and
only if its tags changed; a file that can't be read or rewritten is a finding and stays as it is. Files come
in the order of their names. Never the network.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from undertag.catalogue.attack.releases import known_version
from undertag.catalogue.attack.resolve import resolve_tag
from undertag.catalogue.attack.rewrite import Deprecated, Rewritten, TagEdit, needs_look, rewrite
from undertag.model.problem import Place, Problem, ReadError, SettingsError, StoreError, UndertagError

MAX_BYTES: Final = 16 * 1024 * 1024
"""A file of all public Sigma rules has about 8 MB."""
SUFFIXES: Final = frozenset({".yml", ".yaml", ".toml"})
_BOM: Final = b"\xef\xbb\xbf"
_TOML_TAG = re.compile(r"""(["'])(attack\.[A-Za-z0-9][A-Za-z0-9._/-]*)\1""")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMigration:
    """What becomes of one file."""

    path: Path
    edits: tuple[TagEdit, ...]
    findings: tuple[Problem, ...]
    diff: str
    """The change as a unified diff; "" where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """What becomes of all files; `touched` holds those with edits or findings only."""

    to: str
    files: int
    changed: int
    written: int
    touched: tuple[FileMigration, ...]

    @property
    def findings(self) -> tuple[Problem, ...]:
        """All that a person has to look at."""
        return tuple(problem for one in self.touched for problem in one.findings)


def migrate(
    inputs: Sequence[str], to: str, *, write: bool = False, deprecated: Deprecated = "keep"
) -> Migration:
    """Rewrites the tags of Sigma rules and settings (`.yml`, `.yaml`, `.toml`) to those of release `to`.

    Args:
        inputs: files, folders (read whole) or globs.
        to: the release.
        write: replace the files; else only say what would change.
        deprecated: `follow` replaces deprecated techniques by what ATT&CK names in their place.

    Raises:
        CatalogueError: UT344, there is no such release.
        SettingsError: UT361, an input doesn't exist.
        StoreError: UT360, a file can't be replaced.
    """
    version = known_version(to)
    files = changed = written = 0
    touched: list[FileMigration] = []
    for path in find_files(inputs):
        files += 1
        one, data = _migrate_file(path, version, deprecated)
        if one is None:
            continue
        touched.append(one)
        changed += bool(one.edits)
        if write and one.edits:
            _replace(path, data)
            written += 1
    return Migration(to=version, files=files, changed=changed, written=written, touched=tuple(touched))


def find_files(inputs: Iterable[str]) -> Iterator[Path]:
    """The rule and settings files behind files, folders and globs, each once."""
    seen: set[Path] = set()
    for text in inputs:
        for path in _expand(text):
            if path not in seen:
                seen.add(path)
                yield path


def _expand(text: str) -> Iterable[Path]:
    path = Path(text)
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [path]
    import glob

    names = glob.glob(text, recursive=True) if glob.has_magic(text) else []  # noqa: PTH207  # absolute too
    found = sorted(Path(name) for name in names)
    if not found:
        raise SettingsError(
            Problem(
                code="UT361",
                message="there is no such file or folder"
                if text != "-"
                else "standard input can't be migrated",
                place=Place(source=text),
                hint="give rule files, folders or globs",
            )
        )
    return [inner for one in found for inner in (_folder(one) if one.is_dir() else [one])]


def _folder(folder: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if Path(name).suffix.lower() in SUFFIXES:
                yield Path(here) / name


def _migrate_file(path: Path, to: str, deprecated: Deprecated) -> tuple[FileMigration | None, bytes]:
    try:
        raw = _read(path)
        bom = _BOM if raw.startswith(_BOM) else b""
        text = _decode(raw[len(bom) :], path)
        if not needs_look(text, to):
            return None, b""
        toml = path.suffix.lower() == ".toml"
        result = _rewrite_toml(text, to, path) if toml else rewrite(text, to, str(path), deprecated)
    except UndertagError as error:
        return FileMigration(path=path, edits=(), findings=(error.problem,), diff=""), b""
    if not result.edits and not result.findings:
        return None, b""
    diff = _diff(path, text, result.text)
    one = FileMigration(path=path, edits=result.edits, findings=result.findings, diff=diff)
    return one, bom + result.text.encode()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        problem = Problem(
            code="UT362", message=f"can't be read: {error.strerror or error}", place=Place(source=str(path))
        )
        raise ReadError(problem) from error
    if len(data) > MAX_BYTES:
        raise ReadError(
            Problem(
                code="UT362",
                message=f"bigger than {MAX_BYTES // (1024 * 1024)} MB",
                place=Place(source=str(path)),
            )
        )
    return data


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadError(
            Problem(
                code="UT362",
                message=f"not UTF-8: {error.reason}",
                place=Place(source=str(path), offset=error.start),
                hint="save it as UTF-8",
            )
        ) from error


def _rewrite_toml(text: str, to: str, path: Path) -> Rewritten:
    """Rewrites whole TOML strings that are tags; a tag that becomes several is a finding."""
    before = _toml(text, path)
    edits: list[TagEdit] = []
    findings: list[Problem] = []
    moved: dict[str, str] = {}
    line = 1
    seen = 0

    def change(match: re.Match[str]) -> str:
        nonlocal line, seen
        quote, tag = match.groups()
        found = resolve_tag(tag, to)
        line += text.count("\n", seen, match.start())
        seen = match.start()
        if found.state == "moved" or (found.state == "current" and found.tags != (tag.lower(),)):
            new = found.tags[0]
            moved[tag] = new
            edits.append(TagEdit(line=line, tag=tag, to=(new,), reason=" → ".join(found.chain)))
            return f"{quote}{new}{quote}"
        if found.state not in ("current", "not-tracked"):
            hint = ", ".join(found.tags or found.suggestions)
            findings.append(
                Problem(
                    code="UT355" if found.state == "unknown" else "UT358",
                    message=f"{tag} is {found.state} in ATT&CK {to}",
                    severity="warning",
                    place=Place(source=str(path), line=line),
                    hint=f"see {hint}" if hint else "",
                )
            )
        return match.group()

    new_text = _TOML_TAG.sub(change, text)
    if _toml(new_text, path) != _mapped(before, moved):
        problem = Problem(
            code="UT354", message="rewriting would change more than tags", place=Place(source=str(path))
        )
        raise ReadError(problem)
    return Rewritten(text=new_text, edits=tuple(edits), findings=tuple(findings))


def _toml(text: str, path: Path) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ReadError(
            Problem(code="UT354", message=f"the file is no TOML: {error}", place=Place(source=str(path)))
        ) from error


def _mapped(value: Any, moved: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {moved.get(key, key): _mapped(item, moved) for key, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, moved) for item in value]
    return moved.get(value, value) if isinstance(value, str) else value


def _diff(path: Path, before: str, after: str) -> str:
    """A unified diff; line endings are shown as they are."""
    if before == after:
        return ""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(
        line if line.endswith("\n") else line + "\n"
        for line in difflib.unified_diff(old, new, fromfile=str(path), tofile=str(path), n=1)
    )


def _replace(path: Path, data: bytes) -> None:
    """Puts new bytes in a file's place in one step; through a symbolic link, into the file that it names."""
    target = path.resolve()
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".undertag-") as scratch:
            new = Path(scratch) / target.name
            new.write_bytes(data)
            shutil.copymode(target, new)
            new.replace(target)
    except OSError as error:
        raise StoreError(
            Problem(
                code="UT360",
                message=f"the file can't be replaced: {error.strerror or error}",
                place=Place(source=str(path)),
            )
        ) from error
