"""The vocabulary as a page of documentation, made from the rules themselves.

Contract: pure over a `PackReport`; the same pack always gives the same text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from undertag.model.rule import Rule
from undertag.packs.check import PackReport, rule_kind
from undertag.packs.schema import RULE_KINDS, Custom, read_custom

_KINDS: Final = {
    "obs": (
        "Observations",
        "A fact of one event. It claims nothing; what it may mean stands under its links.",
    ),
    "ctx": ("Context", "A fact from enrichment."),
    "stat": ("Statistics", "How unusual something is."),
    "mit": (
        "Mitigations",
        "What speaks for innocence. It lowers a story's score and never silences an event.",
    ),
    "beh": ("Behaviours", "One event that is strong enough to be raised on its own."),
}
_HEAD: Final = """# The vocabulary

{made} A tag says what an event *is*. What it may
mean for a technique of ATT&CK {version} is a link with a strength: `compatible` < `consistent` <
`indicative` < `conclusive`; only the last two put an `attack.*` tag on an event. Links of observations go no
further than `consistent` unless they were measured.{more}

"""
_OURS: Final = (
    "Made from the rules by `tools/build_pack_docs.py`; do not edit.",
    " [How to write a rule](../how-to/write-a-tag-rule.md).",
)
_THEIRS: Final = ("Made from the rules by `undertag packs docs`.", "")


def pack_page(report: PackReport, *, attack_version: str, own: bool = True) -> str:
    """The whole page as Markdown; `own`: whether it is that of our pack, beside our other pages."""
    made, more = _OURS if own else _THEIRS
    parts = [_HEAD.format(version=attack_version, made=made, more=more), *_table(report.rules)]
    for kind in RULE_KINDS:
        rules = [rule for rule in report.rules if rule_kind(rule) == kind]
        if rules:
            title, says = _KINDS[kind]
            parts.append(f"\n## {title}\n\n{says}\n")
            for rule in sorted(rules, key=lambda rule: (_tag(rule), str(rule.logsource))):
                parts.extend(_entry(rule, report.descriptions.get(rule.id, "")))
    return "".join(parts)


def _table(rules: Sequence[Rule]) -> Iterator[str]:
    """Counts by area and kind."""
    counts = Counter((_tag(rule).split(".")[1], rule_kind(rule)) for rule in rules)
    kinds = [kind for kind in RULE_KINDS if any(kind == found for _area, found in counts)]
    yield (
        "| area | "
        + " | ".join(f"`{kind}`" for kind in kinds)
        + " |\n| --- |"
        + " ---: |" * len(kinds)
        + "\n"
    )
    for area in sorted({area for area, _kind in counts}):
        yield f"| {area} | " + " | ".join(str(counts[area, kind] or "") for kind in kinds) + " |\n"
    totals = [str(sum(n for (_area, found), n in counts.items() if found == kind)) for kind in kinds]
    yield "| **all** | " + " | ".join(totals) + " |\n"


def _tag(rule: Rule) -> str:
    return next((tag for tag in rule.tags if not tag.startswith("attack.")), "none.none")


def _entry(rule: Rule, description: str) -> Iterator[str]:
    custom = read_custom(rule.custom)
    yield f"\n### {rule.title}\n\n"
    yield f"`{_tag(rule)}` · {rule.logsource} · {rule.level} · `{rule.file}`\n\n{description}\n\n"
    if isinstance(custom, Custom):
        yield from _facts(custom)


def _facts(custom: Custom) -> Iterator[str]:
    if custom.benign:
        yield f"- Benign: {'; '.join(custom.benign)}\n"
    for link in custom.relates:
        yield f"- {link.technique}, *{link.strength}*: {link.why}\n"
    yield f"- Ask: {custom.ask}\n- Action: {custom.action}\n"
    yield f"- Needs: {', '.join(f'`{key}`' for key in custom.needs)}\n"
