"""When this version was made: no clock that is right can say an earlier time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from lpa_core.errors import JobFailed

RELEASES: Final = {"0.1.0": datetime(2026, 11, 28, tzinfo=UTC)}
"""The day on which each version was released; a release adds itself."""
RELEASED_MS: Final = int(max(RELEASES.values()).timestamp()) * 1000
"""Epoch ms."""


class WrongClockError(JobFailed):
    """The clock cannot be right, or is doubted for now. One line: what it says, what speaks against it, what to do."""


def require_clock(now_ms: int) -> int:
    """The time, where it can be right. Raises WrongClockError if it is before the release of this version."""
    if now_ms < RELEASED_MS:
        raise WrongClockError(f"{before_release(now_ms)}: correct the clock of this machine")
    return now_ms


def before_release(now_ms: int) -> str:
    """What is wrong with such a clock, for people."""
    return f"the clock says {shown(now_ms)}, and this version of lpa was released on {shown(RELEASED_MS)[:10]}"


def shown(ms: int) -> str:
    """A time, epoch ms, for people; as a number where it is not a time."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(" ", "seconds").replace("+00:00", " UTC")
    except (ValueError, OverflowError, OSError):
        return f"{ms} ms"
