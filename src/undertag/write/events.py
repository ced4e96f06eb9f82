"""What writing asks for and gives: rendering of tagged batches, and sinks that take what was rendered.

Contract: a `Renderer` and a `Writer` live in each worker, a `Sink` in the parent. Units are rendered in any order and
written in order, so that the output is the same however many workers there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from undertag.model.batch import Batch
from undertag.model.output import Output
from undertag.model.problem import Problem


class Names(Protocol):
    """The tags of an event."""

    @property
    def names(self) -> tuple[str, ...]:
        """Tag names."""

    @property
    def json(self) -> bytes:
        """The tags as a JSON array."""


class Tagged:
    """What was found in one event: its hits as a JSON array, and its tags; the same object where all is the same.

    Attributes:
        written: what the renderer made of it, to be made once; None until then.
    """

    __slots__ = ("rules", "tags", "written")

    def __init__(self, rules: bytes, tags: Names) -> None:
        self.rules = rules
        self.tags = tags
        self.written: bytes | None = None


class NewUid(NamedTuple):
    """The uid that a repeated record gets instead of its own."""

    number: int
    old: bytes
    new: bytes


class Renderer(Protocol):
    """Turns batches into what a writer takes; the rendered form is the writer's own business."""

    def start(self) -> Any:
        """An empty form for one unit."""

    def render(self, batch: Batch, tagged: Mapping[int, Tagged], rendered: Any) -> None:
        """Adds a batch to the form. `tagged` is by row of the batch."""


class Writer(Protocol):
    """Writes rendered units, in a worker. Small and picklable until it is first used."""

    def size(self, rendered: Any) -> int:
        """Bytes that the unit will take in the output; 0 where the place doesn't matter."""

    def write(self, rendered: Any, offset: int, new_uids: Sequence[NewUid]) -> bytes:
        """Writes the unit at `offset`, or gives the bytes back for the parent to write."""

    def close(self) -> None:
        """Writes what was held back."""


class Sink(Protocol):
    """An output, in the parent."""

    def output(self) -> Output:
        """What will be written or replaced, as of now; nothing is made or changed."""

    def renderer(self) -> Renderer:
        """A renderer for one worker."""

    def writer(self) -> Writer:
        """A writer for one worker."""

    def open(self, about: Mapping[str, Any]) -> None:
        """Makes the output, marked as unfinished, with what makes it: `about` names undertag's version as `undertag`."""

    def take(self, data: bytes) -> None:
        """Takes bytes that a writer gave back."""

    def close(self, *, complete: bool, problems: Sequence[Problem], about: Mapping[str, Any]) -> None:
        """Ends the output; only a complete one loses its mark."""
