"""What every part of a worker works with: who hears of its steps, its threads, its clocks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

import attrs

from lpa_core.delivery.background_tasks import Background, Threads
from lpa_core.delivery.batch_clock import BatchClock
from lpa_core.delivery.observer import Observer
from lpa_core.delivery.tap import Tap


def _now() -> int:
    return time.time_ns() // 1_000_000


@final
@attrs.frozen(eq=False)
class WorkerContext:
    """The outside of a worker, which a simulation replaces.

    Attributes:
        clock: gives the time of new ranges, epoch ms.
        tap: shows records to a person who watches; None if nobody can.
        earliest: the clock is wrong if it says an earlier time, epoch ms.
        batch_clock: believes the clock only if nothing speaks against it.
    """

    observer: Observer = attrs.field(factory=Observer)
    background: Background = attrs.field(factory=Threads)
    clock: Callable[[], int] = _now
    earliest: int = 0
    tap: Tap | None = None
    batch_clock: BatchClock = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: BatchClock(self.clock, self.background.now, self.earliest), takes_self=True),
    )
