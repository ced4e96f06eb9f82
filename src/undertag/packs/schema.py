"""What stands under the `undertag:` key of a pack rule, and what a tag may be called.

Contract: pure; `read_custom` gives the typed form or says, with the path of the fault, what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from undertag.model.tag import MAX_TAG_BYTES, STRENGTHS, Strength

RULE_KINDS: Final = ("obs", "ctx", "stat", "mit", "beh")
"""Kinds of tag that a rule of a pack may give; `attack` comes through links only."""
TAG: Final = re.compile(rf"({'|'.join(RULE_KINDS)})\.[a-z0-9_-]+(\.[a-z0-9_-]+)+")
ENTRY_KEY: Final = re.compile(r"[a-z0-9_-]+(/[A-Za-z0-9._-]+){2,4}")
SHARED_CHANNELS: Final = frozenset({"system", "application", "setup", "forwardedevents"})
MAX_TEXT: Final = 300
UNMEASURED_MAX: Final = STRENGTHS.index("consistent")
"""The strongest link that an observation may have without a measurement."""


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a strength was measured: in `corpus`, of `n` events with the tag `positives` were the technique."""

    corpus: str
    positives: int
    n: int


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A link from the tag to a technique, and why it is as strong as it is."""

    technique: str
    strength: Strength
    why: str
    measured: Measured | None = None


class Custom(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The mapping under `undertag:`. Events are flat: Sigma's field names, with `Channel` and `EventID`."""

    ask: str
    action: str
    needs: list[str]
    examples: list[dict[str, Any]]
    counterexamples: list[dict[str, Any]]
    benign: list[str] = []
    relates: list[Link] = []


def read_custom(value: Mapping[str, Any]) -> Custom | str:
    """The typed form of an `undertag:` mapping, or what is wrong with its shape."""
    try:
        return msgspec.convert(value, Custom)
    except msgspec.ValidationError as error:
        return str(error)


def faults_of_custom(custom: Custom, kind: str) -> list[tuple[str, str, str]]:
    """(code, message, hint) for everything that the shape alone doesn't tell."""
    faults = [
        ("UT263", f"`{name}` is empty", "say something, or the analyst learns nothing")
        for name in ("ask", "action", "needs", "examples", "counterexamples")
        if not getattr(custom, name)
    ]
    if not custom.benign and kind in ("obs", "beh", "stat"):
        faults.append(("UT263", "`benign` is empty", "name who does this innocently"))
    if custom.ask and not custom.ask.endswith("?"):
        faults.append(("UT263", "`ask` is no question", "end it with a question mark"))
    texts = [custom.ask, custom.action, *custom.benign, *(link.why for link in custom.relates)]
    faults.extend(
        ("UT263", f"text is empty or longer than {MAX_TEXT} characters: {text[:40]!r}", "one plain sentence")
        for text in texts
        if not text.strip() or len(text) > MAX_TEXT
    )
    if len(set(custom.needs)) != len(custom.needs):
        faults.append(("UT265", "`needs` names a key twice", "name it once"))
    faults.extend(
        ("UT265", f"'{key}' is no entry key", "platform/channel/id, as `undertag sources search` shows it")
        for key in custom.needs
        if not is_entry_key(key)
    )
    named = [link.technique for link in custom.relates]
    if len(set(named)) != len(named):
        faults.append(("UT264", "`relates` names a technique twice", "keep one link a technique"))
    faults.extend(
        (
            "UT264",
            f"'{link.strength}' for {link.technique} has no measurement",
            "at most `consistent` without",
        )
        for link in custom.relates
        if kind != "beh" and link.measured is None and STRENGTHS.index(link.strength) > UNMEASURED_MAX
    )
    return faults


def is_entry_key(key: str) -> bool:
    """Whether a text has the form of an entry's key; Windows' shared channels name the provider as well.

    >>> is_entry_key("windows/sysmon/7"), is_entry_key("windows/system/7045")
    (True, False)
    """
    if ENTRY_KEY.fullmatch(key) is None:
        return False
    platform, channel, *rest = key.split("/")
    if platform != "windows":
        return True
    return len(rest) == (2 if channel in SHARED_CHANNELS else 1) and rest[-1].isdigit()


def is_pack_tag(tag: str) -> bool:
    """Whether a tag is `kind.area.what`, of a kind that rules may give, and short enough everywhere."""
    return len(tag.encode()) <= MAX_TAG_BYTES and TAG.fullmatch(tag) is not None
