"""Hits, tags and techniques of a run, counted over what events had in common.

Contract: counts are those of the events as written, whatever the number of workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from undertag.model.rule import Rule
from undertag.pipeline.tally import Tally
from undertag.tag.antivirus import RULE as SIGNATURE_NAME
from undertag.tag.tagger import Tagger


class Counts:
    """Hits, tags and techniques, counted over the sets of rules that events matched."""

    def __init__(self, rules: Sequence[Rule], tally: Tally, tagger: Tagger) -> None:
        self.rule_hits: Counter[str] = Counter()
        self.tags: Counter[str] = Counter()
        self.techniques: Counter[str] = Counter()
        for numbers, events in tally.groups.items():
            for number in numbers:
                self.rule_hits[rules[number].id] += events
            found = tagger.tags_of(numbers)
            for name in found.names:
                self.tags[name] += events
            for technique in found.techniques:
                self.techniques[technique] += events
        for (names, techniques), events in tally.named.items():
            self.rule_hits[SIGNATURE_NAME] += events
            self.tags.update(dict.fromkeys(names, events))
            self.techniques.update(dict.fromkeys(techniques, events))


def ranked(counts: Counter[str]) -> dict[str, int]:
    """By count, then by name, so that the same counts always read the same."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
