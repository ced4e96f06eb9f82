"""Hand-written cases, shared by the tests of both matchers: a detection in YAML and what it holds for.

Contract: each case has a unique name and at least one event that matches and one that doesn't, unless the
case's point is that nothing can. Events are what a reader might decode from JSON. `load_case` gives the rule.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from undertag.match.sigma.files import RuleFile
from undertag.match.sigma.load import load_files
from undertag.match.sigma.result import LoadResult
from undertag.model.rule import Rule

HEADER = """\
title: case
logsource:
  product: windows
detection:
"""

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`detection` is YAML; without a condition it gets `condition: sel`."""

    name: str
    detection: str
    yes: Sequence[Event] = ()
    no: Sequence[Event] = ()
    placeholders: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def events(self) -> list[tuple[Event, bool]]:
        return [(event, True) for event in self.yes] + [(event, False) for event in self.no]


def rule_text(detection: str) -> str:
    """A whole rule around a detection."""
    body = textwrap.dedent(detection).strip("\n")
    if "condition:" not in body:
        body += "\ncondition: sel"
    return HEADER + textwrap.indent(body, "  ") + "\n"


def load_text(text: str, placeholders: Mapping[str, Sequence[str]] | None = None) -> LoadResult:
    """Load rules from YAML text, as if from `rule.yml`."""
    file = RuleFile(name="rule.yml", shown="rule.yml", data=text.encode())
    return load_files([file], [], placeholders=placeholders or {}, pack=False)


def load_case(case: Case) -> Rule:
    """The rule of a case."""
    result = load_text(rule_text(case.detection), case.placeholders)
    assert not result.problems, [str(problem) for problem in result.problems]
    (rule,) = result.rules
    return rule


ABSENT: Event = {"Other": "x"}

PLAIN = [
    Case(
        name="text equals, without case",
        detection=r"sel: {Image: 'C:\Windows\System32\cmd.exe'}",
        yes=[{"Image": r"c:\WINDOWS\system32\CMD.exe"}],
        no=[{"Image": r"C:\Windows\System32\cmd.exe "}, {"Image": "cmd.exe"}, {"image": "cmd.exe"}, ABSENT],
    ),
    Case(
        name="number in the rule, text in the event",
        detection="sel: {EventID: 4688}",
        yes=[{"EventID": 4688}, {"EventID": "4688"}, {"EventID": 4688.0}],
        no=[{"EventID": 46880}, {"EventID": "04688"}, {"EventID": None}, ABSENT],
    ),
    Case(
        name="text in the rule, number in the event",
        detection="sel: {EventID: '4688'}",
        yes=[{"EventID": 4688}, {"EventID": "4688"}],
        no=[{"EventID": 4689}, {"EventID": True}],
    ),
    Case(
        name="float in the rule",
        detection="sel: {Score: 1.5}",
        yes=[{"Score": 1.5}, {"Score": "1.5"}],
        no=[{"Score": 1}, {"Score": "1.50"}],
    ),
    Case(
        name="large and whole floats in the rule",
        detection="sel: {A: 1.0e+22, B: 2.0}",
        yes=[{"A": 1e22, "B": 2}, {"A": "1E+22", "B": "2"}],
        no=[{"A": 10**22, "B": 2}, {"A": 1e22, "B": "2.0"}],
    ),
    Case(
        name="boolean",
        detection="sel: {Signed: true}",
        yes=[{"Signed": True}, {"Signed": "true"}, {"Signed": "TRUE"}],
        no=[{"Signed": False}, {"Signed": 1}, {"Signed": "1"}, ABSENT],
    ),
    Case(
        name="null is absent or null, never empty",
        detection="sel: {User: null}",
        yes=[{"User": None}, {}, ABSENT, {"User": ["a", None]}],
        no=[{"User": ""}, {"User": "null"}, {"User": 0}, {"User": []}],
    ),
    Case(
        name="empty text is empty, never absent",
        detection="sel: {User: ''}",
        yes=[{"User": ""}],
        no=[{"User": None}, {}, {"User": " "}],
    ),
    Case(
        name="empty list of values means null",
        detection="sel: {User: []}",
        yes=[{"User": None}, {}],
        no=[{"User": ""}, {"User": "x"}],
    ),
    Case(
        name="null among values",
        detection="sel: {User: [null, '', '-']}",
        yes=[{"User": None}, {}, {"User": ""}, {"User": "-"}],
        no=[{"User": "x"}],
    ),
    Case(
        name="an array counts as any of its scalars",
        detection="sel: {Group: admins}",
        yes=[{"Group": ["users", "Admins"]}, {"Group": [["admins"]]}],
        no=[{"Group": []}, {"Group": ["users"]}, {"Group": [{"admins": 1}]}],
    ),
    Case(
        name="two items on one array may be met by different elements",
        detection="sel: {Group|startswith: a, Group|endswith: z}",
        yes=[{"Group": ["ab", "yz"]}, {"Group": "az"}],
        no=[{"Group": ["ab", "yy"]}],
    ),
    Case(
        name="dotted path into objects and arrays of objects",
        detection="sel: {user.groups.name: admins}",
        yes=[
            {"user": {"groups": {"name": "admins"}}},
            {"user": {"groups": [{"name": "users"}, {"name": "admins"}]}},
            {"user": [{"groups": []}, {"groups": [{"name": ["x", "admins"]}]}]},
            {"user.groups.name": "ADMINS"},
        ],
        no=[{"user": {"groups": "admins"}}, {"user": {"groups": [{"id": "admins"}]}}, {"user": None}],
    ),
    Case(
        name="the exact key goes before the path",
        detection="sel: {a.b: x}",
        yes=[{"a.b": "x", "a": {"b": "y"}}],
        no=[{"a.b": "y", "a": {"b": "x"}}],
    ),
    Case(
        name="folding goes beyond ASCII",
        detection="sel: {User: 'MÜLLER-ÇELİK'}",
        yes=[{"User": "müller-ÇELİK"}, {"User": "Müller-çELİK"}],
        no=[{"User": "MULLER-CELIK"}, {"User": "müller-çelik"}],
    ),
    Case(
        name="folding is lower case, not case folding",
        detection="sel: {User: 'STRASSE'}",
        yes=[{"User": "strasse"}],
        no=[{"User": "straße"}],
    ),
    Case(
        name="items of a mapping are all needed",
        detection="sel: {A: 1, B: 2}",
        yes=[{"A": 1, "B": 2}],
        no=[{"A": 1}, {"A": 2, "B": 1}],
    ),
    Case(
        name="a list of mappings needs one",
        detection="sel: [{A: 1, B: 2}, {C: 3}]",
        yes=[{"A": 1, "B": 2}, {"C": 3}],
        no=[{"A": 1, "B": 3}, {"B": 2}],
    ),
    Case(
        name="a list of mappings and keywords",
        detection="sel: [{A: 1}, mimikatz]",
        yes=[{"A": 1}, {"X": "run Mimikatz now"}],
        no=[{"A": 2}],
    ),
]

