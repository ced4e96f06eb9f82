"""The command `undertag`."""

from __future__ import annotations

import contextlib
import os
import sys

from undertag import __version__


def main() -> None:
    """Runs the command line; ends the process with the exit code of house rules (see `undertag --help`)."""
    # Asked by scripts all the time: not worth loading the rest.
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        with contextlib.suppress(OSError):  # which the rest would tell
            print(f"undertag {__version__}", flush=True)  # noqa: T201
            return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads, which nothing here has work for
    from undertag.apps.cli.commands import run

    sys.exit(run(sys.argv[1:]))
