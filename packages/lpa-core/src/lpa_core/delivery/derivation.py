"""Brings what sinks derive from stored ranges up to date, beside the delivery."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, final

import structlog

from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.errors import ContractError
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import SinkMisconfigured, SinkUnavailable, StoredRange, SupportsDerivation

_AGAIN_SECONDS: Final = 5.0
_PATIENCE: Final = 3
"""How many times as long as the last pass took the next one waits for more ranges: most of a pass's cost is its own."""
_MOST_SECONDS: Final = 10.0
"""What it waits at most: a first pass over what an earlier process left may take very long."""
_BUSY_SHARE: Final = 0.6
"""Of one processor. Under a backlog the delivery's first thread alone takes a whole one."""
_LOOK_SECONDS: Final = 0.05

_log = structlog.get_logger("lpa.delivery")


@final
class Derivation:
    """Tells sinks of each range that is prepared and finished, and has them derive in a thread of its own.

    Ranges are derived from in passes. Under a backlog a pass waits for more of them, in proportion to what the one
    before took. If the delivery keeps up, it waits as long as that pass took: the delivery keeps up if no step came for
    that long, or if the process leaves much of a processor unused. At the end of the delivery it does not wait.

    What fails to be derived never holds up or ends the delivery: it is tried again, at the latest by the next process.
    """

    def __init__(
        self,
        sinks: Sequence[SupportsDerivation],
        rules: FoldRules,
        count: Callable[[Derived, float], None] = lambda derived, seconds: None,
        clock: Callable[[], float] = time.monotonic,
        processor_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        """``count`` receives each pass, and the seconds it took by ``clock``."""
        self._sinks, self._rules, self._count, self._clock = tuple(sinks), rules, count, clock
        self._processor_seconds = processor_seconds
        self._used_before = 0.0
        """Seconds of processors that the process had used when the last pass ended."""
        self._stepped = self._ended = clock()
        """When the last step was told, and when the last pass ended."""
        self._took = 0.0
        """Seconds of the last pass."""
        self._pending: list[StoredRange] = []
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="derive", daemon=True)

    def start(self) -> None:
        """Derive from now on, at once what an earlier process left."""
        if self._sinks:
            self._wanted.set()
            self._thread.start()

    def step(self, step: Step, range_: Range) -> None:
        """Hear of a step of the delivery; what a sink cannot remember before it is written is raised."""
        self._stepped = self._clock()
        stored = StoredRange(range_.topic, range_.partition, range_.batch_time)
        if step is Step.PREPARED:
            for sink in self._sinks:
                sink.expect(stored)
        elif step is Step.FINISHED:
            with self._lock:
                self._pending.append(stored)
            self._wanted.set()

    def close(self) -> None:
        """Derive what is left, once, and end."""
        self._closing.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wanted.wait()
            self._wait_for_more()
            self._wanted.clear()
            if not self._derive():
                self._closing.wait(_AGAIN_SECONDS)
                self._wanted.set()
        self._derive()

    def _wait_for_more(self) -> None:
        until = self._ended + min(_PATIENCE * self._took, _MOST_SECONDS)
        while (now := self._clock()) < until and not self._keeps_up(now):
            if self._closing.wait(_LOOK_SECONDS):
                return

    def _keeps_up(self, now: float) -> bool:
        """Whether the delivery has time to spare, for as long as the last pass took."""
        waited = now - self._ended
        used = self._processor_seconds() - self._used_before
        return now - self._stepped >= self._took or (waited >= self._took and used < _BUSY_SHARE * waited)

    def _derive(self) -> bool:
        with self._lock:
            stored, self._pending = self._pending, []
        began = self._clock()
        try:
            for sink in self._sinks:
                began_sink = self._clock()
                self._count(sink.derive(stored, self._rules), self._clock() - began_sink)
        except (SinkUnavailable, SinkMisconfigured, ContractError) as problem:
            _log.warning("facts are behind, and will be brought up to date later", reason=str(problem))
        except Exception:  # a defect: it must not take the delivery along
            _log.exception("facts could not be derived")
        else:
            self._ended, self._used_before = self._clock(), self._processor_seconds()
            self._took = self._ended - began
            return True
        with self._lock:
            self._pending = [*stored, *self._pending]
        return False
