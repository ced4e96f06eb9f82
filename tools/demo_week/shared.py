"""What goes on by itself on every system: agents, WMI, services, signatures of the virus scanner."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta

from demo_week.host import Host

_SERVICES = (
    "Windows Update",
    "Background Intelligent Transfer Service",
    "Smart Card",
    "Windows Defender Antivirus Service",
    "Print Spooler",
    "Group Policy Client",
    "Network List Service",
    "Software Protection",
    "WMI Performance Adapter",
)
_INVENTORY = (
    "$items = Get-CimInstance -ClassName Win32_QuickFixEngineering | Select-Object HotFixID, InstalledOn\r\n"
    "$items | ConvertTo-Json | Set-Content -Path C:\\Windows\\CCM\\Temp\\inventory.json"
)


def services_run(at: datetime, host: Host, count: int) -> None:
    """Services start or stop: 7036."""
    for number, name in enumerate(host.log.rng.sample(_SERVICES, count)):
        state = host.log.rng.choice(("running", "running", "stopped"))
        host.other(
            at + timedelta(seconds=number * 2),
            "services",
            7036,
            {"param1": name, "param2": state, "Binary": name[:6].encode("utf-16-le").hex().upper()},
            user=None,
        )


def inventory(at: datetime, host: Host) -> None:
    """The deployment agent runs a script of its own, encoded as such agents do, and hosts PowerShell itself."""
    agent = host.running["ccmexec"]
    host.load(at - timedelta(seconds=4), agent, "automation", "clr")
    line = "& C:\\Windows\\CCM\\SystemTemp\\inventory.ps1"
    encoded = b64encode(line.encode("utf-16-le")).decode()
    shell = host.start(
        at,
        "powershell",
        agent,
        host.system,
        f"powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand {encoded}",
    )
    host.load(at + timedelta(milliseconds=600), shell, "clr", "automation", "amsi")
    host.write(at + timedelta(seconds=1), shell, "C:\\Windows\\Temp\\__PSScriptPolicyTest_q3t4z1ab.0dv.ps1")
    host.script(at + timedelta(seconds=2), shell, _INVENTORY, "C:\\Windows\\CCM\\SystemTemp\\inventory.ps1")
    host.pipeline(at + timedelta(seconds=3), shell, "Get-CimInstance")
    provider_round(at + timedelta(seconds=3, milliseconds=200), host)


def provider_round(at: datetime, host: Host) -> None:
    """A WMI provider host lists devices, smart card readers among them."""
    provider = host.start(
        at,
        "wmiprvse",
        host.running["svchost"],
        host.system,
        "C:\\Windows\\system32\\wbem\\wmiprvse.exe -secured -Embedding",
    )
    host.load(at + timedelta(milliseconds=700), provider, "wbem", "scard")


def defender_updates(at: datetime, host: Host, day: datetime) -> None:
    """New signatures twice a day, and a scan that looks into LSASS."""
    for number, hours in enumerate((0, 6)):
        now, old = 2 * day.day + number, 2 * day.day + number - 1
        host.other(
            at + timedelta(hours=hours),
            "defender",
            2000,
            {
                "Product Name": "Microsoft Defender Antivirus",
                "Product Version": "4.18.26090.9",
                "Current Signature Version": f"1.431.{now}.0",
                "Previous Signature Version": f"1.431.{old}.0",
                "Update Source": "%%859",
                "Signature Type": "%%800",
                "Update Type": "%%803",
                "User": "NT AUTHORITY\\SYSTEM",
            },
        )
    host.open_process(
        at + timedelta(minutes=4),
        host.running["defender"],
        host.running["lsass"],
        "0x1410",
        ("C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4", "C:\\Windows\\System32\\KERNELBASE.dll+2c0fe"),
    )
