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
    """Our pack (if asked for), then the rules under `paths`, joined to one set."""
    from undertag.match.sigma.pause import collector_paused

    with collector_paused():
        loaded = _load(paths, settings, pack=pack)
        gc.freeze()  # rules live as long as the command: no collection need ever look at them
    return loaded


def _load(paths: Sequence[str], settings: Settings, *, pack: bool) -> RuleSet:
    from undertag.match.sigma.cache import load_rules_cached
    from undertag.match.sigma.joined import id_taken, joined

    if pack:
        from undertag.packs import pack_folder

    results = []
    if pack:
        results.append(load_rules_cached([pack_folder()], pack=True))
    if paths:
        results.append(load_rules_cached(paths, placeholders=settings.placeholders))
    rules, left_out = joined([rule for result in results for rule in result.rules])
    problems = [problem for result in results for problem in result.problems]
    problems += [id_taken(rule, first) for rule, first in left_out]
    rejected = len(left_out) + sum(len(result.rejected) for result in results)
    return RuleSet(rules=rules, problems=problems, rejected=rejected)
