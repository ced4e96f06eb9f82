"""Makes the generated pages of the reference: the command line and the problem codes. `--check` says whether they are fresh."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from undertag.apps.cli.commands import app
from undertag.match.sigma.codes import CODES

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_CODE = re.compile(r'"(UT[0-9]{3})"')
_MESSAGE = re.compile(r'message=f?"([^"]+)"')
_DOCSTRING = re.compile(r'"""(UT[0-9]{3}): ([^"\n]+?)\.?(?:\n|""")')
_TABLE_ROW = re.compile(r"^\| (UT[0-9]{3}) \| (.+) \|$", re.MULTILINE)

WORDS: Final[dict[str, str]] = {
    "UT113": "a record says a time that is none; the event is kept without one",
    "UT120": "the folder holds no regression data of SigmaHQ",
    "UT121": "a file of regression data can't be read",
    "UT191": "a worker process ended unexpectedly",
    "UT271": "all that the rule looks for are single letters",
    "UT272": "a tag is not in the ATT&CK release, became another there, or is deprecated",
    "UT273": "nothing that an event must hold, so that the rule is evaluated on every event",
    "UT274": "an informational rule claims a technique",
    "UT275": "two rules have the same condition and log source",
    "UT276": "a rule of level high or critical says nothing of false positives",
    "UT277": "no known entry serves the rule's log source",
    "UT278": "a regular expression that is a plain text",
    "UT300": "a catalogue file is no YAML of the plain kind that is taken",
    "UT301": "a key stands twice in one mapping of a catalogue file",
    "UT302": "a part of a catalogue file has the wrong shape, an unknown key or a wrong value",
    "UT303": "an entry's key is malformed, or is of another platform than its file",
    "UT304": "two catalogue files have the same entry",
    "UT305": "a relation, or what recognises records, leads to an entry that doesn't exist",
    "UT306": "an entry needs a setting that no file defines",
    "UT307": "what entries need goes in a circle",
    "UT308": "an entry names something that ATT&CK doesn't have",
    "UT309": "the book of an anti-virus product is missing or incomplete, or names a source that isn't declared",
    "UT310": "an umbrella (what ATT&CK called a data source) is missing, resolves to no entry, or contradicts another",
    "UT311": "a log source of ATT&CK that is mapped here is malformed, or isn't in the release",
    "UT312": "a log source of Sigma is malformed, or no entry serves it",
    "UT316": "an entry's channel and provider give another key than it has",
    "UT317": "a derived table of the catalogue can't be read, or has columns that nothing explains",
    "UT318": "a selector of entries is malformed",
    "UT319": "nothing of that name is known",
    "UT320": "a fact rests on knowledge alone, without a second source",
    "UT330": "the compiled table of signature names is missing or damaged",
    "UT331": "no signature name gives that tag",
    "UT332": "a table of signature names makes no sense",
    "UT340": "the embedded ATT&CK facts are of another format",
    "UT342": "the file is JSON, but no STIX bundle of ATT&CK",
    "UT344": "that ATT&CK release is neither embedded nor imported",
    "UT346": "an object stands twice in the bundle",
    "UT347": "an object of the bundle is odd: no technique id, or revoked without a successor",
    "UT348": "the bundle can't be read or fetched",
    "UT349": "the file is too big for an ATT&CK bundle",
    "UT353": "the bundle is not a published one, or is one of another release",
    "UT354": "the file can't be rewritten safely: no YAML or TOML, too deep, or more than tags would change",
    "UT355": "a tag is in no known ATT&CK release",
    "UT356": "a tag has no counterpart in the ATT&CK release",
    "UT357": "a tag is deprecated; whether another takes its place is left to a person",
    "UT358": "a tag became several, or can't be rewritten here; a person has to choose",
    "UT359": "a tag should change, but the file's layout doesn't allow it",
    "UT362": "a file can't be read, is too big, or is not UTF-8",
    "UT401": "an observation rule of the pack claims a technique itself",
    "UT402": "a rule gives a tag that is no tag name; the tag is left out",
    "UT421": "a tag has moved in the ATT&CK release; events get the new one",
    "UT422": "a tag is not in the ATT&CK release; it is kept as written",
    "UT423": "a tag is deprecated in the ATT&CK release; it is kept as written, whatever ATT&CK names in its place",
    "UT601": "output can't be written",
    "UT602": "the output folder holds something else",
    "UT901": "the settings file can't be read",
    "UT902": "the settings file is too large, no TOML, or has an unknown key or a wrong value",
    "UT903": "an argument or option has a value that isn't known, or doesn't go with another",
    "UT904": "what is asked for is not in the output, or a text can't stand in a rule",
}
"""What those codes mean whose messages alone don't tell, and that have no words where they are made."""


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, in order."""
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child in children:
        yield from commands(children[child], f"{name} {child}")


def command_page() -> str:
    """The page of the command line."""
    lines = ["# The command line", "", "Made by `tools/build_docs.py` from the commands themselves.", ""]
    lines += [
        "Exit codes: 0 clean, 1 findings or damaged records, 2 rule error, 3 usage or settings, 4 an input could not be read",
        "at all, 130 interrupted.",
        "",
    ]
    for name, command in commands(get_command(app), "undertag"):
        lines += [f"## {name}", "", (command.help or "").strip(), ""]
        rows = []
        for param in command.params:
            if param.name == "help":
                continue
            shown = (
                ", ".join(f"`{option}`" for option in param.opts)
                if param.param_type_name == "option"
                else f"`{param.metavar or param.name.upper()}`"
            )
            rows.append(f"| {shown} | {(getattr(param, 'help', None) or '').replace('|', '/')} |")
        if rows:
            lines += ["| option | what |", "| --- | --- |", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def meanings() -> dict[str, list[str]]:
    """What each code means, once for each place that says so; a test holds that there is one.

    The places: the loader's table, the docstring of what makes the problem, the table at a module's head; `WORDS` fills gaps.
    """
    found = {code: [title] for code, (_, title) in CODES.items()}
    for text in _sources():
        for code, said in (*_DOCSTRING.findall(text), *_TABLE_ROW.findall(text)):
            found.setdefault(code, []).append(said)
    for code, said in WORDS.items():
        found.setdefault(code, []).append(said)
    return found


def _sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((ROOT / "src" / "undertag").rglob("*.py"))]


def problem_page() -> str:
    """The page of problem codes: what each means.

    Where a code has no words (see `meanings`), its messages themselves stand.
    """
    texts = _sources()
    words = {code: said[0] for code, said in meanings().items()}
    messages: dict[str, dict[str, None]] = {code: {} for code in words}
    for text in texts:
        for match in _CODE.finditer(text):
            found = messages.setdefault(match[1], {})
            message = _MESSAGE.search(text, match.end(), match.end() + 200)
            if message:
                found[re.sub(r"\{[^}]*\}", "…", message[1])] = None
    lines = [
        "# Problem codes",
        "",
        "Made by `tools/build_docs.py`. Codes are stable.",
        "",
        "| code | says |",
        "| --- | --- |",
    ]
    lines += [
        f"| {code} | {words.get(code) or '; '.join(said) or '(see the message)'} |"
        for code, said in sorted(messages.items())
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the pages, or compares them."""
    stale = []
    for name, text in (("cli.md", command_page()), ("problems.md", problem_page())):
        path = REFERENCE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        print(f"stale: {', '.join(stale)}; run tools/build_docs.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
