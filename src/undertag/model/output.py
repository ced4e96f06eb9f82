"""Where a run writes, told to those who read. No I/O."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a run makes or replaces, and so neither reads nor may take from somebody.

    Attributes:
        name: as it was given; `<stdout>` for standard output.
        paths: its files or its folder, all links followed; what lies in such a folder belongs to it.
        foreign: those of `paths` that no run of ours wrote, if they are there.
    """

    name: str = ""
    paths: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()

    def holds(self, path: str) -> bool:
        """Whether a path, all links followed, belongs to the output."""
        return path in self.paths or any(path.startswith(own + os.sep) for own in self.paths)


NOWHERE: Final = Output()
"""The output of who writes nothing."""