WILDCARDS = [
    Case(
        name="star at the end, at the start, at both",
        detection="sel: {A: 'ab*', B: '*yz', C: '*mm*'}",
        yes=[{"A": "AB", "B": "yz", "C": "mm"}, {"A": "abc", "B": "xyz", "C": "ammb"}],
        no=[
            {"A": "aab", "B": "yz", "C": "mm"},
            {"A": "ab", "B": "yzz", "C": "mm"},
            {"A": "ab", "B": "yz", "C": "m"},
        ],
    ),
    Case(
        name="star alone: there and not null",
        detection="sel: {A: '*'}",
        yes=[{"A": ""}, {"A": "x"}, {"A": 0}, {"A": False}],
        no=[{"A": None}, {}, {"A": []}, {"A": {}}],
    ),
    Case(
        name="question mark is exactly one character",
        detection="sel: {A: 'a?c'}",
        yes=[{"A": "abc"}, {"A": "A\nc"}, {"A": "aéc"}],
        no=[{"A": "ac"}, {"A": "abbc"}, {"A": "abcd"}],
    ),
    Case(
        name="stars within",
        detection=r"sel: {A: '\\\\*\share$\\*.exe'}",
        yes=[{"A": r"\\srv\share$\a.exe"}, {"A": r"\\a\share$\.exe"}],
        no=[{"A": r"\\srv\share\a.exe"}, {"A": r"\\srv\share$\a.exe.txt"}],
    ),
    Case(
        name="overlapping ends don't match twice",
        detection="sel: {A: 'aba*aba'}",
        yes=[{"A": "abaaba"}, {"A": "abaXaba"}],
        no=[{"A": "ababa"}, {"A": "aba"}],
    ),
    Case(
        name="leftmost run with question mark must be retried",
        detection="sel: {A: '*a?b*c'}",
        yes=[{"A": "aaxbc"}, {"A": "aaxbxxc"}, {"A": "aabbc"}],
        no=[{"A": "aabc"[::-1]}, {"A": "axbxx"}],
    ),
    Case(
        name="only question marks",
        detection="sel: {A: '??'}",
        yes=[{"A": "ab"}, {"A": 12}],
        no=[{"A": "a"}, {"A": "abc"}],
    ),
    Case(
        name="at least two characters",
        detection="sel: {A: '??*'}",
        yes=[{"A": "ab"}, {"A": "abc"}],
        no=[{"A": "a"}, {"A": ""}],
    ),
    Case(
        name="escaped wildcards are plain",
        detection=r"sel: {A: 'what\?', B: '5 \* 3'}",
        yes=[{"A": "what?", "B": "5 * 3"}],
        no=[{"A": "whats", "B": "5 * 3"}, {"A": "what?", "B": "5 xx 3"}, {"A": r"what\?", "B": "5 * 3"}],
    ),
    Case(
        name="escaped wildcard within contains",
        detection=r"sel: {A|contains: 'a\*b'}",
        yes=[{"A": "xa*bx"}],
        no=[{"A": "xaxbx"}],
    ),
    Case(
        name="one backslash, two backslashes",
        detection=r"sel: {A: 'a\b', B: 'a\\b'}",
        yes=[{"A": r"a\b", "B": r"a\b"}],
        no=[{"A": r"a\\b", "B": r"a\b"}, {"A": r"a\b", "B": r"a\\b"}],
    ),
    Case(
        name="backslash before a wildcard needs two more",
        detection=r"sel: {A: 'C:\\*'}",
        yes=[{"A": r"C:\x"}, {"A": "c:\\"}],
        no=[{"A": "C:*"}, {"A": "C:x"}],
    ),
]

