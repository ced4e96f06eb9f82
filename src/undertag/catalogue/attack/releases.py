"""Which ATT&CK releases there are: the embedded ones, and those that the user has imported.

Contract: looking never writes and never touches the network. An embedded release comes before an imported one
of the same version, unless the imported one is asked for by `load_release(..., imported=True)` or alone covers
the kind of id (`release_with`). The user's folder is looked into only when something is asked that the embedded
facts don't have.
"""

from __future__ import annotations

import os
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from undertag.catalogue.attack.facts import DEFAULT_VERSION, Release, Tactic, history, id_kind
from undertag.model.problem import CatalogueError, Place, Problem

STORED_FORMAT: Final = 1


def data_folder() -> Path:
    """Where imported releases lie: `$UNDERTAG_DATA/attack`, else the user's data folder."""
    chosen = os.environ.get("UNDERTAG_DATA")
    if chosen:
        return Path(chosen) / "attack"
    return _user_folder()


@cache
def _user_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("undertag", appauthor=False)) / "attack"


def embedded_versions() -> tuple[str, ...]:
    """The embedded releases, oldest first."""
    return history().versions


def imported_versions() -> tuple[str, ...]:
    """The imported releases, oldest first."""
    folder = data_folder()
    try:
        changed = folder.stat().st_mtime_ns
    except FileNotFoundError:
        return ()
    return _versions_in(folder, changed)


@lru_cache(maxsize=8)
def _versions_in(folder: Path, _changed: int) -> tuple[str, ...]:
    found = {path.stem for path in folder.glob("*.json") if is_version(path.stem)}
    return tuple(sorted(found, key=version_number))


def versions() -> tuple[str, ...]:
    """All releases that can be loaded, oldest first."""
    imported = imported_versions()
    if not imported:
        return embedded_versions()
    return tuple(sorted({*embedded_versions(), *imported}, key=version_number))


def is_version(text: str) -> bool:
    """Whether the text is a release number such as `19` or `18.1`."""
    parts = text.split(".")
    return 1 <= len(parts) <= 2 and all(
        part.isascii() and part.isdigit() and len(part) <= 3 for part in parts
    )


def version_number(version: str) -> tuple[int, ...]:
    """A version that sorts; `19` and `19.0` are equal.

    >>> version_number("8.2") < version_number("17.1") < version_number("19")
    True
    """
    parts = [int(part) for part in version.split(".")]
    return tuple(parts if len(parts) > 1 else [*parts, 0])


def known_version(asked: str) -> str:
    """The version as releases are named: without `v`, `19.0` as `19`, `6` as `6.0`.

    Raises:
        CatalogueError: UT344, no such release is embedded or imported.
    """
    text = asked.strip().lower().removeprefix("v")
    if text in embedded_versions():
        return text
    known = versions()
    if text in known:
        return text
    if is_version(text):
        same = [version for version in known if version_number(version) == version_number(text)]
        if same:
            return same[0]
    raise CatalogueError(
        Problem(
            code="UT344",
            message=f"no ATT&CK release {asked[:40]!r} is here",
            hint=f"known: {', '.join(known)}; others can be added with `undertag attack import FILE`",
        )
    )


def load_release(version: str = DEFAULT_VERSION, *, imported: bool = False) -> Release:
    """A release by its version.

    Args:
        version: `"19"`, `"18.1"`, also `"v18.1"`.
        imported: prefer the user's import over the embedded facts of the same version.

    Raises:
        CatalogueError: UT344, there is no such release; UT345, its imported file is damaged.
    """
    known = known_version(version)
    if known in embedded_versions() and not (imported and known in imported_versions()):
        return history().release(known)
    path = data_folder() / f"{known}.json"
    return _load_stored(path, path.stat().st_mtime_ns)


def release_with(kind: str, version: str) -> Release:
    """A release by its version; for ids of a kind (`G`) that its embedded facts don't cover, the user's import of that version.

    Raises:
        CatalogueError: as `load_release`.
    """
    release = load_release(version)
    if kind in release.tracks:
        return release
    imported = load_release(version, imported=True)
    return imported if kind in imported.tracks else release


@lru_cache(maxsize=8)
def _load_stored(path: Path, _changed: int) -> Release:
    document = read_stored(path)
    try:
        tactics = {
            name: Tactic(name=name, id=place, title=title) for name, place, title in document["tactics"]
        }
        rows = {
            str(key): (str(name), tuple(own), tuple(platforms), str(state), tuple(after))
            for key, (name, own, platforms, state, after) in document["objects"].items()
            if id_kind(key)
        }
        return Release(version=document["version"], tactics=tactics, rows=rows)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def read_stored(path: Path) -> dict[str, Any]:
    """The document of an imported release.

    Raises:
        CatalogueError: UT345, the file is damaged or of another format.
    """
    import json

    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(document, dict) or document.get("format") != STORED_FORMAT:
        raise _damaged(path, "it is of another format")
    return document


def _damaged(path: Path, why: str) -> CatalogueError:
    return CatalogueError(
        Problem(
            code="UT345",
            message=f"the imported ATT&CK release can't be used: {why[:200]}",
            place=Place(source=str(path)),
            hint="import it again, or delete the file",
        )
    )
