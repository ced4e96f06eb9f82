"""How an event's own names become parts of a key. One rule for look-ups and for the scripts that derive tables."""

from __future__ import annotations

import re
from typing import Final

_NOT_KEY: Final = re.compile(r"-*[^A-Za-z0-9._~:@+*=-][^A-Za-z0-9._~:@+*=]*")


def key_part(text: str) -> str:
    """One part of a key: a run of characters that keys don't have becomes one `-`; none at the ends.

    >>> key_part("Add member (bulk) - finished"), key_part("docker hub")
    ('Add-member-bulk-finished', 'docker-hub')
    """
    return _NOT_KEY.sub("-", text).strip("-") or "unknown"
