"""Multiply Sigma rules: `vary_rules.py --rules PATH… --times N --out DIR`; copies differ in id and literals.

Copy 0 is the rule as it is. In copy k the strings that a rule looks for carry letters of k's own (`mimikatz`
→ `mimikatzqza`), so that no two copies share a literal. What decides where a rule applies stays: log source,
event IDs, channel, provider, numbers, networks, whatever stands under a `not`, and the names of programs
wherever something else can carry the letters. So copies cost about what new rules of the same kind would,
and fire seldom: those that have no string to vary (an event ID alone) do as often as their original.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FIXED = {
    "EventID",
    "Channel",
    "Provider_Name",
    "EventType",
    "Initiated",
    "IntegrityLevel",
    "LogonType",
    "Level",
}
PROGRAMS = {"Image", "ParentImage", "OriginalFileName", "SourceImage", "TargetImage", "ProcessName"}
KEPT_MODIFIERS = {"cidr", "exists", "fieldref", "expand", "gt", "gte", "lt", "lte", "minute", "hour", "day"}
_CORE = re.compile(r"[^*?\\/\s\"']*[A-Za-z0-9][^*?\\/\s\"']*")
_NEGATION = re.compile(r"\bnot\s+(?:\(([^)]*)\)|((?:(?:1|any|all) of )?[\w*]+))")
_EXTENSION = re.compile(r"(?<=[A-Za-z0-9])(?=\.[A-Za-z0-9]{1,4}$)")


def letters(copy: int) -> str:
    """The mark of a copy: a rare trigram and the copy's number in letters."""
    return "qz" + (chr(97 + copy // 26) if copy >= 26 else "") + chr(97 + copy % 26)


def vary_text(text: str, mark: str) -> str:
    """`text` with `mark` at the end of its longest literal word, before a file extension; wildcards stay."""
    words = list(_CORE.finditer(text))
    if not words:
        return text
    longest = max(words, key=lambda word: len(word[0]))
    extension = _EXTENSION.search(longest[0])
    if extension:
        at = longest.start() + extension.start()
    else:
        at = longest.start() + len(longest[0].rstrip(".,;:|()[]{}=<>&$#@!%^`~+-"))
    return text[:at] + mark + text[at:]


def vary_regex(pattern: str, mark: str) -> str:
    """A regular expression that needs `mark` at the end of what it matched before."""
    anchored = pattern.endswith("$") and not pattern.endswith(r"\$")
    body = pattern[:-1] if anchored else pattern
    return f"(?:{body}){mark}" + ("$" if anchored else "")


def vary_detection(detection: dict[str, Any], mark: str) -> dict[str, Any]:
    """A rule's `detection` with its strings varied; names of programs only where nothing else could be."""
    fixed = {"condition", "timeframe"} | _negated(detection)
    for keep in (FIXED | PROGRAMS, FIXED):
        varied = {
            name: item if name in fixed else _item(item, mark, keep) for name, item in detection.items()
        }
        if varied != detection:
            return varied
    return detection


def _negated(detection: dict[str, Any]) -> set[str]:
    """Searches that the condition negates: a varied exclusion would make the copy fire everywhere."""
    conditions = detection["condition"]
    negated = set()
    for condition in conditions if isinstance(conditions, list) else [conditions]:
        for found in _NEGATION.finditer(condition):
            for word in re.findall(r"[\w*]+", found[1] or found[2]):
                negated |= set(fnmatch.filter(detection, word))
    return negated


def _item(item: Any, mark: str, keep: set[str]) -> Any:
    if isinstance(item, dict):
        return {key: _field(key, value, mark, keep) for key, value in item.items()}
    if isinstance(item, list):
        return [_item(part, mark, keep) for part in item]
    return vary_text(item, mark) if isinstance(item, str) else item


def _field(key: str, value: Any, mark: str, keep: set[str]) -> Any:
    name, *modifiers = key.split("|")
    if name in keep or KEPT_MODIFIERS & set(modifiers):
        return value
    vary = vary_regex if "re" in modifiers else vary_text
    if isinstance(value, list):
        return [vary(part, mark) if isinstance(part, str) else part for part in value]
    return vary(value, mark) if isinstance(value, str) else value


def rule_files(paths: list[Path]) -> Iterator[tuple[Path, Path]]:
    """(file, path below the folder given), sorted."""
    for path in paths:
        root = path.parent
        for file in sorted(path.rglob("*.yml")) if path.is_dir() else [path]:
            yield file, file.relative_to(root)


def multiply(paths: list[Path], times: int, out: Path) -> int:
    """Write `times` copies of the rules under `out`; the number of files."""
    loader, dumper = (
        getattr(yaml, "CSafeLoader", yaml.SafeLoader),
        getattr(yaml, "CSafeDumper", yaml.SafeDumper),
    )
    count = 0
    for file, place in rule_files(paths):
        text = file.read_bytes()
        rule = yaml.load(text, Loader=loader)  # a safe loader, the C one where it exists
        if not isinstance(rule, dict) or "detection" not in rule:
            continue
        for copy in range(times):
            target = out / f"x{copy:02d}" / place
            target.parent.mkdir(parents=True, exist_ok=True)
            if copy:
                text = yaml.dump(
                    _copy_of(rule, copy), Dumper=dumper, allow_unicode=True, sort_keys=False, encoding="utf-8"
                )
            target.write_bytes(text)
            count += 1
    return count


def _copy_of(rule: dict[str, Any], copy: int) -> dict[str, Any]:
    mark = letters(copy)
    new_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{rule.get('id')}#{copy}")
    head = {"title": f"{rule['title']} ({mark})", "id": str(new_id)}
    return rule | head | {"detection": vary_detection(rule["detection"], mark)}


def main(argv: list[str] | None = None) -> None:
    """Read the arguments and write the rules."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rules", type=Path, nargs="+", required=True)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args(argv)
    if arguments.times < 1:
        parser.error("--times has to be at least 1")
    if arguments.out.exists():
        parser.error(f"{arguments.out} exists already")
    print(multiply(arguments.rules, arguments.times, arguments.out), "rules")


if __name__ == "__main__":
    main()
