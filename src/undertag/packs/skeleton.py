"""A new rule to fill in.

Contract: the text is valid Sigma and loads; `packs check` tells what is still to be said.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from undertag.model.problem import Problem, SettingsError
from undertag.packs.schema import is_pack_tag

_TEXT: Final = """title: {title}
id: {id}
status: experimental
description: What the event is, in a sentence or two.
author: {author}
date: {date}
tags:
  - {tag}
logsource:
  product: windows
  category: {category}
detection:
  selection:
    Image|endswith: '\\example.exe'
  condition: selection
level: {level}
undertag:
  benign: []
  relates: []
  ask: ''
  action: ''
  needs: []
  examples: []
  counterexamples: []
"""


def new_rule(tag: str, title: str, *, category: str, author: str, today: date, uuid: UUID) -> str:
    """The text of a rule that gives `tag`.

    Raises:
        SettingsError: UT904, `tag` is no tag name, or a text would not stay on its line.
    """
    if not is_pack_tag(tag):
        hint = "obs, ctx, stat, mit or beh, then area and what; at most 31 bytes"
        raise SettingsError(Problem(code="UT904", message=f"'{tag}' is no tag name", hint=hint))
    for text in (title, category, author):
        if not text or not text.isprintable() or set(text) & set(":#'\"{}[]&*!|>%@`\\"):
            hint = "plain words, without YAML's special characters"
            raise SettingsError(Problem(code="UT904", message=f"{text!r} can't stand in the rule", hint=hint))
    level = "medium" if tag.startswith("beh.") else "informational"
    return _TEXT.format(
        title=title, id=uuid, author=author, date=today.isoformat(), tag=tag, category=category, level=level
    )
