"""The copies of the templates: what each slot is in which copy. A pure function of (seed, copy, slot)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zlib import crc32

from variation import HOSTS, Slot, Templates

WEEK_SECONDS = 7 * 86_400
RUN_START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
"""The run starts on a Monday, after every recording, so that file times of long ago stay in the past."""


class Copy:
    """Copy number `number` of the corpus: gives each slot its value."""

    def __init__(self, seed: int, number: int, start_second: float, rows: int) -> None:
        rng = random.Random(f"{seed}:{number}")
        self._guid_key = rng.getrandbits(128)
        self._pid_key = (rng.getrandbits(14) << 2) | 0x1_0000
        self._logon_key = rng.getrandbits(30) | 0x4000_0000
        self._sid_key = rng.getrandbits(30)
        self._port_key = rng.getrandbits(14)
        self._net = rng.randrange(256)
        self._host = random.Random(seed).randrange(HOSTS) + number * 23
        self._salt = rng.getrandbits(64)
        self._first_record = 1 + number * rows
        self._start = datetime.fromtimestamp(RUN_START + int(start_second), UTC)

    def values(self, slots: Iterable[Slot]) -> list[bytes]:
        """The values of the slots in this copy, in their order."""
        return [getattr(self, f"_{kind}_value")(payload) for kind, payload in slots]

    def _token(self, payload: int | bytes) -> int:
        mixed = payload if isinstance(payload, int) else crc32(payload)
        return (mixed * 0x9E37_79B9_7F4A_7C15 ^ self._salt) * 0xBF58_476D_1CE4_E5B9 >> 20 & 0xFF_FFFF_FFFF

    def _record_value(self, row: int) -> bytes:
        return b"%d" % (self._first_record + row)

    def _guid_value(self, payload: tuple[int, bool]) -> bytes:
        text = f"{payload[0] ^ self._guid_key:032X}"
        text = f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
        return (text.lower() if payload[1] else text).encode()

    def _time_value(self, payload: tuple[int, bytes]) -> bytes:
        moment = self._start + timedelta(seconds=payload[0])
        return moment.strftime(f"%Y-%m-%d{payload[1].decode()}%H:%M:%S").encode()

    def _pid_value(self, payload: tuple[int, bool]) -> bytes:
        return (b"0x%x" if payload[1] else b"%d") % (payload[0] ^ self._pid_key)

    def _logon_value(self, payload: tuple[int, bool]) -> bytes:
        return (b"0x%x" if payload[1] else b"%d") % (payload[0] ^ self._logon_key)

    def _sid_value(self, text: bytes) -> bytes:
        return b"%d" % (int(text) ^ self._sid_key)

    def _port_value(self, port: int) -> bytes:
        return b"%d" % (49_152 + (port - 49_152 ^ self._port_key))

    def _net_value(self, octet: bytes) -> bytes:
        return b"%d" % ((int(octet) + self._net) % 256)

    def _digits_value(self, text: bytes) -> bytes:
        return b"%0*d" % (len(text), self._token(text) % 10 ** len(text))

    def _host_value(self, computer: int) -> bytes:
        return b"WKS-%04d" % ((self._host + computer) % HOSTS)

    def _fqdn_value(self, computer: int) -> bytes:
        return self._host_value(computer) + b".corp.example"

    def _argument_value(self, payload: int) -> bytes:
        return b" %010x" % self._token(payload)

    def _comment_value(self, payload: int) -> bytes:
        return rb"\n# %010x" % self._token(payload)

    def _folder_value(self, payload: int) -> bytes:
        return rb"%06x\\" % (self._token(payload) & 0xFF_FFFF)


def varied_lines(templates: Templates, seed: int, copies: int) -> Iterator[bytes]:
    """Lines without end of the copies in turn, newline included; `copies` of them span the week."""
    number = 0
    while True:
        copy = Copy(seed, number, number * WEEK_SECONDS / copies, len(templates.rows))
        values = copy.values(templates.slots)
        for text, pick in templates.rows:
            yield text % pick(values)
        number += 1