GENERIC = [
    Case(
        name="contains",
        detection="sel: {A|contains: mid}",
        yes=[{"A": "mid"}, {"A": "aMIDb"}, {"A": ["x", "amid"]}],
        no=[{"A": "m-id"}, {"A": None}, {}],
    ),
    Case(
        name="contains a number",
        detection="sel: {A|contains: 46}",
        yes=[{"A": 4688}, {"A": "x46"}],
        no=[{"A": 488}],
    ),
    Case(
        name="startswith",
        detection="sel: {A|startswith: [pre, Alt]}",
        yes=[{"A": "PREfix"}, {"A": "alt"}],
        no=[{"A": "xpre"}, {"A": "pr"}],
    ),
    Case(
        name="endswith",
        detection=r"sel: {A|endswith: '\cmd.exe'}",
        yes=[{"A": r"C:\CMD.EXE"}],
        no=[{"A": "cmd.exe"}, {"A": r"C:\cmd.exe.bak"}],
    ),
    Case(
        name="startswith with a wildcard within",
        detection=r"sel: {A|startswith: 'C:\Users\\*\AppData'}",
        yes=[{"A": r"c:\users\bob\appdata\x"}],
        no=[{"A": r"c:\users\appdata\x"}, {"A": r"d:\c:\users\bob\appdata"}],
    ),
    Case(
        name="all over values",
        detection="sel: {A|contains|all: [one, two]}",
        yes=[{"A": "two and one"}, {"A": ["one", "two"]}],
        no=[{"A": "one"}, {"A": "two"}],
    ),
    Case(
        name="all before contains",
        detection="sel: {A|all|contains: [one, two]}",
        yes=[{"A": "two and one"}],
        no=[{"A": "one"}],
    ),
    Case(
        name="exists",
        detection="sel: {A|exists: true}",
        yes=[{"A": "x"}, {"A": ""}, {"A": None}, {"A": []}, {"A": {}}],
        no=[{}, ABSENT],
    ),
    Case(
        name="exists not",
        detection="sel: {A|exists: false}",
        yes=[{}, ABSENT],
        no=[{"A": "x"}, {"A": ""}, {"A": None}],
    ),
    Case(
        name="exists by path",
        detection="sel: {a.b|exists: true}",
        yes=[{"a": {"b": 1}}, {"a": [{"c": 1}, {"b": None}]}, {"a.b": None}],
        no=[{"a": {"c": 1}}, {"a": "b"}, {"a": []}],
    ),
    Case(
        name="a sigma at a word's end is the same letter",
        detection="sel: {A|contains: 'ΟΔΟΣ', B|endswith: 'δος', C: 'Σς*'}",
        yes=[{"A": "C:\\ΟΔΟΣ.exe", "B": "ΟΔΟΣ", "C": "σΣα"}, {"A": "οδοςΑ", "B": "οδοσ", "C": "σσ"}],
        no=[{"A": "ΟΔΟ", "B": "ΟΔΟΣ", "C": "σσ"}],
    ),
    Case(
        name="cased",
        detection="sel: {A|cased: AbC}",
        yes=[{"A": "AbC"}],
        no=[{"A": "abc"}, {"A": "ABC"}],
    ),
    Case(
        name="cased with contains, in either order",
        detection="sel: {A|contains|cased: AbC, B|cased|endswith: Z}",
        yes=[{"A": "xAbCx", "B": "yZ"}],
        no=[{"A": "xabcx", "B": "yZ"}, {"A": "xAbCx", "B": "yz"}],
    ),
    Case(
        name="cased with wildcards",
        detection="sel: {A|cased: 'A*b?C'}",
        yes=[{"A": "AxxbxC"}],
        no=[{"A": "axxbxC"}, {"A": "AxxbxCC"}],
    ),
    Case(
        name="neq",
        detection="sel: {A|neq: x}",
        yes=[{"A": "y"}, {}, {"A": None}, {"A": ""}],
        no=[{"A": "x"}, {"A": "X"}, {"A": ["y", "x"]}],
    ),
    Case(
        name="neq of several is none of them",
        detection="sel: {A|neq: [x, y]}",
        yes=[{"A": "z"}],
        no=[{"A": "x"}, {"A": "y"}],
    ),
    Case(
        name="neq with contains and all is not both",
        detection="sel: {A|contains|all|neq: [x, y]}",
        yes=[{"A": "x"}, {"A": "y"}, {}],
        no=[{"A": "xy"}],
    ),
    Case(
        name="neq of a number",
        detection="sel: {A|neq: 5}",
        yes=[{"A": 6}, {"A": "05"}],
        no=[{"A": 5}, {"A": "5"}],
    ),
    Case(
        name="neq beside another item",
        detection="sel: {A: 1, B|neq: 2}",
        yes=[{"A": 1}, {"A": 1, "B": 3}],
        no=[{"A": 1, "B": 2}, {"B": 3}],
    ),
]

