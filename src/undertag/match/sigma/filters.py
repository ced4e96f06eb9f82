"""Sigma filters: what they are joined to, and how.

Contract, as pySigma 2.0 has it: a filter's condition is *and*ed to the condition of each rule that it names
(by id, by name, which several rules may bear, or `any`) and whose log source its own covers; a filter that takes
events away therefore says `condition: not selection`. Filters join only rules, never filters or correlations, so
there are no chains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from undertag.match.sigma.codes import Rejected
from undertag.match.sigma.condition import convert_condition
from undertag.match.sigma.detection import Placeholders
from undertag.match.sigma.documents import Mapped
from undertag.match.sigma.rules import document_hash, id_of, logsource_of, selections_of, title_of
from undertag.model.expr import Expr
from undertag.model.rule import LogSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter as read. `references` is None for `any`."""

    id: str
    title: str
    name: str | None
    logsource: LogSource
    references: tuple[str, ...] | None
    condition: Expr
    line: int


def convert_filter(document: Mapped, placeholders: Placeholders) -> Filter:
    """Convert a filter's document.

    Raises:
        Rejected: UT230, or what makes a rule's parts fail.
    """
    section = document.get("filter")
    line = document.line_of("filter")
    if not isinstance(section, Mapped):
        raise Rejected("UT230", "`filter` is no mapping", hint="see the filter specification", line=line)
    condition = section.get("condition")
    if not isinstance(condition, str):
        hint = "add one condition, such as `condition: not selection`"
        raise Rejected(
            "UT230", "a filter needs exactly one condition", hint=hint, line=section.line_of("condition")
        )
    title = title_of(document)
    selections = selections_of(section, ("condition", "rules"), f"{title}: ", placeholders)
    name = document.get("name")
    return Filter(
        id=id_of(document) or f"sha256:{document_hash(document)}",
        title=title,
        name=name if isinstance(name, str) else None,
        logsource=logsource_of(document),
        references=_references(section),
        condition=convert_condition(condition, selections, section.line_of("condition")),
        line=section.line_of("rules"),
    )


def _references(section: Mapped) -> tuple[str, ...] | None:
    rules = section.get("rules")
    if isinstance(rules, str):
        return None if rules.lower() == "any" else (rules,)
    if isinstance(rules, list) and all(isinstance(rule, str) for rule in rules):
        return tuple(rules) or None
    hint = "give rule ids or names, or `any`"
    raise Rejected(
        "UT230", "`rules` is missing or no list of texts", hint=hint, line=section.line_of("rules")
    )


def covers(filter_source: LogSource, rule_source: LogSource) -> bool:
    """Whether each part that the filter's log source names is the same in the rule's."""
    return (
        filter_source.product in (None, rule_source.product)
        and filter_source.category in (None, rule_source.category)
        and filter_source.service in (None, rule_source.service)
    )


def choose(
    wanted: Filter,
    sources: Mapping[str, LogSource],
    known: Mapping[str, Sequence[str]],
    others: Iterable[str],
) -> tuple[list[str], list[tuple[str, str, str]]]:
    """The ids of the rules that a filter joins, and (code, message, hint) of what it names in vain.

    Args:
        wanted: the filter.
        sources: rule id → log source.
        known: what a rule may be called by (id in lower case, name) → ids of all rules called so.
        others: ids and names of filters and correlations.
    """
    faults: list[tuple[str, str, str]] = []
    if wanted.references is None:
        chosen = [rule for rule, source in sources.items() if covers(wanted.logsource, source)]
        if not chosen:
            faults.append(
                ("UT232", f"no rule has a log source under {wanted.logsource}", "check the log source")
            )
        return chosen, faults
    chosen = []
    names = set(others)
    for reference in wanted.references:
        called = known.get(reference) or known.get(reference.lower()) or ()
        if not called and (reference in names or reference.lower() in names):
            message = f"'{reference}' is a filter or correlation; filters join rules only"
            faults.append(("UT233", message, "name the rules themselves"))
        elif not called:
            hint = "the rule may have been rejected, or lie outside the paths given"
            faults.append(("UT231", f"no rule '{reference}' is loaded", hint))
        for rule in called:
            if not covers(wanted.logsource, sources[rule]):
                message = f"rule '{reference}' has log source {sources[rule]}, the filter {wanted.logsource}"
                faults.append(("UT232", message, "make the filter's log source wider"))
            elif rule not in chosen:
                chosen.append(rule)
    return chosen, faults
