"""From records to a cycle: which partitions close their ranges now, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from typing import Final, final

import structlog

from lpa_core.delivery.background import Background
from lpa_core.delivery.batch_clock import BatchClock
from lpa_core.delivery.candidate import Candidate
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.log import Log, Partition
from lpa_core.delivery.observer import Observer, Step
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.startup import fail
from lpa_core.delivery.writer import Delivery
from lpa_core.known_gaps import gaps
from lpa_core.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.release import ClockWrong
from lpa_core.verdicts import Verdict

PATIENCE: Final = 10
"""How many times older a range may grow where the log holds enough to fill it."""

_BATCHES: Final = 10
"""Of those that are held of a partition, so many are looked at for the times of their records."""

_log = structlog.get_logger("lpa.delivery")


@final
class Closer:
    """Closes ranges and has them judged."""

    def __init__(
        self,
        log: Log,
        pipeline: Pipeline,
        limits: GroupLimits,
        observer: Observer,
        background: Background,
        clock: BatchClock,
        timed: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._log, self._pipeline, self._limits, self._observer = log, pipeline, limits, observer
        self._background, self._clock, self._timed = background, clock, timed
        self.clock_wrong = ""
        """Why no range is closed, while the clock cannot be believed."""

    def cycle(self, states: Collection[PartitionState]) -> list[Delivery]:
        """The ranges that are due, oldest first, up to the records of one range in all.

        Beside them those that hold no records: where the log had none left, and offsets behind the last one.
        """
        cycle: list[Delivery] = []
        self._wrong_now = ""
        room = self._limits.max_records
        for state in due(states, self._limits, self._log.end, self._background.now()):
            if cycle and state.buffer.records > room:
                continue
            delivery = self._close(state)
            if delivery is not None:
                cycle.append(delivery)
                room -= len(delivery.candidate.batch)
        cycle += filter(None, map(self._pass_over, states))
        if self._wrong_now and not self.clock_wrong:
            _log.error("waiting for a clock that can be believed", reason=self._wrong_now)
        self.clock_wrong = self._wrong_now
        return cycle

    def _pass_over(self, state: PartitionState) -> Delivery | None:
        """A range without records, where all that is left of the log up to its end is a gap."""
        if not state.usable or state.phase is not Phase.RUNNING or state.buffer.records:
            return None
        position = self._log.position(state.partition) or 0
        if position <= state.closed:
            return None
        if not self._take_time(state):
            return None
        batch = RecordBatch(*state.partition, [], [], [])
        range_ = self._new_range(state, batch, state.closed, state.closed, position)
        return Delivery(state, self._candidate(state, batch, [], range_))

    def _candidate(
        self, state: PartitionState, batch: RecordBatch, verdicts: Sequence[Verdict], range_: Range
    ) -> Candidate:
        found = tuple(gaps(state.closed, batch.offsets, range_.next_offset))
        state.closed = range_.next_offset
        state.next_offset = max(state.next_offset, state.closed)
        return Candidate(batch, verdicts, range_, found)

    def _close(self, state: PartitionState) -> Delivery | None:
        repeated = state.phase is Phase.REPEATING
        if repeated:
            assert state.prepared is not None
            range_ = state.prepared
            batch = state.buffer.take(range_.count + 1, 1 << 62, 1 << 62, until=range_.end)
            if len(batch) != range_.count or batch.offsets[0] != range_.start:
                fail(
                    state,
                    f"{state.partition} no longer holds the {range_.count} records {range_.start} to {range_.end - 1} "
                    "that were being written: stop the workers and run `lpa recover offset-loss`: what it still holds "
                    "is read again",
                )
                return None
            self._observer.repeated(range_)
        elif not self._take_time(state):
            return None
        else:
            batch = state.buffer.take(self._limits.max_records, self._limits.max_bytes, self._limits.max_records)
            end = batch.offsets[-1] + 1
            behind = end if state.buffer.records else max(end, self._log.position(state.partition) or 0)
            range_ = self._new_range(state, batch, batch.offsets[0], end, behind)
        if state.buffer.records:
            state.buffer.since = self._background.now()
        try:
            with self._timed("judge"):
                verdicts = self._pipeline.judge(batch, range_.batch_time)
        except Exception as error:  # a defect: it must not take the other partitions along
            _log.exception("judging failed")
            fail(state, f"judging {batch!r} failed: {type(error).__name__}: {error}")
            return None
        if repeated:
            state.phase, state.why = Phase.RUNNING, ""
        self._observer.step(Step.JUDGED, range_)
        return Delivery(state, self._candidate(state, batch, verdicts, range_), repeated)

    def _take_time(self, state: PartitionState) -> bool:
        """Set the time of the partition's next range; False where the clock cannot be believed."""
        times = [time for batch in state.buffer.batches[:_BATCHES] for time in batch.timestamps or ()]
        try:
            state.last_time = self._clock.time(state.last_time, times, state.partition)
        except ClockWrong as wrong:
            state.why = self._wrong_now = str(wrong)
            return False
        state.why = ""
        return True

    def _new_range(self, state: PartitionState, batch: RecordBatch, start: int, end: int, next_offset: int) -> Range:
        return Range(
            topic=batch.topic,
            partition=batch.partition,
            start=start,
            end=end,
            count=len(batch),
            resume="",
            batch_time=state.last_time,
            next_offset=next_offset,
        )


def due(
    states: Collection[PartitionState], limits: GroupLimits, end: Callable[[Partition], int | None], now: float
) -> list[PartitionState]:
    """The partitions whose ranges are to be closed now, the oldest first.

    A range is due when it is full or old; a range that is being repeated, when all of it is read. Under a backlog old
    is not enough: where the log holds enough to fill a range, it goes on filling, up to ten times as long. So ranges
    are large when there is much to do, and quick when there is little. Where nothing is due and much is held already,
    the largest is.

    Args:
        end: the offset behind a partition's last record, None where nobody knows.
        now: by the clock of ``Buffer.since``, seconds.
    """
    waiting = [state for state in states if state.usable and state.buffer.records]
    running = [state for state in waiting if state.phase is Phase.RUNNING]
    found = [state for state in running if _full(state, limits) or _old(state, limits, end, now)]
    found += [state for state in waiting if state.phase is Phase.REPEATING and _complete(state)]
    if not found and running and sum(state.buffer.bytes for state in waiting) >= limits.ample_bytes:
        found = [max(running, key=lambda state: state.buffer.bytes)]
    return sorted(found, key=lambda state: state.buffer.since)


def _full(state: PartitionState, limits: GroupLimits) -> bool:
    return state.buffer.records >= limits.max_records or state.buffer.bytes >= limits.max_bytes


def _old(state: PartitionState, limits: GroupLimits, end: Callable[[Partition], int | None], now: float) -> bool:
    age = now - state.buffer.since
    if age < limits.max_seconds:
        return False
    if age >= PATIENCE * limits.max_seconds:
        return True  # what the end promises may never come: records of aborted transactions, or compacted ones
    behind = (end(state.partition) or 0) - state.next_offset
    return state.buffer.records + behind < limits.max_records


def _complete(state: PartitionState) -> bool:
    return state.prepared is not None and state.buffer.next_offset >= state.prepared.end