DASHES = ["-", "/", "\u2013", "\u2014", "\u2015"]

WINDASH = [
    Case(
        name="windash knows five dashes",
        detection="sel: {A|windash|contains: ' -enc '}",
        yes=[{"A": f"ps {dash}Enc x"} for dash in DASHES],
        no=[{"A": "ps +enc x"}, {"A": "ps \u2212enc x"}, {"A": "ps enc x"}],
    ),
    Case(
        name="windash after contains, from a slash",
        detection="sel: {A|contains|windash: ' /s'}",
        yes=[{"A": f"x {dash}s"} for dash in DASHES],
        no=[{"A": "x s"}],
    ),
    Case(
        name="windash leaves dashes within words",
        detection="sel: {A|windash: '-no-exit'}",
        yes=[{"A": "-no-exit"}, {"A": "/no-exit"}, {"A": "\u2014NO-exit"}],
        no=[{"A": "-no/exit"}, {"A": "/no\u2013exit"}],
    ),
    Case(
        name="windash permutes every flag",
        detection="sel: {A|windash|contains: '-a -b'}",
        yes=[{"A": f"x {one}a {two}b"} for one in DASHES for two in DASHES],
        no=[{"A": "-a b"}],
    ),
    Case(
        name="windash within all stays any",
        detection="sel: {A|windash|contains|all: [' -a', ' -b']}",
        yes=[{"A": "x /b -a"}, {"A": "x -a \u2013b"}],
        no=[{"A": "x -a"}, {"A": "x /b"}],
    ),
]

EXPRESSIONS = [
    Case(
        name="re is searched for, and case counts",
        detection=r"sel: {A|re: 'ab+c'}",
        yes=[{"A": "xxabbcxx"}, {"A": ["no", "abc"]}],
        no=[{"A": "ABC"}, {"A": "ac"}, {"A": None}, {}],
    ),
    Case(
        name="re anchored",
        detection=r"sel: {A|re: '^\d{4}$'}",
        yes=[{"A": 4688}, {"A": "0001"}],
        no=[{"A": "46888"}, {"A": "4688\n"}, {"A": "٤٦٨٨"}],
    ),
    Case(
        name="re with i",
        detection="sel: {A|re|i: 'a.c'}",
        yes=[{"A": "xABC"}, {"A": "aéc"}],
        no=[{"A": "a\nc"}],
    ),
    Case(
        name="re with m",
        detection="sel: {A|re|m: '^b$'}",
        yes=[{"A": "a\nb\nc"}, {"A": "b"}],
        no=[{"A": "a\nbc"}, {"A": "a\nB"}],
    ),
    Case(
        name="re with s",
        detection="sel: {A|re|s: 'a.c'}",
        yes=[{"A": "a\nc"}, {"A": "abc"}],
        no=[{"A": "a\n\nc"}],
    ),
    Case(
        name="re with several flags, and their long names",
        detection="sel: {A|re|i|m|s: '^b.c$', B|re|ignorecase|multiline|dotall: '^b.c$'}",
        yes=[{"A": "a\nB\nC\nd", "B": "a\nB\nC"}],
        no=[{"A": "a\nB\nC\nd", "B": "a\nBC"}],
    ),
    Case(
        name="re with a list and all",
        detection="sel: {A|re|all: ['a+', 'b+']}",
        yes=[{"A": "xbxa"}],
        no=[{"A": "a"}, {"A": "b"}],
    ),
    Case(
        name="re with contains is a search",
        detection="sel: {A|re|contains: 'a|b'}",
        yes=[{"A": "xbx"}],
        no=[{"A": "x"}],
    ),
    Case(
        name="re with startswith holds all branches to the start",
        detection="sel: {A|re|startswith: 'a|b'}",
        yes=[{"A": "ax"}, {"A": "bx"}],
        no=[{"A": "xa"}, {"A": "xb"}, {"A": "x\nb"}],
    ),
    Case(
        name="re with endswith holds all branches to the end",
        detection="sel: {A|re|endswith: 'a|b'}",
        yes=[{"A": "xa"}, {"A": "xb"}],
        no=[{"A": "ax"}, {"A": "bx"}],
    ),
    Case(
        name="re that needs look-around",
        detection=r"sel: {A|re: '(?<!no)match(?=ing)'}",
        yes=[{"A": "matching"}],
        no=[{"A": "nomatching"}, {"A": "matches"}],
    ),
    Case(
        name="re with a back-reference",
        detection=r"sel: {A|re: '(a+)b\1'}",
        yes=[{"A": "aabaa"}],
        no=[{"A": "aab"}],
    ),
    Case(
        name="re takes wildcards and backslashes as an expression",
        detection=r"sel: {A|re: 'C:\\\\.*\\\\x\?'}",
        yes=[{"A": "C:\\\\a\\\\x?"}],
        no=[{"A": "C:\\\\a\\\\x"}],
    ),
]


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


