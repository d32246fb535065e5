"""The time of new ranges: the machine's clock, if nothing speaks against it.

Claims, dead letters and quarantined rows live for a while from their batch time on. A clock that is behind has them
expire at once; one that was ahead for a moment has everything after it look too old.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from statistics import median_low
from typing import Final, final

import structlog

from lpa_core.events.coercion import MAX_EPOCH_MS
from lpa_core.release import WrongClockError, before_release, shown

SLACK_MS: Final = 300_000
"""By how much clocks of machines may differ."""
RECORDS_AHEAD_MS: Final = 3_600_000
"""By how much most records of a range may be ahead: their times are set by producers, whose clocks are worse."""
PATIENCE_SECONDS: Final = 600.0
"""How long a doubt that proves nothing holds ranges up."""
_SAMPLE: Final = 100

_log = structlog.get_logger("lpa.delivery")


@final
class BatchClock:
    """Gives ranges their time. Used by one thread.

    Two things prove a clock wrong, for as long as they last: it is before ``earliest``, or more than :data:`SLACK_MS`
    before a batch time that is stored. Two others make it doubtful, and hold ranges up for :data:`PATIENCE_SECONDS` at
    most, for each may have another cause: most records of a range are later than the clock (producers may send any
    time), and the clock jumped ahead since it was last believed, or since the process started (a machine that slept). A
    jump that the records confirm is none.

    A clock that is ahead when the process starts has nothing to be compared with here, and is believed.
    """

    def __init__(self, clock: Callable[[], int], steady: Callable[[], float], earliest: int = 0) -> None:
        """``clock`` is the machine's, epoch ms; ``steady`` counts seconds and is never set."""
        self._clock, self._steady, self._earliest = clock, steady, earliest
        self._newest = 0
        now = clock()
        self._ahead: float | None = now - steady() * 1000 if now >= earliest else None
        """By how much the clock was ahead of the steady one when it was last believed, ms."""
        self._doubted_since: dict[Hashable, float] = {}
        self._asks_records = True

    def stored(self, batch_time: int) -> None:
        """A sink holds rows of this batch time, epoch ms."""
        self._newest = max(self._newest, batch_time)

    def time(self, last: int, records: Sequence[int], partition: Hashable = None) -> int:
        """The time of a range, epoch ms.

        Args:
            last: of the partition's range before; it never runs back, or a later claim could look older.
            records: times of the range's records, epoch ms; none if they have none. One that no column holds says
                nothing: it is of another unit, for example.
            partition: whose range it is: each is held up for itself.

        Raises WrongClockError.
        """
        now, steady = self._clock(), self._steady()
        if now < self._earliest:
            raise WrongClockError(f"{before_release(now)}: correct the clock of this machine")
        newest = max(self._newest, last)
        if now < newest - SLACK_MS:
            raise WrongClockError(
                f"the clock says {shown(now)}, and rows of {shown(newest)} are stored: correct the clock of this "
                "machine; if it is right, the stored time is wrong: stop the workers and run `lpa recover wrong-times`"
            )
        doubt = self._doubt(now, steady, records)
        if not doubt:
            self._doubted_since.pop(partition, None)
        elif self._held_up(steady, partition):
            raise WrongClockError(
                f"the clock says {shown(now)}, and {doubt}: correct the clock of this machine; if it is right, "
                f"the worker continues in {PATIENCE_SECONDS / 60:.0f} minutes at most"
            )
        else:
            _log.error("the clock is believed although it is doubtful", clock=shown(now), doubt=doubt)
        self._ahead = now - steady * 1000
        self._newest = max(self._newest, now)
        return max(now, last)

    def _doubt(self, now: int, steady: float, records: Sequence[int]) -> str:
        sample = [time for time in records[:: max(1, len(records) // _SAMPLE)] if 0 <= time <= MAX_EPOCH_MS]
        typical = median_low(sample) if sample else None
        if self._asks_records and typical is not None and typical > now + RECORDS_AHEAD_MS:
            return f"most records that wait are of {shown(typical)} or later"
        jumped = 0.0 if self._ahead is None else now - steady * 1000 - self._ahead
        if jumped <= SLACK_MS or (typical is not None and abs(typical - now) <= SLACK_MS):
            return ""
        return f"it jumped ahead by {jumped / 60_000:,.0f} minutes while the worker ran"

    def _held_up(self, steady: float, partition: Hashable) -> bool:
        """Whether a doubt holds ranges up still; where it has for long enough, records are not asked any more."""
        if steady - self._doubted_since.setdefault(partition, steady) < PATIENCE_SECONDS:
            return True
        self._doubted_since.clear()
        self._asks_records = False
        return False
