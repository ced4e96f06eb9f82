"""JSON lines into a stream: standard output, a named pipe, a device.

Contract: everything is written by the parent, in order. A stream can't be marked: its end is its end, and no notes
stand beside it. Whoever reads standard output may leave when they have seen enough; a pipe that was named must get all.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from undertag.model.output import Output
from undertag.model.problem import Problem, StoreError
from undertag.write.events import NewUid
from undertag.write.files import NOTHING, store_error
from undertag.write.jsonl import LineRenderer, Lines

STDOUT: Final = Path("<stdout>")
_CUT: Final = "what was written so far is only a part, and can't be marked as one"


class StreamWriter:
    """Hands the lines back."""

    def size(self, rendered: Lines) -> int:
        """See `Writer`."""
        return 0

    def write(self, rendered: Lines, offset: int, new_uids: Sequence[NewUid]) -> bytes:
        """See `Writer`."""
        return rendered.joined(new_uids)

    def close(self) -> None:
        """See `Writer`."""


class StreamSink:
    """JSON lines into standard output, or another open stream."""

    def __init__(self, stream: BinaryIO, *, attack_version: str, only_tagged: bool) -> None:
        self._stream = stream
        self._path = STDOUT
        self._attack_version = attack_version
        self._only_tagged = only_tagged

    def output(self) -> Output:
        """The file that the stream goes to, if it is one and the system tells its name."""
        try:
            number = self._stream.fileno()
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return Output(name=str(self._path))
        except OSError:
            return Output(name=str(self._path))
        return Output(name=str(self._path), paths=frozenset((os.path.realpath(f"/dev/fd/{number}"),)))

    def renderer(self) -> LineRenderer:
        """See `Sink`."""
        return LineRenderer(attack_version=self._attack_version, only_tagged=self._only_tagged)

    def writer(self) -> StreamWriter:
        """See `Sink`."""
        return StreamWriter()

    def open(self, about: Mapping[str, Any]) -> None:
        """See `Sink`."""

    def take(self, data: bytes) -> None:
        """See `Sink`.

        Raises:
            BrokenPipeError: whoever read the stream has gone, which is no fault.
            StoreError: it can't be written.
        """
        try:
            self._stream.write(data)
        except OSError as error:
            raise self._fault(error) from error

    def close(self, *, complete: bool, problems: Sequence[Problem], about: Mapping[str, Any]) -> None:
        """See `take`."""
        try:
            self._end()
        except OSError as error:
            raise self._fault(error) from error

    def _end(self) -> None:
        self._stream.flush()

    def _fault(self, error: OSError) -> Exception:
        return error if isinstance(error, BrokenPipeError) else stdout_error(error)


class PipeSink(StreamSink):
    """JSON lines into a named pipe or a device, which stays what it is."""

    def __init__(self, path: Path, *, attack_version: str, only_tagged: bool) -> None:
        self._path = path
        self._attack_version = attack_version
        self._only_tagged = only_tagged

    def output(self) -> Output:
        """See `Sink`. A device holds nothing that could be lost."""
        own = (os.path.realpath(self._path),) if self._path.is_fifo() else ()
        return Output(name=str(self._path), paths=frozenset(own))

    def open(self, about: Mapping[str, Any]) -> None:
        """Opens it; a pipe waits for somebody to read it."""
        try:
            self._stream = self._path.open("wb")
        except OSError as error:
            raise store_error(self._path, error, NOTHING) from error

    def _end(self) -> None:
        self._stream.close()

    def _fault(self, error: OSError) -> Exception:
        return store_error(self._path, error, _CUT)


def stdout_error(error: OSError) -> StoreError:
    """Why standard output can't be written."""
    closed = error.errno == errno.EBADF
    return store_error(STDOUT, error, "it is closed: send it to a file or /dev/null" if closed else _CUT)