WORD = "Grüße €"
"""Beyond ASCII and beyond Latin-1."""

ENCODINGS = [
    Case(
        name="base64",
        detection="sel: {A|base64: 'http://'}",
        yes=[{"A": "aHR0cDovLw=="}, {"A": "AHR0CDOVLW=="}],
        no=[{"A": "http://"}, {"A": "aHR0cDovLw"}],
    ),
    Case(
        name="base64 and cased",
        detection="sel: {A|cased|base64: 'http://', B|base64|cased: 'http://'}",
        yes=[{"A": "aHR0cDovLw==", "B": "aHR0cDovLw=="}],
        no=[{"A": "AHR0CDOVLW==", "B": "aHR0cDovLw=="}, {"A": "aHR0cDovLw==", "B": "AHR0CDOVLW=="}],
    ),
    Case(
        name="base64 of text beyond ASCII is of its UTF-8",
        detection=f"sel: {{A|base64: '{WORD}'}}",
        yes=[{"A": b64(WORD.encode())}],
        no=[{"A": b64(WORD.encode("utf-16-le"))}],
    ),
    Case(
        name="base64 of an escaped wildcard",
        detection=r"sel: {A|base64: 'a\*b'}",
        yes=[{"A": b64(b"a*b")}],
        no=[{"A": b64(rb"a\*b")}],
    ),
    *(
        Case(
            name=f"base64offset over {'+'.join(modifiers) or 'plain text'} at offset {offset}",
            detection=f"sel: {{A|{'|'.join([*modifiers, 'base64offset', 'contains'])}: '{WORD}'}}",
            yes=[{"A": "x" + b64(b"\x01\x02\x03"[:offset] + encoded + tail)} for tail in (b"", b"!", b"!!")],
            no=[{"A": b64(b"\x01\x02\x03"[:offset] + other)}, {"A": WORD}],
        )
        for modifiers, encoded, other in (
            ([], WORD.encode(), WORD.encode("utf-16-le")),
            (["wide"], WORD.encode("utf-16-le"), WORD.encode()),
            (["utf16le"], WORD.encode("utf-16-le"), WORD.encode("utf-16-be")),
            (["utf16be"], WORD.encode("utf-16-be"), WORD.encode("utf-16-le")),
            (["utf16"], b"\xff\xfe" + WORD.encode("utf-16-le"), WORD.encode("utf-16-le")),
        )
        for offset in range(3)
    ),
    Case(
        name="windash before wide and base64offset",
        detection="sel: {A|windash|wide|base64offset|contains: ' -enc'}",
        yes=[{"A": b64(f"x {dash}enc".encode("utf-16-le"))} for dash in DASHES],
        no=[{"A": b64("x +enc".encode("utf-16-le"))}],
    ),
    Case(
        name="wide alone is text with its zero bytes",
        detection="sel: {A|wide|contains: cmd, B|utf16le: cmd}",
        yes=[{"A": "xc\0m\0d\0x", "B": "C\0M\0D\0"}],
        no=[{"A": "cmd", "B": "c\0m\0d\0"}, {"A": "c\0m\0d\0", "B": "c\0m\0d"}],
    ),
    Case(
        name="wide keeps wildcards between",
        detection="sel: {A|wide: 'a*b'}",
        yes=[{"A": "a\0zzb\0"}],
        no=[{"A": "a\0zzb"}],
    ),
    Case(
        name="utf16 and utf16be alone",
        detection="sel: {A|utf16: c, B|utf16be: c}",
        yes=[{"A": "\xff\xfec\0", "B": "\0c"}],
        no=[{"A": "c\0", "B": "\0c"}, {"A": "\xff\xfec\0", "B": "c\0"}],
    ),
]

