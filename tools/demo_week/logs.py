"""The logs of one Windows system, and who acts on it.

Contract: each method adds the events of one happening; processes are in host.py.
Fields and their order are those of Sysmon 15 and Windows 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from demo_week.files import PROGRAMS
from demo_week.records import Log

DOMAIN = "CORP"
SID = "S-1-5-21-1000000001-1000000002-1000000003"
SYSTEM_SID = "S-1-5-18"
_PRIVILEGES = ("SeSecurityPrivilege", "SeBackupPrivilege", "SeRestorePrivilege", "SeDebugPrivilege")
_NO_GUID = "00000000-0000-0000-0000-000000000000"
LEVELS = {"System": "S-1-16-16384", "High": "S-1-16-12288", "Medium": "S-1-16-8192"}


class Session(NamedTuple):
    """Somebody logged on to one system."""

    user: str
    domain: str
    sid: str
    logon_id: str
    terminal: int
    integrity: str

    @property
    def account(self) -> str:
        """As Sysmon names it."""
        return f"{self.domain}\\{self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A running process."""

    image: str
    command: str
    pid: int
    guid: str
    session: Session


class Logs:
    """The logs of one system."""

    def __init__(self, log: Log, name: str, address: str) -> None:
        self.log, self.name, self.address = log, name, address
        self.computer = f"{name}.corp.example"
        self._machine = f"{log.rng.randrange(1 << 32):08X}"
        self._pids = {"sysmon": 3108, "defender": 3344, "tasks": 1460, "services": 652, "powershell": 0}
        self.system = Session("SYSTEM", "NT AUTHORITY", SYSTEM_SID, "0x3e7", 0, "System")
        self.running = {
            name: self.known(name, self.system)
            for name in (
                "services",
                "lsass",
                "winlogon",
                "csrss",
                "svchost",
                "wmiprvse",
                "defender",
                "ccmexec",
            )
        }

    def session(self, user: str, rid: int, *, terminal: int = 0, integrity: str = "Medium") -> Session:
        """A new logon session."""
        logon_id = hex(self.log.rng.randrange(0x60000, 0xFFFFFFF))
        return Session(user, DOMAIN, f"{SID}-{rid}", logon_id, terminal, integrity)

    def known(self, program: str, session: Session, command: str | None = None) -> Process:
        """A process that was started before, without events."""
        image = PROGRAMS.get(program, program)
        rng = self.log.rng
        guid = f"{self._machine}-{rng.randrange(1 << 16):04X}-6910-{rng.randrange(1 << 16):04X}-000000000400"
        return Process(
            image=image,
            command=command or image,
            pid=rng.randrange(250, 6000) * 4,
            guid=guid,
            session=session,
        )

    def logon(
        self, at: datetime, session: Session, kind: int, *, address: str = "-", station: str = "-"
    ) -> None:
        """Somebody logs on: Security 4624, and 4672 for the powerful."""
        by_network = kind == 3
        self.audit(
            at,
            4624,
            {
                **({**self.subject(None)} if by_network else self.subject(self.system)),
                **self.target(session),
                "LogonType": kind,
                "LogonProcessName": {2: "User32 ", 7: "User32 ", 3: "Kerberos", 10: "User32 "}.get(
                    kind, "Advapi  "
                ),
                "AuthenticationPackageName": "Kerberos" if by_network else "Negotiate",
                "WorkstationName": station,
                "LogonGuid": _NO_GUID,
                "TransmittedServices": "-",
                "LmPackageName": "-",
                "KeyLength": 0,
                "ProcessId": "0x0" if by_network else hex(self.running["services"].pid),
                "ProcessName": "-" if by_network else PROGRAMS["svchost"],
                "IpAddress": address,
                "IpPort": str(self.log.rng.randrange(49152, 65000)) if address != "-" else "-",
                "ImpersonationLevel": "%%1833",
                "RestrictedAdminMode": "-",
                "TargetOutboundUserName": "-",
                "TargetOutboundDomainName": "-",
                "VirtualAccount": "%%1843",
                "TargetLinkedLogonId": "0x0",
                "ElevatedToken": "%%1842" if session.integrity != "Medium" else "%%1843",
            },
        )
        if session.integrity != "Medium":
            rights = {"PrivilegeList": "\r\n\t\t\t".join(_PRIVILEGES)}
            self.audit(at + timedelta(microseconds=300), 4672, {**self.subject(session), **rights})

    def logoff(self, at: datetime, session: Session, kind: int) -> None:
        """Somebody logs off: Security 4634."""
        self.audit(at, 4634, {**self.target(session), "LogonType": kind})

    def security(self, at: datetime, event_id: int, session: Session, data: dict[str, Any]) -> None:
        """Any other event of the Security log that speaks of a session."""
        self.audit(at, event_id, {**self.subject(session), **data})

    def other(
        self,
        at: datetime,
        provider: str,
        event_id: int,
        data: dict[str, Any],
        *,
        user: str | None = SYSTEM_SID,
    ) -> None:
        """An event of any other log."""
        self.log.add(at, self.computer, provider, event_id, data, pid=self._pids[provider], user=user)

    def log_cleared(self, at: datetime, session: Session) -> None:
        """The Security log is cleared: 1102."""
        xmlns = "http://manifests.microsoft.com/win/2004/08/windows/eventlog"
        data = {"LogFileCleared": {"#attributes": {"xmlns": xmlns}, **self.subject(session)}}
        self.log.add(at, self.computer, "eventlog", 1102, data, pid=1184, user_data=True)

    def script(self, at: datetime, process: Process, text: str, path: str = "") -> None:
        """PowerShell compiles a script block: 4104."""
        block = "-".join(
            f"{self.log.rng.randrange(1 << bits):0{bits // 4}x}" for bits in (32, 16, 16, 16, 48)
        )
        data = {"MessageNumber": 1, "MessageTotal": 1, "ScriptBlockText": text}
        data |= {"ScriptBlockId": block, "Path": path}
        self.log.add(at, self.computer, "powershell", 4104, data, pid=process.pid, user=process.session.sid)

    def pipeline(self, at: datetime, process: Process, command: str) -> None:
        """PowerShell runs a command: 4103."""
        facts = {
            "Severity": "Informational",
            "Host Name": "ConsoleHost",
            "Host Application": process.command,
            "Command Name": command,
            "User": process.session.account,
        }
        told = "".join(f"        {name} = {value}\r\n" for name, value in facts.items())
        data = {
            "ContextInfo": told,
            "UserData": "",
            "Payload": f'CommandInvocation({command}): "{command}"\r\n',
        }
        self.log.add(at, self.computer, "powershell", 4103, data, pid=process.pid, user=process.session.sid)

    def sysmon(self, at: datetime, event_id: int, data: dict[str, Any], *, event_type: str = "") -> None:
        """Any event of Sysmon, written a moment after it happened."""
        head = {"RuleName": "-"} | ({"EventType": event_type} if event_type else {})
        said = {**head, "UtcTime": sysmon_time(at), **data}
        written = at + timedelta(milliseconds=self.log.rng.randrange(1, 12))
        self.log.add(
            written, self.computer, "sysmon", event_id, said, pid=self._pids["sysmon"], user=SYSTEM_SID
        )

    def audit(self, at: datetime, event_id: int, data: dict[str, Any]) -> None:
        """Any event of the Security log."""
        self.log.add(
            at, self.computer, "security", event_id, data, pid=4 if event_id in (4688, 5140, 5145) else 672
        )

    def subject(self, session: Session | None) -> dict[str, Any]:
        """Who did it; None for nobody."""
        if session is None:
            names = ("S-1-0-0", "-", "-", "0x0")
        elif session.sid == SYSTEM_SID:
            names = (SYSTEM_SID, f"{self.name}$", DOMAIN, "0x3e7")
        else:
            names = (session.sid, session.user, session.domain, session.logon_id)
        return dict(
            zip(
                ("SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"),
                names,
                strict=True,
            )
        )

    def target(self, session: Session) -> dict[str, Any]:
        """To whom it happened."""
        names = (session.sid, session.user, session.domain, session.logon_id)
        return dict(
            zip(("TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId"), names, strict=True)
        )


def sysmon_time(at: datetime) -> str:
    """A moment as Sysmon writes it into its fields."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
