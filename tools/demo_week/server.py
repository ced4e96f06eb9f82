"""The innocent days of the file server: shares, scheduled scripts, backups, an administrator at work."""

from __future__ import annotations

from datetime import datetime, timedelta

from demo_week.host import Host
from demo_week.shared import defender_updates, inventory, provider_round, services_run

_TASK = "\\Corp\\Check Shares"
_CHECK = (
    "$low = Get-Volume | Where-Object { $_.DriveType -eq 'Fixed' -and $_.SizeRemaining / $_.Size -lt 0.1 }\r\n"
    "if ($low) { Write-EventLog -LogName Application -Source Shares -EventId 10 -Message ($low | Out-String) }"
)
_READERS = (
    ("r.willow", 1117, "192.0.2.117"),
    ("p.heron", 1121, "192.0.2.121"),
    ("t.alder", 1130, "192.0.2.130"),
)


def day_of_server(day: datetime, host: Host, *, working: bool) -> None:
    """One day, from midnight."""
    rng = host.log.rng
    for hour in range(0, 24, 2):
        _scheduled_check(day + timedelta(hours=hour, minutes=5, seconds=rng.randrange(4)), host)
    for hour in range(0, 24, 3):
        provider_round(
            day + timedelta(hours=hour, minutes=rng.randrange(10, 50), seconds=rng.randrange(60)), host
        )
        services_run(day + timedelta(hours=hour, minutes=rng.randrange(60)), host, 2)
    for hour in (3, 9, 15, 21):
        inventory(day + timedelta(hours=hour, minutes=40, seconds=rng.randrange(60)), host)
        _monitoring(day + timedelta(hours=hour, minutes=20, seconds=rng.randrange(60)), host)
    defender_updates(day + timedelta(hours=4, minutes=rng.randrange(30)), host, day)
    _backup(day + timedelta(hours=23, seconds=rng.randrange(60)), host)
    if working:
        for hour in range(7, 18):
            for _ in range(4):
                _visit(
                    day + timedelta(hours=hour, seconds=rng.randrange(3500), milliseconds=rng.randrange(999)),
                    host,
                )
        if day.weekday() in (0, 2, 4):
            _administrator(day + timedelta(hours=9, minutes=rng.randrange(10, 30)), host)


def _scheduled_check(at: datetime, host: Host) -> None:
    account = host.session("svc-shares", 1160, integrity="High")
    run = f"{{{host.log.rng.randrange(1 << 32):08X}-1F2E-4D3C-9B4A-5C6D7E8F9A0B}}"
    host.logon(at, account, 4)
    shell_path = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
    data = {"TaskName": _TASK, "ActionName": shell_path, "TaskInstanceId": run, "EnginePID": 1460}
    host.other(
        at + timedelta(milliseconds=100), "tasks", 200, {"#attributes": {"Name": "ActionStart"}, **data}
    )
    shell = host.start(
        at + timedelta(milliseconds=200),
        "powershell",
        host.running["svchost"],
        account,
        "powershell.exe -NoProfile -File D:\\Scripts\\Check-Shares.ps1",
    )
    host.load(at + timedelta(milliseconds=900), shell, "clr", "automation", "amsi")
    host.write(at + timedelta(seconds=1), shell, "C:\\Windows\\Temp\\__PSScriptPolicyTest_w0c2yk5u.p1n.ps1")
    host.script(at + timedelta(seconds=2), shell, _CHECK, "D:\\Scripts\\Check-Shares.ps1")
    host.pipeline(at + timedelta(seconds=2, milliseconds=300), shell, "Get-Volume")
    done = {"#attributes": {"Name": "ActionSuccess"}, **data, "ResultCode": 0}
    host.other(at + timedelta(seconds=4), "tasks", 201, done)
    host.logoff(at + timedelta(seconds=5), account, 4)


