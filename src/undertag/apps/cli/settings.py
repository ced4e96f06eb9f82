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
from typing import Annotated, Self

import msgspec

from undertag.catalogue.attack import known_version
from undertag.catalogue.attack.releases import is_version
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

    def with_release(self) -> Self:
        """The settings for what uses the ATT&CK release: it is here, and named as releases are.

        Raises:
            CatalogueError: UT344, it is neither embedded nor imported.
        """
        return msgspec.structs.replace(self, attack_version=known_version(self.attack_version))


def load_settings(path: str | None) -> Settings:
    """Reads a settings file; the defaults where `path` is None.

    That the ATT&CK release is here isn't asked: what imports it reads the same file. See `Settings.with_release`.

    Raises:
        SettingsError: the file can't be read, is no TOML, or has an unknown key or a wrong value.
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
    if not is_version(settings.attack_version.strip().lower().removeprefix("v")):
        raise SettingsError(
            Problem(
                code="UT902",
                message=f"settings: {settings.attack_version[:40]!r} is no ATT&CK release - at `$.attack_version`",
                place=Place(source=path),
                hint='it is a number, as "19" or "18.1"',
            )
        )
    return settings
