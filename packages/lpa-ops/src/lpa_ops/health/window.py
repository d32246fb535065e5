"""The beginning of a window, as people write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
"""The days before a window are looked at too, and ClickHouse's times begin with 1970."""
ACCEPTED: Final = (
    "a duration such as 90m, 24h or 7d, or a UTC time such as 2026-01-08 or 2026-01-08T19:20:00, "
    f"not before {_EARLIEST:%Y-%m-%d}"
)


def since(text: str, now_ms: int) -> int:
    """Epoch ms. Raises ValueError where it is neither a duration nor a time, in the future or before 1971."""
    duration = re.fullmatch(r"([0-9]{1,9})([mhd])", text)
    if duration:
        begin = now_ms - int(duration[1]) * _UNITS[duration[2]]
    else:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text} is neither: write {ACCEPTED}") from None
        begin = int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    if begin >= now_ms:
        raise ValueError(f"{text} is not in the past: write {ACCEPTED}")
    if begin < _EARLIEST.timestamp() * 1000:
        raise ValueError(f"{text} reaches too far back: write {ACCEPTED}")
    return begin
