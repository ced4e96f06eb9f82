"""Takes an official ATT&CK bundle into the user's data folder.

Contract: bounded (`MAX_BYTES`), all or nothing (the stored file is replaced in one step), and the network is
touched only for an https URL that the user gave. The bundle's SHA-256 is compared with the published ones; a
bundle that is not among them is stored all the same, marked `verified: false`, and a warning is returned.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from undertag.catalogue.attack.bundle import BundleFacts, read_bundle
from undertag.catalogue.attack.facts import DATA
from undertag.catalogue.attack.releases import STORED_FORMAT, data_folder, is_version
from undertag.catalogue.attack.resolve import forget
from undertag.model.problem import CatalogueError, Place, Problem, ReadError, StoreError

MAX_BYTES: Final = 200 * 1024 * 1024
"""Official bundles have 10 to 60 MB."""
TIMEOUT_SECONDS: Final = 60
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import did."""

    version: str
    stix: str
    """STIX version of the published bundle that it equals; "" if it equals none."""
    verified: bool
    sha256: str
    path: Path
    techniques: int
    tactics: int
    others: int
    problems: tuple[Problem, ...]


def import_bundle(source: str, *, version: str | None = None, folder: Path | None = None) -> Imported:
    """Reads a bundle from a file or an https URL and stores its facts.

    Args:
        source: a path, or a URL that begins with `https://`.
        version: the release, where neither hash nor bundle tells it.
        folder: where to store it; the user's data folder by default.

    Raises:
        ReadError: UT341 no whole JSON document; UT348 it can't be read or fetched; UT349 it is too big.
        CatalogueError: UT342 no bundle; UT343 not Enterprise; UT350 the release is not known; UT351 a URL
            that is not https.
        StoreError: UT352 the facts can't be written.
    """
    data = _fetch(source) if "://" in source else _read(Path(source))
    digest = hashlib.sha256(data).hexdigest()
    stix, official = published().get(digest, ("", ""))
    facts = read_bundle(data, source)
    chosen = _version(source, version, official, facts)
    problems = list(facts.problems)
    if not official:
        problems.append(
            Problem(
                code="UT353",
                message=f"unverified: its SHA-256 {digest[:16]}… is none of the published ones",
                severity="warning",
                place=Place(source=source),
                hint="official bundles come from MITRE's attack-stix-data and cti repositories",
            )
        )
    elif version and chosen != official:
        problems.append(
            Problem(
                code="UT353",
                message=f"stored as {chosen}, but its SHA-256 is that of ATT&CK {official}",
                severity="warning",
                place=Place(source=source),
            )
        )
    path = (folder or data_folder()) / f"{chosen}.json"
    _store(path, stored_document(facts, chosen, digest, bool(official), Path(source).name))
    forget()
    techniques = sum(key.startswith("T") for key in facts.rows)
    return Imported(
        version=chosen,
        stix=stix,
        verified=bool(official),
        sha256=digest,
        path=path,
        techniques=techniques,
        tactics=len(facts.tactics),
        others=len(facts.rows) - techniques,
        problems=tuple(problems),
    )


@cache
def published() -> dict[str, tuple[str, str]]:
    """SHA-256 of each official Enterprise bundle → (STIX version, newest release with that hash)."""
    import json

    document = json.loads((DATA / "hashes.json").read_bytes())
    return {
        digest: (stix, version)
        for stix, table in document["enterprise"].items()
        for version, digest in table.items()
    }


def stored_document(
    facts: BundleFacts, version: str, digest: str, verified: bool, name: str
) -> dict[str, Any]:
    """The facts of a bundle in the form that `releases.load_release` reads."""
    components = {
        "owners": facts.component_sources,
        "techniques": _table(facts.components),
    }
    return {
        "format": STORED_FORMAT,
        "version": version,
        "read": {"file": name, "sha256": digest, "verified": verified},
        "tactics": [[short, *value] for short, value in facts.tactics.items()],
        "objects": {key: list(row) for key, row in facts.rows.items()},
        "telemetry": {
            "data_sources": {version: _table(facts.data_sources)} if facts.data_sources else {},
            "components": {version: components} if facts.components else {},
            "log_sources": {
                version: [
                    [row.component, row.name, row.channel, list(row.event_ids), list(row.techniques)]
                    for row in facts.log_sources
                ]
            },
        },
    }


def _table(lists: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    names = sorted({name for values in lists.values() for name in values})
    number = {name: index for index, name in enumerate(names)}
    return {"names": names, "of": {key: [number[name] for name in values] for key, values in lists.items()}}


def _version(source: str, asked: str | None, official: str, facts: BundleFacts) -> str:
    version = (asked or official or facts.version_hint).strip().lower().removeprefix("v")
    if is_version(version):
        return version
    raise CatalogueError(
        Problem(
            code="UT350",
            message="the bundle doesn't say which ATT&CK release it is"
            if not version
            else f"{version[:40]!r} is no release",
            place=Place(source=source),
            hint="name it with `--as`, as in `--as 18.1`",
        )
    )


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_big(str(path))
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReadError(
            Problem(
                code="UT348",
                message=f"the bundle can't be read: {error.strerror or error}",
                place=Place(source=str(path)),
            )
        ) from error
    if len(data) > MAX_BYTES:
        raise _too_big(str(path))
    return data


def _too_big(source: str) -> ReadError:
    return ReadError(
        Problem(
            code="UT349",
            message=f"the file is bigger than {MAX_BYTES // (1024 * 1024)} MB, so it is no ATT&CK bundle",
            place=Place(source=source),
            hint="give the enterprise-attack JSON file of an ATT&CK release",
        )
    )


def _fetch(url: str) -> bytes:
    """The bytes behind an https URL; a redirect to anything but https is refused."""
    import ssl
    import urllib.error
    import urllib.request

    if not url.lower().startswith("https://"):
        raise CatalogueError(
            Problem(
                code="UT351",
                message="only https:// addresses are fetched",
                place=Place(source=url[:200]),
                hint="or fetch the file yourself and give its path",
            )
        )

    class OnlyHttps(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            if not newurl.lower().startswith("https://"):
                raise urllib.error.URLError(f"redirected to {newurl[:100]}, which is not https")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        OnlyHttps(),
    ):
        opener.add_handler(handler)
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "undertag"})  # noqa: S310  # https only
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            parts, size = [], 0
            while chunk := answer.read(_CHUNK):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise _too_big(url)
                parts.append(chunk)
    except (OSError, ValueError) as error:
        raise ReadError(
            Problem(
                code="UT348", message=f"the bundle can't be fetched: {error}", place=Place(source=url[:200])
            )
        ) from error
    return b"".join(parts)


def _store(path: Path, document: dict[str, Any]) -> None:
    import json

    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".import-") as scratch:
            new = Path(scratch) / path.name
            with new.open("wb") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(path)
    except OSError as error:
        raise StoreError(
            Problem(
                code="UT352",
                message=f"the release can't be stored: {error.strerror or error}",
                place=Place(source=str(path)),
                hint="UNDERTAG_DATA names another folder",
            )
        ) from error
