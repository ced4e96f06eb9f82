"""JSON lines into a file.

Contract: a file is written under its name with `.partial` behind it, by all workers at offsets that the parent hands
out, and gets its own name only when it is whole; a link stays one, the file that it leads to is written. Problems go to
`<file>.problems.jsonl`, what made it to `<file>.run.json`; those of a run that did not end well stand beside its
`.partial`, and what an earlier run left stays.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from undertag.model.output import Output
from undertag.model.problem import Place, Problem, StoreError
from undertag.write.events import NewUid
from undertag.write.jsonl import LineRenderer, Lines

RUN: Final = ".run.json"
FLUSH_BYTES: Final = 64 << 20
"""So much is written between two flushes."""
PROBLEMS: Final = ".problems.jsonl"
PARTIAL: Final = ".partial"
MARKED: Final = "what was written so far is marked as partial"
NOTHING: Final = "nothing was written"


class _Flusher:
    """Brings what was written to the disk meanwhile, so that little is left to wait for at the end."""

    def __init__(self) -> None:
        self._bytes = 0
        self._thread: threading.Thread | None = None
        self._error: OSError | None = None

    def wrote(self, file: int, size: int) -> None:
        """Counts what was written to `file`; now and then starts to flush it.

        Raises:
            OSError: what an earlier flush met.
        """
        self._bytes += size
        if self._bytes >= FLUSH_BYTES and (self._thread is None or not self._thread.is_alive()):
            self._bytes = 0
            self._thread = threading.Thread(target=self._flush, args=(file,), daemon=True)
            self._thread.start()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Waits for a flush under way. Raises: as `wrote`."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def _flush(self, file: int) -> None:
        try:
            os.fsync(file)
        except OSError as error:
            self._error = error


class FileWriter:
    """Writes units into one file at given offsets."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._flusher = _Flusher()

    def size(self, rendered: Lines) -> int:
        """See `Writer`. A new uid is as long as an old one."""
        return len(rendered.joined())

    def write(self, rendered: Lines, offset: int, new_uids: Sequence[NewUid]) -> bytes:
        """See `Writer`."""
        data = memoryview(rendered.joined(new_uids))
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_WRONLY)
            while data:
                written = os.pwrite(self._file, data, offset)
                data, offset = data[written:], offset + written
                self._flusher.wrote(self._file, written)
        except OSError as error:
            raise store_error(self._path, error) from error
        return b""

    def close(self) -> None:
        """See `Writer`."""
        if self._file >= 0:
            try:
                self._flusher.end()
            except OSError as error:
                raise store_error(self._path, error) from error
            finally:
                os.close(self._file)
                self._file = -1


class FileSink:
    """One file of JSON lines."""

    def __init__(self, path: Path, *, attack_version: str, only_tagged: bool) -> None:
        self._given = path
        self.path = followed(path)
        self._partial = _beside(self.path, PARTIAL)
        self._attack_version = attack_version
        self._only_tagged = only_tagged

    def output(self) -> Output:
        """See `Sink`. A file is an earlier run's if a note of ours is beside it."""
        folder = os.path.realpath(self.path.parent)
        paths: set[str] = set()
        foreign: set[str] = set()
        for written in (self.path, self._partial):
            notes = [_beside(written, note) for note in (RUN, PROBLEMS)]
            files = (written, *notes, *(_beside(note, PARTIAL) for note in notes))
            own = {os.path.join(folder, file.name) for file in files}  # noqa: PTH118 (a link must stay one)
            paths |= own
            if not is_ours(notes[0]):
                foreign |= own
        return Output(name=str(self._given), paths=frozenset(paths), foreign=frozenset(foreign))

    def renderer(self) -> LineRenderer:
        """See `Sink`."""
        return LineRenderer(attack_version=self._attack_version, only_tagged=self._only_tagged)

    def writer(self) -> FileWriter:
        """See `Sink`."""
        return FileWriter(self._partial)

    def open(self, about: Mapping[str, Any]) -> None:
        """See `Sink`."""
        try:
            self._partial.unlink(missing_ok=True)  # it may be a link to something else
            write_whole(_beside(self._partial, RUN), orjson.dumps({**about, "complete": False}))
            self._partial.write_bytes(b"")
        except OSError as error:
            raise store_error(self._given, error, NOTHING) from error

    def take(self, data: bytes) -> None:
        """Nothing comes back from a file's writers."""

    def close(self, *, complete: bool, problems: Sequence[Problem], about: Mapping[str, Any]) -> None:
        """See `Sink`."""
        state = MARKED
        try:
            if complete:
                sync(self._partial)
                self._partial.replace(self.path)
                state = "the events are whole, the notes beside them are not"
                for note in (RUN, PROBLEMS):
                    _beside(self._partial, note).unlink(missing_ok=True)
            written = self.path if complete else self._partial
            write_whole(_beside(written, RUN), orjson.dumps({**about, "complete": complete}))
            if problems:
                rows = b"".join(orjson.dumps(problem.row()) + b"\n" for problem in problems)
                write_whole(_beside(written, PROBLEMS), rows)
            else:
                _beside(written, PROBLEMS).unlink(missing_ok=True)
        except OSError as error:
            raise store_error(self._given, error, state) from error


def _beside(path: Path, note: str) -> Path:
    return path.with_name(path.name + note)


def followed(path: Path) -> Path:
    """What a link leads to in the end; any other path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def is_ours(note: Path) -> bool:
    """Whether a note says that a run of undertag wrote what is beside it."""
    try:
        document = orjson.loads(note.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    if not isinstance(document, dict) or not isinstance(document.get("complete"), bool):
        return False
    return "undertag" in document or len(document) == 1  # all that a run under way once said


def write_whole(path: Path, data: bytes) -> None:
    """Writes a small file so that it is there whole or not at all."""
    partial = _beside(path, PARTIAL)
    try:
        partial.unlink(missing_ok=True)  # it may be a link to something else
        partial.write_bytes(data)
        sync(partial)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    partial.replace(path)


def sync(path: Path) -> None:
    """Brings a file to the disk, where a full disk shows at the latest."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def store_error(path: Path, error: OSError, state: str = MARKED) -> StoreError:
    """An error of the system as one that says what became of the output."""
    return StoreError(
        Problem(
            code="UT601",
            message=f"can't write: {error.strerror or error}",
            place=Place(source=str(path)),
            hint=state,
        )
    )