NUMBERS = [
    *(
        Case(
            name=f"{op} 10",
            detection=f"sel: {{A|{op}: 10}}",
            yes=[{"A": v} for v in yes],
            no=[{"A": v} for v in no],
        )
        for op, yes, no in (
            ("lt", [9, "9", 9.99, -1, "0x9", "-1e3"], [10, "10", 11, "0xA", "nine", "", None, True, "9 "]),
            ("lte", [10, 9, "10.0", "0xa", "0XA"], [10.01, "11", "0xB", "10,0", "1_0"]),
            ("gt", [11, "10.5", "0xB", "1e2", 10**30, str(10**30)], [10, 9, "0xA", "nan", "inf", "x"]),
            ("gte", [10, "10.", "0xa", [1, 12]], [9, "9.99", [1, 2], {}]),
        )
    ),
    Case(
        name="comparison with a float and a negative",
        detection="sel: {A|gt: 0.5, B|lte: -3}",
        yes=[{"A": 1, "B": "-3"}, {"A": ".6", "B": -4.5}],
        no=[{"A": 0.5, "B": -3}, {"A": 1, "B": -2}],
    ),
    Case(
        name="range",
        detection="sel: {A|gte: 5, A|lt: 8}",
        yes=[{"A": 5}, {"A": "7"}],
        no=[{"A": 8}, {"A": 4}],
    ),
    Case(
        name="not less, absent", detection="sel: {A|lt|neq: 5}", yes=[{"A": 5}, {}, {"A": "x"}], no=[{"A": 4}]
    ),
    Case(
        name="large integers are exact",
        detection="sel: {A|gt: 9007199254740992}",
        yes=[{"A": 9007199254740993}, {"A": "9007199254740993"}],
        no=[{"A": 9007199254740992}],
    ),
]

WHEN = "2024-12-30T23:05:09.1234567Z"
"""A Monday of ISO week 1 of the next year."""

TIMES = [
    *(
        Case(
            name=f"{part}",
            detection=f"sel: {{UtcTime|{part}: {number}}}",
            yes=[
                {"UtcTime": WHEN},
                {"UtcTime": "2024-12-30 23:05:09"},
                {"UtcTime": "2024-12-30T23:05:09+05:30"},
            ],
            no=[
                {"UtcTime": "2021-06-15T11:44:00Z"},
                {"UtcTime": "x"},
                {"UtcTime": 1735599909},
                {"UtcTime": "20241230"},
                {"UtcTime": None},
                {},
            ],
        )
        for part, number in (
            ("minute", 5),
            ("hour", 23),
            ("day", 30),
            ("week", 1),
            ("month", 12),
            ("year", 2024),
        )
    ),
    Case(
        name="hours of the night",
        detection="sel: {T|hour: [22, 23, 0, 1]}",
        yes=[{"T": "2024-01-01T00:30:00Z"}, {"T": "2024-01-01 23:59"}],
        no=[{"T": "2024-01-01T02:00:00Z"}],
    ),
    Case(
        name="parts compared",
        detection="sel: {T|hour|gte: 20, T|month|lt: 3}",
        yes=[{"T": "2024-02-01T20:00:00Z"}],
        no=[{"T": "2024-02-01T19:59:59Z"}, {"T": "2024-03-01T20:00:00Z"}, {}],
    ),
    Case(
        name="a date alone has midnight",
        detection="sel: {T|hour: 0}",
        yes=[{"T": "2024-01-31"}],
        no=[{"T": "2024-02-31"}],
    ),
]