def _monitoring(at: datetime, host: Host) -> None:
    """An agent that embeds PowerShell for its modules, and lists processes from compiled code without a file."""
    agent = host.known("monitor", host.system)
    host.load(at, agent, "clr", "automation")
    host.open_process(
        at + timedelta(seconds=2),
        agent,
        host.running["lsass"],
        "0x1000",
        ("C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4", "UNKNOWN(00007FFB1C2D3E4F)"),
    )
    host.connect(at + timedelta(seconds=3), agent, "192.0.2.40", 8443, "monitoring.corp.example")


def _backup(at: datetime, host: Host) -> None:
    service = host.known("backup", host.system)
    host.load(at, service, "taskschd")
    host.start(
        at + timedelta(seconds=20),
        "robocopy",
        service,
        host.system,
        "robocopy.exe D:\\Shares \\\\srv-backup.corp.example\\files$ /MIR /R:1 /NP",
    )
    host.connect(at + timedelta(seconds=21), service, "192.0.2.50", 445, "srv-backup.corp.example")
    for number in range(6):
        host.write(
            at + timedelta(seconds=30 + number * 45), service, f"D:\\Catalogue\\{at:%Y%m%d}-{number}.idx"
        )


def _visit(at: datetime, host: Host) -> None:
    """Somebody opens a document on a share."""
    user, rid, address = host.log.rng.choice(_READERS)
    session = host.session(user, rid)
    host.logon(at, session, 3, address=address)
    share = {"ObjectType": "File", "IpAddress": address, "IpPort": str(host.log.rng.randrange(49152, 65000))}
    share |= {"ShareName": "\\\\*\\Projects", "ShareLocalPath": "\\??\\D:\\Shares\\Projects"}
    access = {"AccessMask": "0x1", "AccessList": "%%4416"}
    host.security(at + timedelta(milliseconds=90), 5140, session, share | access)
    name = f"Site-{host.log.rng.randrange(10, 40)}\\Plan.docx"
    host.security(
        at + timedelta(milliseconds=120), 5145, session, {**share, "RelativeTargetName": name, **access}
    )
    host.logoff(at + timedelta(seconds=11), session, 3)


def _administrator(at: datetime, host: Host) -> None:
    """An hour of a real administrator: consoles that embed PowerShell, and commands that attackers like as well."""
    admin = host.session("adm-files", 1151, terminal=2, integrity="High")
    host.load(at - timedelta(milliseconds=800), host.running["winlogon"], "scard")
    host.load(at - timedelta(milliseconds=400), host.running["lsass"], "scard", "cryptdll")
    host.logon(at, admin, 10, address="192.0.2.151", station="WS-51")
    desk = host.known("explorer", admin)
    consoles = (
        ("servermanager", '"C:\\Windows\\System32\\ServerManager.exe"'),
        ("mmc", '"C:\\Windows\\system32\\mmc.exe" "C:\\Windows\\system32\\dsa.msc"'),
        ("mmc", '"C:\\Windows\\system32\\mmc.exe" "C:\\Windows\\system32\\fsmgmt.msc"'),
    )
    for number, (program, line) in enumerate(consoles):
        then = at + timedelta(minutes=3 + number * 6)
        console = host.start(then, program, desk, admin, line)
        host.load(then + timedelta(seconds=1), console, "clr", "automation")
    shell = host.start(at + timedelta(minutes=24), "powershell", desk, admin, "powershell.exe")
    host.load(at + timedelta(minutes=24, seconds=1), shell, "clr", "automation", "amsi")
    for number, (program, line) in enumerate(
        (
            ("whoami", "whoami.exe /groups"),
            ("ipconfig", "ipconfig.exe /all"),
            ("net", 'net.exe group "File Editors" /domain'),
            ("schtasks", "schtasks.exe /query /fo list"),
        )
    ):
        host.start(at + timedelta(minutes=25 + number), program, shell, admin, line)
    host.script(
        at + timedelta(minutes=30), shell, "Get-SmbShare | Get-SmbShareAccess | Format-Table -AutoSize"
    )
    host.pipeline(at + timedelta(minutes=30, seconds=1), shell, "Get-SmbShare")
    host.logoff(at + timedelta(minutes=52), admin, 10)
