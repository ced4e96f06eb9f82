"""The settings file: TOML, checked key by key.

prefix = "undertag"          # stands before every tag's title
attack_version = "19"
rules = ["rules/"]           # loaded when `--rules` isn't given
workers = 2                  # 1 to 256; by default one a core
[placeholders]
Administrators = ["adm_*"]
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from undertag.catalogue.attack import known_version
from undertag.model.problem import Place, Problem, SettingsError

MAX_BYTES = 1 << 20


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What may be set."""

    prefix: str = "undertag"
    attack_version: str = "19"
    downgrade_informational: bool = False
    rules: list[str] = []
    placeholders: dict[str, list[str]] = {}
    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] | None = None


def load_settings(path: str | None) -> Settings:
    """Reads a settings file; the defaults where `path` is None.

    Raises:
        SettingsError: the file can't be read, is no TOML, or has an unknown key or a wrong value.
        CatalogueError: it names an ATT&CK release that isn't here.
    """
    if path is None:
        return Settings()
    try:
        with Path(path).open("rb") as file:
            text = file.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise SettingsError(
                Problem(code="UT902", message="settings file is larger than 1 MiB", place=Place(source=path))
            )
        settings = msgspec.convert(tomllib.loads(text.decode()), Settings)
    except OSError as error:
        raise SettingsError(
            Problem(code="UT901", message=f"can't read settings: {error.strerror}", place=Place(source=path))
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(
            Problem(
                code="UT902",
                message=f"settings: {error}",
                place=Place(source=path),
                hint="see docs/reference/settings.md",
            )
        ) from error
    return msgspec.structs.replace(settings, attack_version=known_version(settings.attack_version))
