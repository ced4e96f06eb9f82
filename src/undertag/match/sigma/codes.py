"""The stable codes of everything that can be wrong with a rule. Data only; the table below is the reference.

`error` = the document was rejected and the rule does not run; `warning` = it runs, less something; `info` =
nothing is wrong, but the document does nothing here.
"""

from __future__ import annotations

from typing import Final

CODES: Final[dict[str, tuple[str, str]]] = {
    "UT200": ("error", "rule path can't be read"),
    "UT201": ("error", "not valid YAML"),
    "UT202": ("error", "a key stands twice in one mapping"),
    "UT203": ("error", "file too large, too deep, or aliases expand to too much"),
    "UT204": ("info", "not a Sigma document"),
    "UT205": ("info", "correlations are not evaluated yet"),
    "UT206": ("error", "a part that every rule needs is missing or of the wrong type"),
    "UT207": ("error", "the rule's id is no UUID"),
    "UT208": ("error", "the rule's id is taken by another rule"),
    "UT210": ("error", "unknown modifier"),
    "UT211": ("error", "modifier and value don't go together"),
    "UT212": ("error", "regular expression not valid"),
    "UT213": ("error", "network not valid"),
    "UT214": ("error", "placeholder without a setting"),
    "UT215": ("error", "selection empty or malformed"),
    "UT220": ("error", "condition can't be parsed"),
    "UT221": ("error", "condition names a selection that isn't there"),
    "UT222": ("error", "aggregation by pipe, which Sigma 2 replaced by correlations"),
    "UT223": ("error", "rule expands to too many tests"),
    "UT230": ("error", "filter malformed"),
    "UT231": ("warning", "filter names a rule that isn't there"),
    "UT232": ("warning", "filter's log source doesn't cover the rule that it names, or no rule at all"),
    "UT233": ("warning", "filter names a filter or a correlation"),
    "UT240": ("warning", "descriptive part malformed and left out"),
    "UT250": ("info", "cached rule set could not be used or written"),
    "UT251": ("error", "cached rule is damaged"),
    "UT260": ("warning", "regular expression cut off on a value while matching; counted as no match"),
}
"""Code → (severity, title)."""


class Rejected(Exception):
    """A document can't be loaded. Caught by the loader, which adds the file and makes the `Problem`."""

    def __init__(self, code: str, message: str, *, hint: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
