"""Brings what sinks derive from stored ranges up to date, beside the delivery."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, final

import structlog

from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.derived import Derived
from lpa_core.lifecycle.rules import FoldRules
from lpa_core.sinks import Deriving, SinkMisconfigured, SinkUnavailable, StoredRange

_AGAIN_SECONDS: Final = 5.0

_log = structlog.get_logger("lpa.delivery")


@final
class Derivation:
    """Tells sinks of each range that is prepared and finished, and has them derive in a thread of its own.

    What fails to be derived never holds up or ends the delivery: it is tried again, at the latest by the next process.
    """

    def __init__(
        self,
        sinks: Sequence[Deriving],
        rules: FoldRules,
        count: Callable[[Derived, float], None] = lambda derived, seconds: None,
    ) -> None:
        """``count`` is told of each pass, and the seconds it took."""
        self._sinks, self._rules, self._count = tuple(sinks), rules, count
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
            self._wanted.clear()
            if not self._derive():
                self._closing.wait(_AGAIN_SECONDS)
                self._wanted.set()
        self._derive()

    def _derive(self) -> bool:
        with self._lock:
            stored, self._pending = self._pending, []
        try:
            for sink in self._sinks:
                began = time.perf_counter()
                self._count(sink.derive(stored, self._rules), time.perf_counter() - began)
        except (SinkUnavailable, SinkMisconfigured) as problem:
            _log.warning("facts are behind, and will be brought up to date later", reason=str(problem))
        except Exception:  # a defect: it must not take the delivery along
            _log.exception("facts could not be derived")
        else:
            return True
        with self._lock:
            self._pending = [*stored, *self._pending]
        return False
