"""The beginning of the window that health checks and the release check look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from lpa_core.errors import UsageError
from lpa_core.time_window import parse_time, shown

_EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
"""The days before a window are looked at too, and ClickHouse's times begin with 1970."""


def since(text: str, now_ms: int) -> int:
    """Epoch ms. Raises UsageError if ``--since`` is not a time, in the future or before 1971."""
    begin = parse_time(text, "--since", now_ms)
    if begin >= now_ms:
        raise UsageError(f"--since={text}: {shown(begin)} is not in the past")
    if begin < _EARLIEST.timestamp() * 1000:
        raise UsageError(f"--since={text}: this reaches too far back, not before {_EARLIEST:%Y-%m-%d}")
    return begin