NETWORKS = [
    Case(
        name="cidr v4",
        detection="sel: {Ip|cidr: 10.0.0.0/8}",
        yes=[
            {"Ip": "10.0.0.0"},
            {"Ip": "10.255.255.255"},
            {"Ip": ["x", "10.1.1.1"]},
            {"Ip": "::ffff:10.1.2.3"},
        ],
        no=[
            {"Ip": "11.0.0.0"},
            {"Ip": "9.255.255.255"},
            {"Ip": "10.1"},
            {"Ip": "10.0.0.0/8"},
            {"Ip": 167772161},
            {},
        ],
    ),
    Case(
        name="cidr v6",
        detection="sel: {Ip|cidr: ['fe80::/10', '::1/128']}",
        yes=[{"Ip": "FE80::1"}, {"Ip": "fe80::1%eth0"}, {"Ip": "::1"}, {"Ip": "0:0:0:0:0:0:0:1"}],
        no=[{"Ip": "fec0::1"}, {"Ip": "::2"}, {"Ip": "254.128.0.1"}, {"Ip": ""}],
    ),
    Case(
        name="cidr, everything of a version",
        detection="sel: {Ip|cidr: 0.0.0.0/0}",
        yes=[{"Ip": "8.8.8.8"}],
        no=[{"Ip": "2001:db8::1"}, {"Ip": "host"}],
    ),
    Case(
        name="cidr negated",
        detection="sel: {Ip|cidr|neq: 10.0.0.0/8}",
        yes=[{"Ip": "8.8.8.8"}, {}],
        no=[{"Ip": "10.0.0.1"}],
    ),
]

REFERENCES = [
    Case(
        name="fieldref",
        detection="sel: {A|fieldref: B}",
        yes=[{"A": "x", "B": "X"}, {"A": 5, "B": "5"}, {"A": ["q", "x"], "B": ["x", "y"]}],
        no=[{"A": "x", "B": "y"}, {"A": "x"}, {"B": "x"}, {}, {"A": None, "B": None}],
    ),
    Case(
        name="fieldref with startswith, endswith, both and contains",
        detection="""
            sel:
              A|fieldref|startswith: P
              A|fieldref|endswith: S
              A|fieldref|startswith|endswith: M
              A|fieldref|contains: M
        """,
        yes=[{"A": "PREmidSUF", "P": "pre", "S": "suf", "M": "MID"}],
        no=[
            {"A": "PREmidSUF", "P": "mid", "S": "suf", "M": "mid"},
            {"A": "PREmidSUF", "P": "pre", "S": "mid", "M": "mid"},
            {"A": "PREmidSUF", "P": "pre", "S": "suf", "M": "mad"},
        ],
    ),
    Case(
        name="fieldref negated, and cased",
        detection="sel: {A|fieldref|neq: B, C|cased|fieldref: D}",
        yes=[{"A": "x", "B": "y", "C": "q", "D": "q"}, {"A": "x", "C": "q", "D": "q"}],
        no=[{"A": "x", "B": "X", "C": "q", "D": "q"}, {"A": "x", "B": "y", "C": "q", "D": "Q"}],
    ),
    Case(
        name="fieldref takes wildcards in the other field as they are",
        detection="sel: {A|fieldref: B}",
        yes=[{"A": "a*", "B": "a*"}],
        no=[{"A": "ab", "B": "a*"}],
    ),
]

PLACEHOLDERS: Mapping[str, Sequence[str]] = {"admins": ["adm_*", "root"], "hosts": ["DC1", "DC2"], "none": []}

EXPANSIONS = [
    Case(
        name="expand to a list, wildcards included",
        detection="sel: {User|expand: '%admins%'}",
        placeholders=PLACEHOLDERS,
        yes=[{"User": "ADM_bob"}, {"User": "root"}],
        no=[{"User": "bob"}, {"User": "%admins%"}],
    ),
    Case(
        name="expand within text, every combination",
        detection=r"sel: {User|contains|expand: '%hosts%\%admins%'}",
        placeholders=PLACEHOLDERS,
        yes=[{"User": r"x dc2\root x"}, {"User": r"dc1\adm_1"}],
        no=[{"User": r"dc3\root"}, {"User": r"dc1\bob"}],
    ),
    Case(
        name="expand with a plain per cent sign",
        detection=r"sel: {A|contains|expand: '\%plain%admins%', B|expand: '%admins%\%', C|expand: 'a\*%hosts%'}",
        placeholders=PLACEHOLDERS,
        yes=[{"A": "x%plainroot", "B": "root%", "C": "a*dc1"}],
        no=[
            {"A": "plainroot", "B": "root%", "C": "a*dc1"},
            {"A": "%plainroot", "B": r"root\%", "C": "axdc1"},
        ],
    ),
    Case(
        name="expand with nothing but a plain per cent sign",
        detection=r"sel: {A|expand: ['%admins%', '100\% done', '50% done']}",
        placeholders=PLACEHOLDERS,
        yes=[{"A": "100% done"}, {"A": "50% done"}, {"A": "root"}],
        no=[{"A": r"100\% done"}],
    ),
    Case(
        name="expand before an encoding",
        detection="sel: {A|expand|wide|base64offset|contains: '%hosts%'}",
        placeholders=PLACEHOLDERS,
        yes=[{"A": b64("xDC2y".encode("utf-16-le"))}, {"A": b64("DC1".encode("utf-16-le"))}],
        no=[{"A": b64("DC3".encode("utf-16-le"))}, {"A": b64("%hosts%".encode("utf-16-le"))}],
    ),
    Case(
        name="expand an expression: values are taken literally",
        detection="sel: {A|re|expand: '^%admins%$'}",
        placeholders=PLACEHOLDERS,
        yes=[{"A": "root"}, {"A": "adm_*"}],
        no=[{"A": "adm___"}, {"A": "adm"}, {"A": "xroot"}],
    ),
    Case(
        name="expand to nothing never holds",
        detection="sel: {A|expand: '%none%'}",
        placeholders=PLACEHOLDERS,
        no=[{"A": ""}, {"A": "%none%"}, {}],
    ),
    Case(
        name="expand under all stays any",
        detection="sel: {A|contains|all|expand: ['%hosts%', x]}",
        placeholders=PLACEHOLDERS,
        yes=[{"A": "dc1 x"}, {"A": "xdc2"}],
        no=[{"A": "dc1"}, {"A": "x"}],
    ),
    Case(
        name="percent signs without expand are text",
        detection="sel: {A|contains: '%admins%'}",
        yes=[{"A": "a %ADMINS% b"}],
        no=[{"A": "root"}],
    ),
]

