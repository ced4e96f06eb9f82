"""What `--out` names: standard output, a pipe or device, a file, a folder."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from undertag.model.problem import Place, Problem, SettingsError

if TYPE_CHECKING:
    from undertag.write.events import Sink

FORMATS: Final = ("jsonl", "parquet")


def sink_of(out: str | None, format_name: str | None, attack_version: str, only_tagged: bool) -> Sink | None:
    """Where events go by what `--out` and `--format` say; None where nobody wants them.

    Raises:
        SettingsError: UT903, the two don't go together, or nothing can be written there.
    """
    if format_name is not None and format_name not in FORMATS:
        raise SettingsError(
            Problem(code="UT903", message=f"unknown format {format_name!r}", hint="jsonl or parquet")
        )
    if out is None:
        return None
    from undertag.write.files import FileSink
    from undertag.write.streams import PipeSink, StreamSink

    if out == "-":
        if format_name == "parquet":
            raise SettingsError(
                Problem(
                    code="UT903", message="standard output can't be --format parquet", hint="name a folder"
                )
            )
        return StreamSink(sys.stdout.buffer, attack_version=attack_version, only_tagged=only_tagged)
    path = Path(out)
    if _is_stream(path):
        if format_name == "parquet":
            raise _unfit(out, "a pipe or device can't hold --format parquet", "name a folder")
        return PipeSink(path, attack_version=attack_version, only_tagged=only_tagged)
    if format_name is None:
        format_name = (
            "jsonl" if path.is_file() or path.suffix in (".jsonl", ".json", ".ndjson") else "parquet"
        )
    if format_name == "jsonl":
        if path.is_dir():
            raise _unfit(out, "a folder can't hold --format jsonl", "name a file")
        return FileSink(path, attack_version=attack_version, only_tagged=only_tagged)
    from undertag.write.store.parquet import StoreSink

    return StoreSink(path, attack_version=attack_version, only_tagged=only_tagged)


def _is_stream(path: Path) -> bool:
    """Whether `path` leads to a pipe or device, which is written as it is.

    Raises:
        SettingsError: UT903, it leads to a disk or socket.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # not there yet, or whoever opens it tells
        return False
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise _unfit(str(path), "a disk or socket can't be written", "name a file or folder")
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _unfit(out: str, message: str, hint: str) -> SettingsError:
    return SettingsError(Problem(code="UT903", message=message, place=Place(source=out), hint=hint))
