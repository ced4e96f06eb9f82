"""The innocent days of the workstation: sign-in by smart card, mail, browser, documents, agents."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo_week.host import Host
from demo_week.logs import Session
from demo_week.shared import defender_updates, inventory, provider_round, services_run

_SITES = (
    ("intranet.corp.example", "192.0.2.30"),
    ("mail.corp.example", "192.0.2.31"),
    ("tickets.corp.example", "192.0.2.32"),
    ("www.news.example", "198.51.100.14"),
    ("maps.travel.example", "198.51.100.77"),
    ("cdn.fonts.example", "198.51.100.90"),
    ("login.identity.example", "198.51.100.8"),
    ("parts.supplier.example", "198.51.100.121"),
)
_NAMES = ("Minutes", "Budget", "Offer", "Plan", "Letter", "Report", "Checklist")


def working_day(day: datetime, host: Host, *, at_home: bool) -> Session:
    """From switching on to going home; gives back who worked."""
    rng = host.log.rng
    begin = day + timedelta(hours=7, minutes=rng.randrange(28, 55), seconds=rng.randrange(60))
    services_run(begin, host, 9)
    user = host.session("r.willow", 1117, terminal=1)
    sign_in(begin + timedelta(minutes=1), host, user, 2)
    desk = host.known("explorer", user)
    host.set_value(
        begin + timedelta(minutes=2),
        desk,
        f"HKU\\{user.sid}\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU\\a",
        "notepad\\1",
    )
    if at_home:
        _tunnel(begin + timedelta(minutes=3), host, user)
        _tunnel(begin + timedelta(hours=5), host, user)
    for program in ("outlook", "teams", "excel"):
        host.start(
            begin + timedelta(minutes=4, seconds=rng.randrange(90)),
            program,
            desk,
            user,
            f'"{host.known(program, user).image}"',
        )
    for hour in range(9):
        _hour(begin + timedelta(minutes=10 + hour * 60), host, user)
    for hour, length in ((2.1, 9), (4.4, 41), (7.2, 6)):
        left = begin + timedelta(hours=hour, minutes=rng.randrange(12))
        screen = host.start(
            left,
            "logonui",
            host.running["winlogon"],
            host.system,
            '"LogonUI.exe" /flags:0x4 /state0:0xa1b2c3d4',
        )
        host.load(left + timedelta(milliseconds=300), screen, "scard")
        sign_in(left + timedelta(minutes=length), host, user, 7)
    for minutes in range(15, 560, 70):
        provider_round(begin + timedelta(minutes=minutes + rng.randrange(20)), host)
    for minutes in (25, 265, 505):
        inventory(begin + timedelta(minutes=minutes), host)
    defender_updates(begin + timedelta(minutes=33), host, day)
    host.logoff(begin + timedelta(hours=9, minutes=20 + rng.randrange(30)), user, 2)
    return user


def sign_in(at: datetime, host: Host, user: Session, kind: int) -> None:
    """A smart card and its PIN: the sign-in screen, winlogon and LSASS all talk to the reader."""
    ms = timedelta(milliseconds=1)
    host.load(at - 900 * ms, host.running["winlogon"], "scard")
    host.load(at - 500 * ms, host.running["lsass"], "scard", "cryptdll")
    host.logon(at, user, kind, address="127.0.0.1", station=host.name)
    if kind == 7:
        host.logoff(at + 200 * ms, user, 7)


def _tunnel(at: datetime, host: Host, user: Session) -> None:
    vpn = host.start(
        at, "vpn", host.known("explorer", user), user, '"C:\\Program Files\\Example VPN\\vpnclient.exe"'
    )
    host.load(at + timedelta(seconds=1), vpn, "winhttp", "scard")
    host.connect(at + timedelta(seconds=2), vpn, "198.51.100.5", 443, "vpn.corp.example")


def _hour(at: datetime, host: Host, user: Session) -> None:
    rng = host.log.rng

    def within() -> datetime:
        return at + timedelta(seconds=rng.randrange(3400), microseconds=rng.randrange(10**6))

    desk = host.known("explorer", user)
    first = within()
    browser = host.start(first, "edge", desk, user, f'"{host.known("edge", user).image}" --single-argument')
    host.load(first + timedelta(seconds=2), browser, "scard")
    for _ in range(6):
        name, address = rng.choice(_SITES)
        then = within()
        host.ask(then, browser, name, address)
        host.connect(then + timedelta(milliseconds=80), browser, address, 443, name)
    word = host.known("word", user)
    for _ in range(2):
        name = f"{rng.choice(_NAMES)}-{rng.randrange(10, 99)}.docx"
        host.write(within(), word, f"C:\\Users\\{user.user}\\Documents\\{name}")
    host.set_value(
        within(),
        word,
        f"HKU\\{user.sid}\\Software\\Microsoft\\Office\\16.0\\Word\\Reading Locations\\Document {rng.randrange(9)}\\At",
        f"{rng.randrange(90)} {rng.randrange(90)}",
    )
    if rng.random() < 0.5:  # printing
        host.start(within(), "splwow64", word, user, "C:\\Windows\\splwow64.exe 12288")
    if rng.random() < 0.4:
        host.start(within(), "notepad", desk, user, '"C:\\Windows\\System32\\notepad.exe"')
    if rng.random() < 0.3:  # a workbook with macros of its own
        host.load(within(), host.known("excel", user), "vba")
    host.open_process(
        within(),
        host.running["csrss"],
        host.running["lsass"],
        "0x1fffff",
        ("C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4", "C:\\Windows\\SYSTEM32\\CSRSRV.dll+5bd0"),
    )
