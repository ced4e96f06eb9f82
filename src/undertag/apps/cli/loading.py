"""Rules for a command: ours and the user's, from the cache where nothing changed."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass

from undertag.apps.cli.settings import Settings
from undertag.model.problem import Problem
from undertag.model.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Loaded rules, what was wrong with the others, and how many those are."""

    rules: list[Rule]
    problems: list[Problem]
    rejected: int


def load_rule_set(paths: Sequence[str], settings: Settings, *, pack: bool) -> RuleSet:
    """Our pack (if asked for), then the rules under `paths`; of two with one id the first stays.

    The order is by id, so that what an event says doesn't depend on where files lie.
    """
    from undertag.match.sigma.pause import collector_paused

    with collector_paused():
        loaded = _load(paths, settings, pack=pack)
        gc.freeze()  # rules live as long as the command: no collection need ever look at them
    return loaded


def _load(paths: Sequence[str], settings: Settings, *, pack: bool) -> RuleSet:
    from undertag.match.sigma.cache import load_rules_cached

    if pack:
        from undertag.packs import pack_folder

    results = []
    if pack:
        results.append(load_rules_cached([pack_folder()], pack=True))
    if paths:
        results.append(load_rules_cached(paths, placeholders=settings.placeholders))
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    rejected = 0
    for result in results:
        problems.extend(result.problems)
        rejected += len(result.rejected)
        for rule in result.rules:
            if rule.id in rules:
                rejected += 1
                problems.append(
                    Problem(
                        code="UT208",
                        message=f"{rule.file}: the id {rule.id} is taken by {rules[rule.id].file}",
                        hint="give one of them another id",
                    )
                )
            else:
                rules[rule.id] = rule
    ordered = sorted(rules.values(), key=lambda rule: (not rule.pack, rule.id))
    return RuleSet(rules=ordered, problems=problems, rejected=rejected)
