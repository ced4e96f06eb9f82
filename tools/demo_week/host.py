"""One Windows system: what its Sysmon and its audit write when processes act on it.

Contract: each method adds the events of one happening. Fields and their order are those of Sysmon 15 and Windows 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from demo_week.files import LIBRARIES, hashes
from demo_week.logs import LEVELS, Logs, Process, Session, sysmon_time


class Host(Logs):
    """A system."""

    def start(self, at: datetime, program: str, parent: Process, session: Session, command: str) -> Process:
        """A process starts: Sysmon 1 and Security 4688."""
        one = self.known(program, session, command)
        name = one.image.rpartition("\\")[2]
        windows = one.image.lower().startswith("c:\\windows\\")
        self.sysmon(
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
        self.audit(
            at + timedelta(microseconds=900),
            4688,
            {
                **self.subject(parent.session),
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
                "MandatoryLabel": LEVELS[session.integrity],
            },
        )
        return one

    def load(self, at: datetime, process: Process, *libraries: str, apart_ms: int = 40) -> None:
        """A process loads libraries, one after the other: Sysmon 7."""
        for number, name in enumerate(libraries):
            file = LIBRARIES[name]
            self.sysmon(
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
        self.sysmon(
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
        data |= {
            "QueryResults": f"::ffff:{address};",
            "Image": process.image,
            "User": process.session.account,
        }
        self.sysmon(at, 22, data)

    def write(self, at: datetime, process: Process, path: str) -> None:
        """A process makes a file: Sysmon 11."""
        data = {**self._who(process), "TargetFilename": path, "CreationUtcTime": sysmon_time(at)}
        self.sysmon(at, 11, data | {"User": process.session.account})

    def set_value(self, at: datetime, process: Process, key: str, value: str) -> None:
        """A process sets a registry value: Sysmon 13."""
        data = {**self._who(process), "TargetObject": key, "Details": value, "User": process.session.account}
        self.sysmon(at, 13, data, event_type="SetValue")

    def pipe(self, at: datetime, process: Process, name: str) -> None:
        """A process makes a named pipe: Sysmon 17."""
        data = {**self._who(process, image=False), "PipeName": name, "Image": process.image}
        self.sysmon(at, 17, data | {"User": process.session.account}, event_type="CreatePipe")

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
        self.sysmon(at, 10, data)

    def _who(self, process: Process, *, image: bool = True) -> dict[str, Any]:
        said: dict[str, Any] = {"ProcessGuid": process.guid, "ProcessId": process.pid}
        return said | {"Image": process.image} if image else said
