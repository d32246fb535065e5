"""Deriving beside the delivery: what a sink is told, and when it fails."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from lpa_core.delivery.derivation import Derivation
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.derived import Derived
from lpa_core.lifecycle.rules import FoldRules
from lpa_core.sinks import SinkUnavailable, StoredRange

SECONDS = 10


def range_(batch_time: int) -> Range:
    return Range("t", 0, 0, 1, 1, "", batch_time)


def stored(batch_time: int) -> StoredRange:
    return StoredRange("t", 0, batch_time)


class Sink:
    exclusive = True

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.expected: list[StoredRange] = []
        self.derived: list[StoredRange] = []
        self.called = threading.Semaphore(0)

    def expect(self, stored: StoredRange) -> None:
        self.expected.append(stored)

    def derive(self, stored: Sequence[StoredRange], rules: FoldRules) -> Derived:
        try:
            if self.failures:
                self.failures -= 1
                raise SinkUnavailable("down")
            self.derived += stored
            return Derived(signals=len(stored))
        finally:
            self.called.release()


def test_what_an_earlier_process_left_is_asked_for_at_once() -> None:
    sink = Sink()
    derivation = Derivation([sink], FoldRules())
    derivation.start()
    assert sink.called.acquire(timeout=SECONDS)
    derivation.close()


def test_ranges_are_expected_before_they_are_written_and_derived_from_once_finished() -> None:
    sink = Sink()
    derivation = Derivation([sink], FoldRules())
    derivation.start()
    for batch_time in (1, 2):
        for step in Step:
            derivation.step(step, range_(batch_time))
    derivation.close()
    assert sink.expected == sink.derived == [stored(1), stored(2)]


def test_a_sink_that_was_down_is_asked_again() -> None:
    sink = Sink(failures=1)
    derivation = Derivation([sink], FoldRules())
    derivation.start()
    assert sink.called.acquire(timeout=SECONDS)
    derivation.step(Step.FINISHED, range_(1))
    derivation.close()
    assert sink.derived == [stored(1)]


def test_without_a_sink_no_thread_is_started() -> None:
    before = threading.active_count()
    derivation = Derivation([], FoldRules())
    derivation.start()
    assert threading.active_count() == before
    derivation.step(Step.FINISHED, range_(1))
    derivation.close()


def test_passes_are_counted() -> None:
    counted: list[int] = []
    derivation = Derivation([Sink()], FoldRules(), lambda derived, seconds: counted.append(derived.signals))
    derivation.start()
    for batch_time in (1, 2):
        derivation.step(Step.FINISHED, range_(batch_time))
    derivation.close()
    assert sum(counted) == 2
