"""Programs and libraries of the made-up week: where they lie and who signed them."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

SYSTEM = "C:\\Windows\\System32\\"
_WINDOWS = "Microsoft® Windows® Operating System"
_GAC = "C:\\Windows\\Microsoft.NET\\assembly\\GAC_MSIL\\"
_OFFICE = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"


class Library(NamedTuple):
    """What Sysmon says of a loaded file."""

    path: str
    description: str
    version: str = "10.0.19041.4522 (WinBuild.160101.0800)"
    product: str = _WINDOWS
    company: str = "Microsoft Corporation"
    signature: str = "Microsoft Windows"


LIBRARIES = {
    "automation": Library(
        f"{_GAC}System.Management.Automation\\v4.0_3.0.0.0__31bf3856ad364e35\\System.Management.Automation.dll",
        "System.Management.Automation",
        "10.0.19041.4474",
    ),
    "scard": Library(SYSTEM + "WinSCard.dll", "Microsoft Smart Card API"),
    "samlib": Library(SYSTEM + "samlib.dll", "SAM Library DLL"),
    "vaultcli": Library(SYSTEM + "vaultcli.dll", "Credential Vault Client Library"),
    "hid": Library(SYSTEM + "hid.dll", "Hid User Library"),
    "cryptdll": Library(SYSTEM + "cryptdll.dll", "Cryptography Manager"),
    "amsi": Library(SYSTEM + "amsi.dll", "Anti-Malware Scan Interface"),
    "clr": Library(
        "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\clr.dll",
        "Microsoft .NET Runtime Common Language Runtime - WorkStation",
        "4.8.4730.0 built by: NET48REL1LAST_C",
        "Microsoft® .NET Framework",
        signature="Microsoft Corporation",
    ),
    "vba": Library(
        "C:\\Program Files\\Common Files\\Microsoft Shared\\VBA\\VBA7.1\\VBE7.DLL",
        "Visual Basic Design Time Environment",
        "7.01.1141",
        "Visual Basic Environment",
        signature="Microsoft Corporation",
    ),
    "wbem": Library(SYSTEM + "wbem\\wbemprox.dll", "WMI"),
    "winhttp": Library(SYSTEM + "winhttp.dll", "Windows HTTP Services"),
    "taskschd": Library(SYSTEM + "taskschd.dll", "Task Scheduler COM API"),
}
PROGRAMS = {
    "cmd": SYSTEM + "cmd.exe",
    "powershell": SYSTEM + "WindowsPowerShell\\v1.0\\powershell.exe",
    "svchost": SYSTEM + "svchost.exe",
    "services": SYSTEM + "services.exe",
    "lsass": SYSTEM + "lsass.exe",
    "winlogon": SYSTEM + "winlogon.exe",
    "csrss": SYSTEM + "csrss.exe",
    "logonui": SYSTEM + "LogonUI.exe",
    "explorer": "C:\\Windows\\explorer.exe",
    "wmiprvse": SYSTEM + "wbem\\WmiPrvSE.exe",
    "taskhostw": SYSTEM + "taskhostw.exe",
    "conhost": SYSTEM + "conhost.exe",
    "mmc": SYSTEM + "mmc.exe",
    "net": SYSTEM + "net.exe",
    "net1": SYSTEM + "net1.exe",
    "whoami": SYSTEM + "whoami.exe",
    "ipconfig": SYSTEM + "ipconfig.exe",
    "schtasks": SYSTEM + "schtasks.exe",
    "wevtutil": SYSTEM + "wevtutil.exe",
    "robocopy": SYSTEM + "Robocopy.exe",
    "splwow64": "C:\\Windows\\splwow64.exe",
    "notepad": SYSTEM + "notepad.exe",
    "servermanager": SYSTEM + "ServerManager.exe",
    "ccmexec": "C:\\Windows\\CCM\\CcmExec.exe",
    "defender": "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26090.9-0\\MsMpEng.exe",
    "edge": "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
    "word": _OFFICE + "WINWORD.EXE",
    "excel": _OFFICE + "EXCEL.EXE",
    "outlook": _OFFICE + "OUTLOOK.EXE",
    "teams": "C:\\Program Files\\Meeting Room\\meetings.exe",
    "vpn": "C:\\Program Files\\Example VPN\\vpnclient.exe",
    "monitor": "C:\\Program Files\\Example Monitoring\\agent.exe",
    "backup": "C:\\Program Files\\Example Backup\\backupsvc.exe",
    "psexesvc": "C:\\Windows\\PSEXESVC.exe",
}


@lru_cache(maxsize=512)
def hashes(path: str) -> str:
    """Invented, the same for the same file."""
    digest = sha256(f"undertag demo {path.lower()}".encode()).hexdigest().upper()
    return f"SHA256={digest},IMPHASH={digest[7:39]}"
