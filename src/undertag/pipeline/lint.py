"""What is wrong or misleading in rules that load.

Contract: a finding never stops a rule from running. Codes UT271 to UT278; what keeps a rule from loading has the
loader's codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from undertag.catalogue.attack import resolve_tag
from undertag.catalogue.sources.lookup import load_catalogue
from undertag.match.indexed.atoms import needs_of
from undertag.model.expr import Expr, Not, Test
from undertag.model.problem import Place, Problem, Severity
from undertag.model.rule import Rule
from undertag.tag.technique_claims import deprecation

_SHORT: Final = 1
_SPECIAL: Final = frozenset(".^$*+?{}[]\\|()")


def lint(rules: Sequence[Rule], attack_version: str) -> list[Problem]:
    """The findings of a rule set, in the order of its rules."""
    seen: dict[tuple[object, Expr], Rule] = {}
    findings: list[Problem] = []
    for rule in rules:
        findings.extend(_of_rule(rule, attack_version))
        twin = seen.setdefault((rule.logsource, rule.condition), rule)
        if twin is not rule:
            findings.append(_finding("UT275", rule, f"the same condition as {twin.file}", "keep one of them"))
    return findings


def _of_rule(rule: Rule, attack_version: str) -> Iterator[Problem]:
    served = load_catalogue().routes.serves(rule.logsource)
    if not served:
        yield _finding(
            "UT277",
            rule,
            f"no known entry serves the log source {rule.logsource}",
            "it will never be evaluated",
            "info",
        )
    techniques = False
    for tag in rule.tags:
        if tag.startswith("attack."):
            found = resolve_tag(tag, to=attack_version)
            techniques = techniques or found.kind == "technique"
            if found.state in ("unknown", "absent"):
                meant = (
                    f"did you mean {found.suggestions[0]}?"
                    if found.suggestions
                    else "look it up with `undertag attack show`"
                )
                yield _finding("UT272", rule, f"{tag} is not in ATT&CK {attack_version}", meant)
            elif found.state == "deprecated":
                yield _finding("UT272", rule, deprecation(tag, found), "choose by hand what to claim instead")
            elif found.state not in ("current", "not-tracked"):
                yield _finding(
                    "UT272",
                    rule,
                    f"{tag} became {', '.join(found.tags)} in ATT&CK {attack_version}",
                    "`undertag attack migrate` rewrites it",
                )
    if techniques and rule.level == "informational":
        yield _finding(
            "UT274", rule, "an informational rule claims a technique", "say it as a link, or raise the level"
        )
    groups = needs_of(rule.condition, len).groups
    weakest = [
        min((len(atom.text) for atom in group if atom.kind == "contains"), default=0) for group in groups
    ]
    if (
        groups
        and max(weakest) <= _SHORT
        and not any(atom.kind != "contains" for group in groups for atom in group if atom.text)
    ):
        yield _finding(
            "UT271",
            rule,
            "all that it looks for are single letters, which are nearly everywhere",
            "anchor or lengthen them",
            "info",
        )
    if not groups:
        yield _finding(
            "UT273",
            rule,
            "nothing that the event must hold: the rule is evaluated on every event",
            "add a positive test",
            "info",
        )
    if rule.level in ("high", "critical") and not rule.falsepositives:
        yield _finding(
            "UT276",
            rule,
            f"level {rule.level}, and no word on false positives",
            "say who does it innocently",
            "info",
        )
    for test in _tests(rule.condition):
        yield from _of_test(rule, test)


def _of_test(rule: Rule, test: Test) -> Iterator[Problem]:
    where = f"{test.selection}: {test.field or 'keyword'}"
    if test.op == "re" and test.pattern and not _SPECIAL & set(test.pattern):
        yield _finding(
            "UT278", rule, f"{where}: the expression {test.pattern!r} is a plain text", "use contains", "info"
        )


def _tests(expr: Expr) -> Iterator[Test]:
    if isinstance(expr, Test):
        yield expr
    elif isinstance(expr, Not):
        yield from _tests(expr.arg)
    else:
        for arg in expr.args:
            yield from _tests(arg)


def _finding(code: str, rule: Rule, message: str, hint: str, severity: Severity = "warning") -> Problem:
    return Problem(code=code, severity=severity, message=message, hint=hint, place=Place(source=rule.file))