KEYWORDS = [
    Case(
        name="keyword anywhere in any value",
        detection="sel: [mimikatz, 4688]",
        yes=[{"A": "x MIMIKATZ x"}, {"A": {"B": ["q", {"C": "mimikatz"}]}}, {"A": 4688}, {"A": "n=46881"}],
        no=[{"mimikatz": "x"}, {"A": ["mimi", "katz"]}, {}],
    ),
    Case(
        name="keyword with wildcards is unanchored",
        detection="sel: ['sel?kurlsa*now']",
        yes=[{"A": "run Sel:kurlsa xx now!"}],
        no=[{"A": "selkurlsa now"}, {"A": "sel::kurlsa now"}],
    ),
    Case(
        name="keywords with all may stand in different values",
        detection="sel: {'|all': [one, two]}",
        yes=[{"A": "one", "B": "two"}, {"A": "two one"}],
        no=[{"A": "one"}],
    ),
    Case(
        name="keyword with modifiers",
        detection="sel: {'|re': 'a{3}'}",
        yes=[{"A": "baaab"}],
        no=[{"A": "aa"}, {"A": "AAA"}],
    ),
    Case(
        name="keyword held to the start of a value",
        detection="sel: {'|startswith': abc}",
        yes=[{"A": "x", "B": "ABCd"}],
        no=[{"A": "xabc"}],
    ),
    Case(
        name="keyword cased",
        detection="sel: {'|cased': AbC}",
        yes=[{"A": "xAbCx"}],
        no=[{"A": "abc"}],
    ),
    Case(
        name="one keyword, negated",
        detection="""
            sel: bad
            condition: not sel
        """,
        yes=[{}, {"A": "good"}],
        no=[{"A": "bad"}],
    ),
]

SELS = """
sel_a: {A: 1}
sel_b: {B: 1}
filter: {C: 1}
_hidden: {D: 1}
"""

CONDITIONS = [
    Case(
        name=condition,
        detection=f"{SELS}\ncondition: {condition}",
        yes=[dict.fromkeys(keys, 1) for keys in yes.split()],
        no=[dict.fromkeys(keys, 1) for keys in no.split()],
    )
    for condition, yes, no in (
        ("sel_a and sel_b", "AB ABC", "A B C"),
        ("sel_a or sel_b and filter", "A BC", "B C"),
        ("(sel_a or sel_b) and filter", "AC BC", "A B"),
        ("sel_a and not filter", "A AB", "AC C"),
        ("not sel_a or sel_b", "B AB C", "A"),
        ("not (sel_a or sel_b)", "C D", "A B AC"),
        ("not not sel_a", "A", "B"),
        ("1 of sel_*", "A B", "C D"),
        ("any of sel_*", "A B", "C D"),
        ("all of sel_*", "AB", "A B"),
        ("1 of them", "A B C", "D"),
        ("all of them", "ABC ABCD", "AB ABD"),
        ("1 of *b", "B", "A C"),
        ("1 of _*", "D", "A B C"),
        ("not 1 of sel_* and not all of filt*", "D", "A B C"),
        ("[sel_a and sel_b, filter]", "AB C", "A B D"),
    )
]

CASES: list[Case] = [
    *PLAIN,
    *WILDCARDS,
    *GENERIC,
    *WINDASH,
    *EXPRESSIONS,
    *ENCODINGS,
    *NUMBERS,
    *TIMES,
    *NETWORKS,
    *REFERENCES,
    *EXPANSIONS,
    *KEYWORDS,
    *CONDITIONS,
]
