"""How people write a time: one grammar for ``--since``, ``--start`` and ``--end`` of every command.

- a duration, which counts back from now: ``90s``, ``15m``, ``2h``, ``7d``, ``1w``
- ISO 8601, with a zone or in UTC: ``2026-01-08``, ``2026-01-08T12:00:00``, ``2026-01-08T13:00:00+01:00``
- milliseconds since the epoch: ``1767873600000``
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from lpa_core.errors import UsageError
from lpa_core.events.coercion import MAX_EPOCH_MS, MIN_EPOCH_MS
from lpa_core.settings.values import EARLIEST_EPOCH_MS

DURATION_EXAMPLES: Final = "90s, 15m, 2h, 7d or 1w"
REMEDY: Final = (
    f"write how long before now, such as {DURATION_EXAMPLES}, or a time such as 2026-01-08 or 2026-01-08T12:00:00Z; "
    "a time without a zone is UTC"
)

_UNITS: Final[Mapping[str, int]] = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION: Final = re.compile(r"0*([1-9][0-9]{0,8})([smhdw])", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def parse_time(text: str, option: str, now_ms: int) -> int:
    """Epoch ms of a time in the grammar of this module.

    Args:
        option: that gave the text, for messages, such as ``--since``.
        now_ms: epoch ms that a duration counts back from.

    Raises:
        UsageError: it is not a time, or no event can have it.
    """
    written = text.strip()
    duration = _DURATION.fullmatch(written)
    if duration is not None:
        moment = now_ms - int(duration[1]) * _UNITS[duration[2]]
    elif re.fullmatch(r"[0-9]{9,}", written, re.ASCII):
        moment = _milliseconds(written, option)
    else:
        moment = _iso(text, option)
    if not MIN_EPOCH_MS <= moment <= MAX_EPOCH_MS:
        raise UsageError(f"{option}={text}: a time must be between 1900 and 2299", remedy=REMEDY)
    return moment


def parse_duration(text: str, option: str) -> int:
    """Milliseconds of a duration in the grammar of this module; ``0s`` is one.

    Raises:
        UsageError: it is not a duration.
    """
    found = re.fullmatch(r"([0-9]{1,9})([smhdw])", text.strip(), re.ASCII)
    if found is None:
        raise UsageError(f"{option}={text}: this is not a duration", remedy=f"write one such as {DURATION_EXAMPLES}")
    return int(found[1]) * _UNITS[found[2]]


def require_order(start_ms: int, end_ms: int, start: str = "--start", end: str = "--end") -> None:
    """Raises UsageError, which names both, unless the window that ends before ``end_ms`` holds something."""
    if start_ms >= end_ms:
        relation = "is" if start_ms == end_ms else "is after"
        raise UsageError(
            f"{start} {shown(start_ms)} {relation} {end} {shown(end_ms)}: the end is exclusive and has to be later"
        )


def shown(moment_ms: int) -> str:
    """ISO 8601 to the millisecond, UTC; the number if no calendar has the time."""
    if not MIN_EPOCH_MS <= moment_ms <= MAX_EPOCH_MS:
        return str(moment_ms)
    return (_EPOCH + moment_ms * _MILLISECOND).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _milliseconds(digits: str, option: str) -> int:
    moment = int(digits) if len(digits) < 20 else MAX_EPOCH_MS + 1
    if moment < EARLIEST_EPOCH_MS:
        meant = f": {digits}000?" if moment > EARLIEST_EPOCH_MS // 1000 else ""
        raise UsageError(f"{option}={digits}: these are seconds since the epoch, milliseconds are needed{meant}")
    return moment


def _iso(text: str, option: str) -> int:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{option}={text}: this is not a time", remedy=REMEDY) from None
    return ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
