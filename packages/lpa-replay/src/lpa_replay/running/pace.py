"""Keeps a delivery to a rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import final


@final
class SendingPace:
    """Lets at most so many records a second through; None: as fast as it goes."""

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``clock`` gives seconds, ``sleep`` waits them."""
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._due: float | None = None

    def at_once(self, most: int) -> int:
        """How many records may go together, at most ``most``: about a second's worth."""
        return most if self._rate is None else max(1, min(most, math.ceil(self._rate)))

    def wait(self, records: int) -> None:
        """Wait until ``records`` more may go."""
        if self._rate is None:
            return
        now = self._clock()
        due = now if self._due is None else self._due
        if due > now:
            self._sleep(due - now)
        self._due = max(due, now) + records / self._rate
