"""One Windows system: what its Sysmon and its audit write when something happens on it.

Contract: each method adds the events of one happening. Fields and their order are those of Sysmon 15 and Windows 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from demo_week.files import LIBRARIES, PROGRAMS, hashes
from demo_week.records import Log

DOMAIN = "CORP"
SID = "S-1-5-21-1000000001-1000000002-1000000003"
SYSTEM_SID = "S-1-5-18"
_PRIVILEGES = ("SeSecurityPrivilege", "SeBackupPrivilege", "SeRestorePrivilege", "SeDebugPrivilege")
_NO_GUID = "00000000-0000-0000-0000-000000000000"
_LEVELS = {"System": "S-1-16-16384", "High": "S-1-16-12288", "Medium": "S-1-16-8192"}


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


class Host:
    """A system; `rid` numbers the accounts of the domain."""

    def __init__(self, log: Log, name: str, address: str, *, server: bool) -> None:
        self.log, self.name, self.address, self.server = log, name, address, server
        self.computer = f"{name}.corp.example"
        self._machine = f"{log.rng.randrange(1 << 32):08X}"
        self._pids = {"sysmon": 3108, "defender": 3344, "tasks": 1460, "services": 652, "powershell": 0}
        self.system = Session("SYSTEM", "NT AUTHORITY", SYSTEM_SID, "0x3e7", 0, "System")
        self.running = {
            name: self.known(name, self.system)
            for name in ("services", "lsass", "winlogon", "csrss", "svchost", "wmiprvse", "defender", "ccmexec")
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
            image=image, command=command or image, pid=rng.randrange(250, 6000) * 4, guid=guid, session=session
        )

    def start(self, at: datetime, program: str, parent: Process, session: Session, command: str) -> Process:
        """A process starts: Sysmon 1 and Security 4688."""
        one = self.known(program, session, command)
        name = one.image.rpartition("\\")[2]
        windows = one.image.lower().startswith("c:\\windows\\")
        self._sysmon(
            at,
            1,
            {
                "ProcessGuid": one.guid,
                "ProcessId": one.pid,
                "Image": one.image,
                "FileVersion": "10.0.19041.4522" if windows else "1.0.0.0",
                "Description": name.rpartition(".")[0],
                "Product": "Microsoft® Windows® Operating System" if windows else "-",
                "Company": "Microsoft Corporation" if windows else "-",
                "OriginalFileName": name,
                "CommandLine": command,
                "CurrentDirectory": "C:\\Windows\\system32\\",
                "User": session.account,
                "LogonGuid": f"{self._machine}-0000-0000-0000-{int(session.logon_id, 16):012X}",
                "LogonId": session.logon_id,
                "TerminalSessionId": session.terminal,
                "IntegrityLevel": session.integrity,
                "Hashes": hashes(one.image),
                "ParentProcessGuid": parent.guid,
                "ParentProcessId": parent.pid,
                "ParentImage": parent.image,
                "ParentCommandLine": parent.command,
                "ParentUser": parent.session.account,
            },
        )
        self._security(
            at + timedelta(microseconds=900),
            4688,
            {
                **self._subject(parent.session),
                "NewProcessId": hex(one.pid),
                "NewProcessName": one.image,
                "TokenElevationType": "%%1936" if session.integrity != "Medium" else "%%1938",
                "ProcessId": hex(parent.pid),
                "CommandLine": command,
                "TargetUserSid": "S-1-0-0",
                "TargetUserName": "-",
                "TargetDomainName": "-",
                "TargetLogonId": "0x0",
                "ParentProcessName": parent.image,
                "MandatoryLabel": _LEVELS[session.integrity],
            },
        )
        return one

    def load(self, at: datetime, process: Process, *libraries: str, apart_ms: int = 40) -> None:
        """A process loads libraries, one after the other: Sysmon 7."""
        for number, name in enumerate(libraries):
            file = LIBRARIES[name]
            self._sysmon(
                at + timedelta(milliseconds=number * apart_ms),
                7,
                {
                    **self._who(process),
                    "ImageLoaded": file.path,
                    "FileVersion": file.version,
                    "Description": file.description,
                    "Product": file.product,
                    "Company": file.company,
                    "OriginalFileName": file.path.rpartition("\\")[2],
                    "Hashes": hashes(file.path),
                    "Signed": "true",
                    "Signature": file.signature,
                    "SignatureStatus": "Valid",
                    "User": process.session.account,
                },
            )

    def connect(self, at: datetime, process: Process, address: str, port: int, name: str = "-") -> None:
        """A process connects: Sysmon 3."""
        self._sysmon(
            at,
            3,
            {
                **self._who(process),
                "User": process.session.account,
                "Protocol": "tcp",
                "Initiated": True,
                "SourceIsIpv6": False,
                "SourceIp": self.address,
                "SourceHostname": self.computer,
                "SourcePort": self.log.rng.randrange(49152, 65000),
                "SourcePortName": "-",
                "DestinationIsIpv6": False,
                "DestinationIp": address,
                "DestinationHostname": name,
                "DestinationPort": port,
                "DestinationPortName": {80: "http", 443: "https", 445: "microsoft-ds"}.get(port, "-"),
            },
        )

    def ask(self, at: datetime, process: Process, name: str, address: str) -> None:
        """A process resolves a name: Sysmon 22."""
        data = {**self._who(process, image=False), "QueryName": name, "QueryStatus": "0"}
        data |= {"QueryResults": f"::ffff:{address};", "Image": process.image, "User": process.session.account}
        self._sysmon(at, 22, data)

    def write(self, at: datetime, process: Process, path: str) -> None:
        """A process makes a file: Sysmon 11."""
        data = {**self._who(process), "TargetFilename": path, "CreationUtcTime": _sysmon_time(at)}
        self._sysmon(at, 11, data | {"User": process.session.account})

    def set_value(self, at: datetime, process: Process, key: str, value: str) -> None:
        """A process sets a registry value: Sysmon 13."""
        data = {**self._who(process), "TargetObject": key, "Details": value, "User": process.session.account}
        self._sysmon(at, 13, data, event_type="SetValue")

    def pipe(self, at: datetime, process: Process, name: str) -> None:
        """A process makes a named pipe: Sysmon 17."""
        data = {**self._who(process, image=False), "PipeName": name, "Image": process.image}
        self._sysmon(at, 17, data | {"User": process.session.account}, event_type="CreatePipe")

    def open_process(
        self, at: datetime, source: Process, target: Process, access: str, trace: Sequence[str]
    ) -> None:
        """One process opens another: Sysmon 10."""
        data = {
            "SourceProcessGUID": source.guid,
            "SourceProcessId": source.pid,
            "SourceThreadId": self.log.rng.randrange(200, 2400) * 4,
            "SourceImage": source.image,
            "TargetProcessGUID": target.guid,
            "TargetProcessId": target.pid,
            "TargetImage": target.image,
            "GrantedAccess": access,
            "CallTrace": "|".join(trace),
            "SourceUser": source.session.account,
            "TargetUser": target.session.account,
        }
        self._sysmon(at, 10, data)

    def logon(self, at: datetime, session: Session, kind: int, *, address: str = "-", station: str = "-") -> None:
        """Somebody logs on: Security 4624, and 4672 for the powerful."""
        by_network = kind == 3
        self._security(
            at,
            4624,
            {
                **({**self._subject(None)} if by_network else self._subject(self.system)),
                **self._target(session),
                "LogonType": kind,
                "LogonProcessName": {2: "User32 ", 7: "User32 ", 3: "Kerberos", 10: "User32 "}.get(kind, "Advapi  "),
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
            self._security(at + timedelta(microseconds=300), 4672, {**self._subject(session), **rights})

    def logoff(self, at: datetime, session: Session, kind: int) -> None:
        """Somebody logs off: Security 4634."""
        self._security(at, 4634, {**self._target(session), "LogonType": kind})

    def security(self, at: datetime, event_id: int, session: Session, data: dict[str, Any]) -> None:
        """Any other event of the Security log that speaks of a session."""
        self._security(at, event_id, {**self._subject(session), **data})

    def other(
        self, at: datetime, provider: str, event_id: int, data: dict[str, Any], *, user: str | None = SYSTEM_SID
    ) -> None:
        """An event of any other log."""
        self.log.add(at, self.computer, provider, event_id, data, pid=self._pids[provider], user=user)

    def log_cleared(self, at: datetime, session: Session) -> None:
        """The Security log is cleared: 1102."""
        xmlns = "http://manifests.microsoft.com/win/2004/08/windows/eventlog"
        data = {"LogFileCleared": {"#attributes": {"xmlns": xmlns}, **self._subject(session)}}
        self.log.add(at, self.computer, "eventlog", 1102, data, pid=1184, user_data=True)

    def script(self, at: datetime, process: Process, text: str, path: str = "") -> None:
        """PowerShell compiles a script block: 4104."""
        block = "-".join(f"{self.log.rng.randrange(1 << bits):0{bits // 4}x}" for bits in (32, 16, 16, 16, 48))
        data = {"MessageNumber": 1, "MessageTotal": 1, "ScriptBlockText": text}
        data |= {"ScriptBlockId": block, "Path": path}
        self.log.add(
            at, self.computer, "powershell", 4104, data, pid=process.pid, user=process.session.sid
        )

    def pipeline(self, at: datetime, process: Process, command: str) -> None:
        """PowerShell runs a command: 4103."""
        told = f"        Severity = Informational\r\n        Host Name = ConsoleHost\r\n        Host Application = {process.command}\r\n        Command Name = {command}\r\n        User = {process.session.account}\r\n"
        data = {"ContextInfo": told, "UserData": "", "Payload": f'CommandInvocation({command}): "{command}"\r\n'}
        self.log.add(
            at, self.computer, "powershell", 4103, data, pid=process.pid, user=process.session.sid
        )

    def _who(self, process: Process, *, image: bool = True) -> dict[str, Any]:
        said: dict[str, Any] = {"ProcessGuid": process.guid, "ProcessId": process.pid}
        return said | {"Image": process.image} if image else said

    def _sysmon(self, at: datetime, event_id: int, data: dict[str, Any], *, event_type: str = "") -> None:
        head = {"RuleName": "-"} | ({"EventType": event_type} if event_type else {})
        said = {**head, "UtcTime": _sysmon_time(at), **data}
        written = at + timedelta(milliseconds=self.log.rng.randrange(1, 12))
        self.log.add(
            written, self.computer, "sysmon", event_id, said, pid=self._pids["sysmon"], user=SYSTEM_SID
        )

    def _security(self, at: datetime, event_id: int, data: dict[str, Any]) -> None:
        self.log.add(at, self.computer, "security", event_id, data, pid=4 if event_id in (4688, 5140, 5145) else 672)

    def _subject(self, session: Session | None) -> dict[str, Any]:
        if session is None:
            names = ("S-1-0-0", "-", "-", "0x0")
        elif session.sid == SYSTEM_SID:
            names = (SYSTEM_SID, f"{self.name}$", DOMAIN, "0x3e7")
        else:
            names = (session.sid, session.user, session.domain, session.logon_id)
        return dict(
            zip(("SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"), names, strict=True)
        )

    def _target(self, session: Session) -> dict[str, Any]:
        names = (session.sid, session.user, session.domain, session.logon_id)
        return dict(
            zip(("TargetUserSid", "TargetUserName", "TargetDomainName", "TargetLogonId"), names, strict=True)
        )


def _sysmon_time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
