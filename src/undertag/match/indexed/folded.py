"""One event as the compiled conditions see it: each field's text folded when first asked for.

Contract: `event[name]` is the folded text of a field (a `str`, or a `Many` of texts for an array), None where it has
no text; `event["\\0" + name]` the same unfolded; `event[KEYWORDS]` a `Many` of all folded texts in the event,
`event[KEYWORDS_JOINED]` these with `BETWEEN` between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from undertag.match.indexed.long_texts import LongTexts
from undertag.match.scalars import all_scalars, fold, scalars_of, text_of
from undertag.model.batch import Batch

KEYWORDS: Final = "\0\0keywords"
KEYWORDS_AS_IS: Final = "\0\0\0keywords"
KEYWORDS_JOINED: Final = "\0\0joined"
BETWEEN: Final = "\0"
AS_IS: Final = "\0"


class Many(tuple[str, ...]):
    """The texts of a field that has several."""

    __slots__ = ()


class FoldedEvent(dict[str, Any]):
    """A memo of one event's texts."""

    __slots__ = ("batch", "longs", "row")

    def __init__(self, batch: Batch, row: int, longs: LongTexts) -> None:
        super().__init__()
        self.batch = batch
        self.row = row
        self.longs = longs

    def __missing__(self, name: str) -> Any:
        value: Any
        if name[0] != AS_IS:
            value = self.batch.value(self.row, name)
            if value.__class__ is str:
                value = value.lower()
                if not value.isascii():
                    value = fold(value)
            elif value is not None:
                value = as_text(value)
                if value is not None:
                    value = fold(value) if value.__class__ is str else Many(map(fold, value))
        elif name == KEYWORDS:
            value = Many(map(fold, _texts(all_scalars(self.batch.event(self.row)))))
        elif name == KEYWORDS_JOINED:
            value = BETWEEN.join(self[KEYWORDS])
        elif name == KEYWORDS_AS_IS:
            value = Many(_texts(all_scalars(self.batch.event(self.row))))
        else:
            value = as_text(self.batch.value(self.row, name[1:]))
        self[name] = value
        return value


def as_text(value: Any) -> str | Many | None:
    """A raw value as text: one, several, or none."""
    if value.__class__ is str:
        return value
    if value is None or isinstance(value, Mapping):
        return None
    if isinstance(value, list):
        return Many(_texts(scalars_of(value)))
    return text_of(value)


def _texts(scalars: Iterator[Any]) -> Iterator[str]:
    return (text_of(scalar) for scalar in scalars if scalar is not None)
