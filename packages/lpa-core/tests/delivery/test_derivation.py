"""Deriving beside the delivery: what a sink is told, and when it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from lpa_core.delivery.derivation import Derivation
from lpa_core.delivery.observer import Step
from lpa_core.delivery.ranges import Range
from lpa_core.lifecycle.fold_rules import FoldRules
from lpa_core.sinks.derived import Derived
from lpa_core.sinks.sink import SinkUnavailable, StoredRange

SECONDS = 10


def range_(batch_time: int) -> Range:
    return Range("t", 0, 0, 1, 1, "", batch_time)


def stored(batch_time: int) -> StoredRange:
    return StoredRange("t", 0, batch_time)


class Sink:
    exclusive = True

    def __init__(self, failures: int = 0, passing: Callable[[], None] = lambda: None) -> None:
        self.failures, self.passing = failures, passing
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
            self.passing()
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


class Backlog:
    """A delivery that is behind, and a first pass of a second over the first of its ranges."""

    def __init__(self) -> None:
        self.now = self.used = 0.0
        self.looked = threading.Semaphore(0)
        self.sink = Sink(passing=self._pass)
        self.derivation = Derivation([self.sink], FoldRules(), clock=self._clock, processor_seconds=lambda: self.used)
        self.derivation.step(Step.FINISHED, range_(1))
        self.derivation.start()
        assert self.sink.called.acquire(timeout=SECONDS)
        self.derivation.step(Step.FINISHED, range_(2))

    def _clock(self) -> float:
        self.looked.release()
        return self.now

    def _pass(self) -> None:
        self.now += 1.0

    def look(self) -> None:
        """Let the derivation look at the clock some times."""
        while self.looked.acquire(blocking=False):
            pass
        for _ in range(5):
            assert self.looked.acquire(timeout=SECONDS)

    def go_on(self, seconds: float, busy: float = 1.0) -> None:
        """Let time pass, with a step of the delivery five times a second, and that share of a processor in use."""
        for _ in range(round(seconds * 5)):
            self.used += 0.2 * busy
            self.now += 0.2
            self.derivation.step(Step.WRITTEN, range_(3))

    def next_pass(self) -> None:
        assert self.sink.called.acquire(timeout=SECONDS)
        self.derivation.close()
        assert self.sink.derived == [stored(1), stored(2)]


@pytest.fixture
def backlog() -> Backlog:
    return Backlog()


def test_under_a_backlog_a_pass_waits_three_times_as_long_as_the_one_before_took(backlog: Backlog) -> None:
    backlog.look()
    backlog.go_on(2.8)
    backlog.look()
    assert backlog.sink.derived == [stored(1)]
    backlog.go_on(0.4)
    backlog.next_pass()


def test_a_delivery_that_keeps_up_is_waited_for_as_long_as_the_pass_before_took(backlog: Backlog) -> None:
    backlog.look()
    backlog.go_on(0.8, busy=0.3)
    backlog.look()
    assert backlog.sink.derived == [stored(1)]
    backlog.go_on(0.4, busy=0.3)
    backlog.next_pass()


def test_nothing_more_is_waited_for_once_the_delivery_is_quiet(backlog: Backlog) -> None:
    backlog.look()
    assert backlog.sink.derived == [stored(1)]
    backlog.now += 1.1
    backlog.next_pass()


def test_nothing_more_is_waited_for_at_the_end(backlog: Backlog) -> None:
    backlog.look()
    backlog.derivation.close()
    assert backlog.sink.derived == [stored(1), stored(2)]
