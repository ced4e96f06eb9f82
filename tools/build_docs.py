"""Makes the generated pages of the reference: the command line and the problem codes. `--check` says whether they are fresh."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from undertag.apps.cli.commands import app
from undertag.match.sigma.codes import CODES

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
_CODE = re.compile(r'"(UT[0-9]{3})"')
_MESSAGE = re.compile(r'message=f?"([^"]+)"')


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


def problem_page() -> str:
    """The page of problem codes: where each is raised, and what it says there."""
    said: dict[str, dict[str, None]] = {code: {title: None} for code, (_, title) in CODES.items()}
    for path in sorted((ROOT / "src" / "undertag").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for match in _CODE.finditer(text):
            messages = said.setdefault(match[1], {})
            message = _MESSAGE.search(text, match.end(), match.end() + 200)
            if message and match[1] not in CODES:
                messages[re.sub(r"\{[^}]*\}", "…", message[1])] = None
    lines = [
        "# Problem codes",
        "",
        "Made by `tools/build_docs.py`. Codes are stable.",
        "",
        "| code | says |",
        "| --- | --- |",
    ]
    lines += [
        f"| {code} | {'; '.join(messages) or '(see the message)'} |"
        for code, messages in sorted(said.items())
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
