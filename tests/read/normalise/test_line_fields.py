"""What each form of line says, and that no line, however hostile, breaks the reader or makes it say more than it read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undertag.read.normalise.line_fields import fields_of

SYSLOG: dict[str, tuple[str, dict[str, Any]]] = {
    "5424": (
        "<34>1 2026-03-01T10:00:00.003Z box su 77 ID47 - 'su root' failed",
        {
            "time": "2026-03-01T10:00:00.003Z",
            "host": "box",
            "program": "su",
            "pid": "77",
            "msgid": "ID47",
            "message": "'su root' failed",
        },
    ),
    "5424, structured data with an escaped bracket": (
        '<165>1 2026-03-01T10:00:00Z box app - ID47 [a@1 x="\\]"][b@2] told',
        {
            "time": "2026-03-01T10:00:00Z",
            "host": "box",
            "program": "app",
            "msgid": "ID47",
            "x": "]",
            "message": "told",
        },
    ),
    "5424, parameters are never the header's": (
        '<165>1 - box app 1 - [a@1 host="x" p="1\\\\2 = \\"3\\""][b@1 p="4" q="5"] told',
        {"host": "box", "program": "app", "pid": "1", "p": '1\\2 = "3"', "q": "5", "message": "told"},
    ),
    "5424, structured data and no message": (
        '<165>1 2026-03-01T10:00:00Z box app 1 - [a@1 x="y"]',
        {
            "time": "2026-03-01T10:00:00Z",
            "host": "box",
            "program": "app",
            "pid": "1",
            "x": "y",
            "message": "",
        },
    ),
    "5424, nothing known": ("<165>1 - - - - - - told", {"message": "told"}),
    "5424, a dash as message": ("<165>1 - box - - - - -", {"host": "box", "message": "-"}),
    "5424, byte order mark": (
        "<165>1 - box app - - - \ufefftold",
        {"host": "box", "program": "app", "message": "told"},
    ),
    "3164": (
        "<34>Oct 11 22:14:15 box su: 'su root' failed",
        {"host": "box", "program": "su", "message": "'su root' failed"},
    ),
    "3164, no priority": (
        "Oct  1 22:14:15 box sshd[12]: Accepted for: x",
        {"host": "box", "program": "sshd", "pid": "12", "message": "Accepted for: x"},
    ),
    "3164, no host": ("Oct  1 22:14:15 su[12]: told", {"program": "su", "pid": "12", "message": "told"}),
    "3164, a year": (
        "Oct  1 22:14:15 2026 box su: told",
        {"host": "box", "program": "su", "message": "told"},
    ),
    "3164, IPv4 as host": (
        "Oct  1 22:14:15 10.0.0.1 su: x",
        {"host": "10.0.0.1", "program": "su", "message": "x"},
    ),
    "3164, IPv6 as host": (
        "Oct  1 22:14:15 fe80::1 su: x",
        {"host": "fe80::1", "program": "su", "message": "x"},
    ),
    "3164, nothing after the colon": (
        "Oct  1 22:14:15 box su:",
        {"host": "box", "program": "su", "message": ""},
    ),
    "pam": (
        "Mar  1 00:00:01 box sshd(pam_unix)[123]: authentication failure; logname= uid=0",
        {
            "host": "box",
            "program": "sshd",
            "pid": "123",
            "message": "authentication failure; logname= uid=0",
        },
    ),
    "pam, no pid": ("Mar  1 00:00:01 box su(pam_unix): x", {"host": "box", "program": "su", "message": "x"}),
    "ISO time": (
        "2026-01-02T03:04:05.123456+00:00 box kernel: [ 1.2] x",
        {
            "time": "2026-01-02T03:04:05.123456+00:00",
            "host": "box",
            "program": "kernel",
            "message": "[ 1.2] x",
        },
    ),
    "ISO time, blanks in it": (
        "<13>2026-01-02 03:04:05.1 +0100  box prog[1]: x",
        {"time": "2026-01-02 03:04:05.1 +0100", "host": "box", "program": "prog", "pid": "1", "message": "x"},
    ),
    "JSON": (
        'Oct  1 22:14:15 box app: {"a": {"b": [1]}}',
        {"host": "box", "program": "app", "message": '{"a": {"b": [1]}}', "a": {"b": [1]}},
    ),
    "JSON behind a byte order mark, its own names win": (
        '<165>1 - box app - - - \ufeff {"message": "inner", "host": "other"}',
        {"host": "other", "program": "app", "message": "inner"},
    ),
    "JSON that is no object": (
        "Oct  1 22:14:15 box app: [1]",
        {"host": "box", "program": "app", "message": "[1]"},
    ),
    "JSON cut short": (
        'Oct  1 22:14:15 box app: {"a": 1',
        {"host": "box", "program": "app", "message": '{"a": 1'},
    ),
}


@pytest.mark.parametrize("name", SYSLOG)
def test_syslog(name: str) -> None:
    line, expected = SYSLOG[name]
    assert fields_of(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "one two three",
        "\x00\x01",
        "type=x",
        "node=",
        "type=1400 audit(1.1:2): x",
        "Oct  1 22:14:15 box last message repeated 2 times",
        "Oct  1 22:14:15 box prog[1]: a\nb",
        '{"a": 1}',
        "CEF:9|a|b|c|d|e|5|x=1",
        "x" * 600 + " CEF:0|a|b|c|d|e|5|x=1",
    ],
)
def test_where_nothing_is_known_the_line_is_the_message(line: str) -> None:
    assert fields_of(line) == {"message": line}


HEAD = {
    "DeviceVendor": "Ven",
    "DeviceProduct": "Pro",
    "DeviceVersion": "1.0",
    "DeviceEventClassID": "42",
    "Name": "Found it",
    "Severity": "7",
}
CEF: dict[str, tuple[str, dict[str, str]]] = {
    "no pairs": ("", {}),
    "no pair in the extension": ("only words", {}),
    "blanks in values": ("act=was blocked  src=10.0.0.1", {"act": "was blocked", "src": "10.0.0.1"}),
    "= in a value": ("url=http://a/?b=c&d=e x=1", {"url": "http://a/?b=c&d=e", "x": "1"}),
    "escaped =": (r"msg=a \= b c=2", {"msg": "a = b", "c": "2"}),
    "escaped line ends": (r"msg=a\nb\rc", {"msg": "a\nb\rc"}),
    "escaped backslash before n": (r"path=C:\\Temp\\new.exe", {"path": r"C:\Temp\new.exe"}),
    "backslash that escapes nothing": (r"path=C:\Temp\x", {"path": r"C:\Temp\x"}),
    "bar in a value": ("msg=a | b", {"msg": "a | b"}),
    "label": ("cs1Label=Rule Name cs1=x y", {"cs1Label": "Rule Name", "cs1": "x y", "Rule Name": "x y"}),
    "label after its value": ("cs1=x cs1Label=Rule", {"cs1": "x", "cs1Label": "Rule", "Rule": "x"}),
    "label without value": ("cs1Label=Rule", {"cs1Label": "Rule"}),
    "empty label": ("cs1=x cs1Label=", {"cs1": "x", "cs1Label": ""}),
    "label that would hide a field": (
        "src=a cs1=x cs1Label=src",
        {"src": "a", "cs1": "x", "cs1Label": "src"},
    ),
    "first of two": ("a=1 a=2", {"a": "1"}),
    "pair that would hide the header": ("Severity=0", {}),
    "brackets and dots": ("ad.x[0]=1", {"ad.x[0]": "1"}),
}


@pytest.mark.parametrize("name", CEF)
def test_cef_extension(name: str) -> None:
    extension, expected = CEF[name]
    assert fields_of(f"CEF:0|Ven|Pro|1.0|42|Found it|7|{extension}") == {**HEAD, **expected}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (r"a\|b|c", {"DeviceVendor": "a|b", "DeviceProduct": "c"}),
        (r"a\\|c", {"DeviceVendor": "a\\", "DeviceProduct": "c"}),
        ("a", {"DeviceVendor": "a"}),
        ("a\\", {"DeviceVendor": "a\\"}),
        ("|b", {"DeviceVendor": "", "DeviceProduct": "b"}),
    ],
)
def test_cef_header(header: str, expected: dict[str, str]) -> None:
    assert fields_of(f"CEF:1|{header}") == expected


@pytest.mark.parametrize(
    ("before", "known"),
    [
        ("", {}),
        ("Sep 19 08:26:10 box ", {"host": "box"}),
        ("<13>2026-01-02T03:04:05Z box ", {"host": "box", "time": "2026-01-02T03:04:05Z"}),
        ("<13>Sep 19 08:26:10 box agent[7]: ", {"host": "box", "program": "agent", "pid": "7"}),
        (
            "<13>1 2026-01-02T03:04:05Z box agent - - - ",
            {"host": "box", "program": "agent", "time": "2026-01-02T03:04:05Z"},
        ),
        ("what no header is like; ", {}),
    ],
)
@pytest.mark.parametrize("mark", ["CEF:0|", "LEEF:1.0|"])
def test_what_stands_before_cef_and_leef(before: str, known: dict[str, str], mark: str) -> None:
    assert fields_of(f"{before}{mark}Ven|Pro") == {
        **known,
        "DeviceVendor": "Ven",
        "DeviceProduct": "Pro",
    }


def test_a_message_that_quotes_cef_stays_a_message() -> None:
    line = "Oct  1 22:14:15 box sshd[9]: Invalid user CEF:0|a|b|c|d|e|5|x=1 from 10.0.0.1"
    assert fields_of(line) == {
        "host": "box",
        "program": "sshd",
        "pid": "9",
        "message": "Invalid user CEF:0|a|b|c|d|e|5|x=1 from 10.0.0.1",
    }


def test_the_first_of_cef_and_leef_is_the_form() -> None:
    assert fields_of("LEEF:1.0|Ven|Pro|1.0|42|msg=CEF:0|a|b")["msg"] == "CEF:0|a|b"


LEEF: dict[str, tuple[str, dict[str, str]]] = {
    "1.0": ("LEEF:1.0|Ven|Pro|1.0|42|src=10.0.0.1\tcat=a b=c", {"src": "10.0.0.1", "cat": "a b=c"}),
    "1.0, bars in values": ("LEEF:1.0|Ven|Pro|1.0|42|a=1|2\tb=3", {"a": "1|2", "b": "3"}),
    "1.0, blanks around": ("LEEF:1.0|Ven|Pro|1.0|42| a = 1 \tb=2", {"a": "1", "b": "2"}),
    "1.0, no pairs": ("LEEF:1.0|Ven|Pro|1.0|42|", {}),
    "2.0, character": ("LEEF:2.0|Ven|Pro|1.0|42|^|a=1^b=2 3", {"a": "1", "b": "2 3"}),
    "2.0, hexadecimal": ("LEEF:2.0|Ven|Pro|1.0|42|x7C|a=1|b=2", {"a": "1", "b": "2"}),
    "2.0, hexadecimal with a nought": ("LEEF:2.0|Ven|Pro|1.0|42|0x5e|a=1^b=2", {"a": "1", "b": "2"}),
    "2.0, hexadecimal that is no character": ("LEEF:2.0|Ven|Pro|1.0|42|xD800|a=1", {"a": "1"}),
    "2.0, empty": ("LEEF:2.0|Ven|Pro|1.0|42||a=1\tb=2", {"a": "1", "b": "2"}),
    "2.0, left out": ("LEEF:2.0|Ven|Pro|1.0|42|a=1\tb=2", {"a": "1", "b": "2"}),
    "2.0, left out, a bar in a value": ("LEEF:2.0|Ven|Pro|1.0|42|a=1\tb=2|3", {"a": "1", "b": "2|3"}),
}


@pytest.mark.parametrize("name", LEEF)
def test_leef(name: str) -> None:
    line, expected = LEEF[name]
    head = {
        field: HEAD[field]
        for field in ("DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID")
    }
    assert fields_of(line) == {**head, **expected}


AUDIT: dict[str, tuple[str, str, dict[str, str]]] = {
    "quotes come off": (
        "SYSCALL",
        'comm="cat" exe="/bin/cat" tty=(none)',
        {"comm": "cat", "exe": "/bin/cat", "tty": "(none)"},
    ),
    "hexadecimal text": ("PATH", "name=2F746D702F612062 inode=1234", {"name": "/tmp/a b", "inode": "1234"}),
    "noughts between arguments": ("PROCTITLE", "proctitle=6C73002D6C61", {"proctitle": "ls -la"}),
    "hexadecimal that is no UTF-8": ("PATH", "name=FF61", {"name": "\ufffda"}),
    "what only looks like hexadecimal": ("PATH", "name=beef cwd=ABC", {"name": "beef", "cwd": "ABC"}),
    "nothing": ("PATH", "name=(null) key= obj==x", {"name": "(null)", "key": "", "obj": "=x"}),
    "numbers of SYSCALL": ("SYSCALL", "a0=4142 a1=6162", {"a0": "4142", "a1": "6162"}),
    "arguments of EXECVE": (
        "EXECVE",
        'argc=3 a0="sh" a1=6C73202D6C61 a10=6162',
        {"argc": "3", "a0": "sh", "a1": "ls -la", "a10": "ab"},
    ),
    "an argument in pieces": (
        "EXECVE",
        "a3_len=10 a3[0]=6162 a3[1]=6364",
        {"a3_len": "10", "a3[0]": "ab", "a3[1]": "cd"},
    ),
    "enriched": (
        "SYSCALL",
        'syscall=59 uid=0 key="k"\x1dARCH=x86_64 SYSCALL=execve UID="root"',
        {"syscall": "59", "uid": "0", "key": "k", "ARCH": "x86_64", "SYSCALL": "execve", "UID": "root"},
    ),
    "avc": (
        "AVC",
        'avc:  denied  { getattr } for  pid=1 comm="httpd" tclass=file',
        {"pid": "1", "comm": "httpd", "tclass": "file"},
    ),
    "user": (
        "USER_AUTH",
        'pid=1 uid=0 msg=\'op=PAM:auth acct="root" res=success\'\x1dUID="root"',
        {"pid": "1", "uid": "0", "op": "PAM:auth", "acct": "root", "res": "success", "UID": "root"},
    ),
    "user, as Linux 2.6 wrote it": (
        "USER_ACCT",
        "user pid=1 uid=0 subj=x msg='PAM: accounting acct=root : exe=\"/usr/sbin/crond\" (res=success)'",
        {"pid": "1", "uid": "0", "subj": "x", "acct": "root", "exe": "/usr/sbin/crond", "res": "success)"},
    ),
    "user, hexadecimal": (
        "USER_CMD",
        "msg='cmd=6C73202D6C61 res=success'",
        {"cmd": "ls -la", "res": "success"},
    ),
    "user, apostrophes": (
        "USER_CMD",
        "msg='cwd=\"/a'b\" cmd=\"it's\" res=success'",
        {"cwd": "/a'b", "cmd": "it's", "res": "success"},
    ),
    "user, no argument of a program": ("USER_CMD", "msg='a0=4142'", {"a0": "4142"}),
    "user cannot hide the kernel's word": ("USER_CMD", "uid=0 msg='uid=7 type=x'", {"uid": "0"}),
    "quote that doesn't end": ("USER_LOGIN", 'acct="root', {"acct": "root"}),
    "quotes that don't end, nested": ("USER_LOGIN", "msg='op=x acct=\"root", {"op": "x", "acct": "root"}),
    "a lone quote": ("SYSCALL", "comm=\" exe='", {"comm": "", "exe": ""}),
    "unknown type": ("UNKNOWN[1334]", "prog-id=1 op=LOAD", {"prog-id": "1", "op": "LOAD"}),
    "no field": ("EOE", "", {}),
}


@pytest.mark.parametrize("name", AUDIT)
@pytest.mark.parametrize("node", ["", "h.example"])
def test_auditd(name: str, node: str) -> None:
    kind, rest, expected = AUDIT[name]
    start = f"node={node} " if node else ""
    found = fields_of(f"{start}type={kind} msg=audit(1364481363.243:24287): {rest}")
    own = {"node": node} if node else {}
    assert found == {**own, "type": kind, "time": "1364481363.243", "audit_id": "24287", **expected}


LONG = 10_000_000
PAIRS = 3 * 2_000
AUDIT_HEAD = "type=USER_CMD msg=audit(1.1:2): "
HOSTILE = {
    "one word": "a" * LONG,
    "nothing but bars": "CEF:0|" + "|" * LONG,
    "nothing but backslashes": "CEF:0|" + "\\" * (LONG // 4),
    "nothing but blanks": "CEF:0|a|b|c|d|e|5|" + " " * LONG,
    "pairs of CEF": "CEF:0|a|b|c|d|e|5|" + " ".join(f"a{number}=1" for number in range(50_000)),
    "labels of CEF": "CEF:0|a|b|c|d|e|5|" + " ".join(f"a{n}Label=b{n} a{n}=x" for n in range(50_000)),
    "pairs of LEEF": "LEEF:1.0|a|b|c|d|" + "\t".join(f"a{number}=1" for number in range(50_000)),
    "bars of LEEF": "LEEF:2.0|a|b|c|d|" + "|" * LONG,
    "pairs of auditd": AUDIT_HEAD + " ".join(f"a{number}=1" for number in range(50_000)),
    "quotes": AUDIT_HEAD + "\"'" * (LONG // 2),
    "quotes that open": AUDIT_HEAD + "a=\"b='" * (LONG // 6),
    "messages in messages": AUDIT_HEAD + " msg='" * (LONG // 6),
    "structured data": "<1>1 2026-03-01T10:00:00Z box a 1 - " + "[a]" * (LONG // 3),
    "JSON in JSON": "Oct  1 22:14:15 box a: " + '{"a":' * (LONG // 5),
    "control characters": "Oct  1 22:14:15 box a: " + "\x00\x1b[2J\x1d" * 1_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines_give_no_more_than_they_hold(name: str) -> None:
    line = HOSTILE[name]
    found = fields_of(line)
    assert 1 <= len(found) <= PAIRS
    assert sum(map(len, map(str, found.values()))) <= 2 * len(line)  # a label of CEF names a value again
    if line.startswith(("a", "Oct", "<1>")):
        assert line.endswith(found["message"])


STARTS = st.sampled_from(
    [
        "",
        "CEF:0|a|b|c|d|e|5|",
        "CEF:1|",
        "LEEF:1.0|a|b|c|d|",
        "LEEF:2.0|a|b|c|d|",
        AUDIT_HEAD,
        f"node=x {AUDIT_HEAD}",
        "type=EXECVE msg=audit(1.1:2): ",
        "<1>1 - - a - - ",
        "Oct  1 22:14:15 box a: ",
        "2026-01-02T03:04:05Z box a[1]: ",
    ]
)
TOKENS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "=",
                "|",
                "\\",
                '"',
                "'",
                "\x1d",
                " msg='",
                "a0",
                "cs1Label",
                "cs1",
                "[0]",
                "\t",
                "^",
                "x09",
                "{",
                "FF",
            ]
        ),
        st.text(st.characters(), max_size=4),
    ),
    max_size=30,
).map("".join)


@given(STARTS, TOKENS)
def test_never_fails(start: str, rest: str) -> None:
    found = fields_of(start + rest)
    assert found
    assert all(isinstance(name, str) for name in found)
    if "message" not in found:
        assert set(found) & {"DeviceVendor", "audit_id"}


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_a_message_comes_out_as_it_was(text: str) -> None:
    told = f"said {text}"
    assert fields_of(f"Oct  1 22:14:15 box app[7]: {told}") == {
        "host": "box",
        "program": "app",
        "pid": "7",
        "message": told,
    }


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_a_hexadecimal_text_is_what_was_encoded(text: str) -> None:
    assert fields_of(f"{AUDIT_HEAD}cwd={text.encode().hex().upper()}")["cwd"] == text
