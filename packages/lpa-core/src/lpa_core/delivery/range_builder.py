"""From records to a cycle: which partitions close their ranges now, and what they hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, final

import attrs
import structlog

from lpa_core.delivery.consumer_group import ConsumerGroup, Partition
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.observer import Step
from lpa_core.delivery.partitions import PartitionState, Phase, fail
from lpa_core.delivery.pending_range import Delivery, PendingRange
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.pipeline.verdicts import Verdict
from lpa_core.records import RecordBatch
from lpa_core.release import WrongClockError
from lpa_core.tables.known_gaps import GapReason, gaps

PATIENCE: Final = 10
"""How many times older a range may grow where the topic holds enough to fill it."""

_TOGETHER: Final = 4
"""A cycle whose ranges are written together holds the records of so many full ones."""
_APART: Final = 4
"""A cycle whose ranges are written one by one takes so many partitions at most: the others' turn comes sooner."""
_REST: Final = 3
"""When it has caught up, a worker rests so many times as long as it took to write the cycle before."""
_LEAST: Final = 0.25
"""It rests at least for this share of what it may: each range is a part of each table, and a token to remember."""

_BATCHES: Final = 10
"""Of those that are held of a partition, so many are looked at for the times of their records."""

_log = structlog.get_logger("lpa.delivery")


@final
class RangeBuilder:
    """Closes ranges and has them judged."""

    def __init__(
        self,
        group: ConsumerGroup,
        limits: GroupLimits,
        steps: RangeSteps,
        context: WorkerContext,
        *,
        together: bool = False,
    ) -> None:
        """``together``: the ranges of a cycle are written together, so that small ones cost nothing more."""
        self._together = together
        self._group, self._limits, self._steps = group, limits, steps
        self._observer, self._background, self._tap = context.observer, context.background, context.tap
        self._clock = context.batch_clock
        self.clock_wrong = ""
        """Why no range is closed, while the clock cannot be believed."""

    def cycle(self, states: Collection[PartitionState], *, writing: bool = False, took: float = 0.0) -> list[Delivery]:
        """The ranges that are due, oldest first, up to what one cycle holds.

        Ranges without records come with them: those of offsets at which the topic has no record.

        Args:
            writing: a cycle is being written.
            took: seconds that it took to write the one before.
        """
        cycle: list[Delivery] = []
        self._wrong_now = ""
        limits = self._limits
        room, size_room = limits.max_records * (_TOGETHER if self._together else 1), limits.max_bytes
        wait = min(limits.max_seconds, max(_LEAST * limits.max_seconds, _REST * took))
        pace = Pace(room, self._together, writing, wait)
        for state in due(states, limits, self._group.end, self._background.now(), pace):
            records, size = min(state.buffer.records, limits.max_records), min(state.buffer.bytes, limits.max_bytes)
            if cycle and (records > room or size > size_room):
                continue
            delivery = self._close(state)
            if delivery is not None:
                cycle.append(delivery)
                room, size_room = room - records, size_room - size
            if len(cycle) == _APART and not self._together:
                break
        cycle += filter(None, map(self._pass_over, states))
        cycle += filter(None, map(self._begin, states))
        if self._wrong_now and not self.clock_wrong:
            _log.error("waiting for a clock that can be believed", reason=self._wrong_now)
        self.clock_wrong = self._wrong_now
        return cycle

    def _pass_over(self, state: PartitionState) -> Delivery | None:
        """A range without records, where all that is left of the partition up to its end is a gap."""
        if not state.usable or state.phase is not Phase.RUNNING or state.buffer.records:
            return None
        position = self._group.position(state.partition) or 0
        if position <= state.closed:
            return None
        if not self._take_time(state):
            return None
        batch = RecordBatch(*state.partition, [], [], [])
        range_ = self._new_range(state, batch, state.closed, state.closed, position)
        return Delivery(state, self._pending(state, batch, [], range_))

    def _begin(self, state: PartitionState) -> Delivery | None:
        """A range of nothing: finished, it is committed where the partition begins, and known what lies before."""
        begins_at = state.begins_at
        if not state.usable or state.phase is not Phase.BEGINNING or begins_at is None or state.begin_offered:
            return None
        if not self._take_time(state):
            return None
        state.begin_offered = True
        batch = RecordBatch(*state.partition, [], [], [])
        range_ = self._new_range(state, batch, begins_at, begins_at, begins_at)
        low = begins_at if state.span is None else state.span.low
        return Delivery(
            state,
            PendingRange(batch, [], range_, tuple(gaps(low, (), begins_at)), gap_reason=GapReason.NOT_READ),
        )

    def _pending(
        self, state: PartitionState, batch: RecordBatch, verdicts: Sequence[Verdict], range_: Range
    ) -> PendingRange:
        found = tuple(gaps(state.closed, batch.offsets, range_.next_offset))
        state.closed = range_.next_offset
        state.next_offset = max(state.next_offset, state.closed)
        return PendingRange(batch, verdicts, range_, found, self._steps.org(batch))

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
            behind = end if state.buffer.records else max(end, self._group.position(state.partition) or 0)
            range_ = self._new_range(state, batch, batch.offsets[0], end, behind)
        if state.buffer.records:
            state.buffer.since = self._background.now()
        try:
            batch = self._steps.masked(batch)
            verdicts = self._steps.judge(batch, range_)
        except Exception as error:  # a defect: it must not take the other partitions along
            _log.exception("judging failed")
            fail(state, f"judging {batch!r} failed: {type(error).__name__}: {error}")
            return None
        if repeated:
            state.phase, state.why = Phase.RUNNING, ""
        self._observer.step(Step.JUDGED, range_)
        if self._tap is not None and self._tap.is_open:
            self._tap.judged(batch, verdicts)
        return Delivery(state, self._pending(state, batch, verdicts, range_), repeated)

    def _take_time(self, state: PartitionState) -> bool:
        """Set the time of the partition's next range; False if the clock cannot be believed."""
        times = [time for batch in state.buffer.batches[:_BATCHES] for time in batch.timestamps or ()]
        try:
            state.last_time = self._clock.time(state.last_time, times, state.partition)
        except WrongClockError as wrong:
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


@final
@attrs.frozen(slots=True)
class Pace:
    """How the writing of a worker's cycles goes.

    Attributes:
        room: records that a cycle has room for.
        together: the ranges of a cycle are written together: what counts is how full the cycle is, not each range.
        writing: a cycle is being written.
        wait: seconds that a range waits for more records if nothing is being written.
    """

    room: int
    together: bool = False
    writing: bool = False
    wait: float = 0.0


def due(
    states: Collection[PartitionState],
    limits: GroupLimits,
    end: Callable[[Partition], int | None],
    now: float,
    pace: Pace,
) -> list[PartitionState]:
    """The partitions whose ranges are to be closed now, the oldest first.

    A range is due when it is full or old; a range that is being repeated, when all of it is read. While a cycle is
    being written, old is not enough, unless a cycle's records are held: they could only wait, and others join them.
    Under a backlog it is not enough either: where the topic holds enough to fill a range, it goes on filling, up to ten
    times as long. So ranges are large when there is much to do, and quick when there is little. If nothing is due
    and much is held already, the largest is.

    Ranges that are written together are all due as soon as one is, or as they fill a cycle.

    Args:
        end: the offset after a partition's last record, None if nobody knows.
        now: by the clock of ``Buffer.since``, seconds.
    """
    waiting = [state for state in states if state.usable and state.buffer.records]
    running = [state for state in waiting if state.phase is Phase.RUNNING]
    held = sum(state.buffer.records for state in running)
    size = sum(state.buffer.bytes for state in running)

    def behind(state: PartitionState) -> int:
        return max(0, (end(state.partition) or 0) - state.next_offset)

    def old(state: PartitionState) -> bool:
        age = now - state.buffer.since
        if age >= PATIENCE * limits.max_seconds:
            return True  # what the end promises may never come: records of aborted transactions, or compacted ones
        if age < pace.wait or (pace.writing and held < pace.room):
            return False
        if pace.together:
            reading = (each for each in states if each.usable and each.phase is Phase.RUNNING)
            filling = held + sum(map(behind, reading)) >= pace.room
        else:
            filling = state.buffer.records + behind(state) >= limits.max_records
        return not filling

    if pace.together:
        fills = held >= pace.room or size >= limits.max_bytes
        found = list(running) if fills or any(map(old, running)) else []
    else:
        found = [state for state in running if _full(state, limits) or old(state)]
    found += [state for state in waiting if state.phase is Phase.REPEATING and _complete(state)]
    if not found and running and sum(state.buffer.bytes for state in waiting) >= limits.ample_bytes:
        found = [max(running, key=lambda state: state.buffer.bytes)]
    return sorted(found, key=lambda state: state.buffer.since)


def _full(state: PartitionState, limits: GroupLimits) -> bool:
    return state.buffer.records >= limits.max_records or state.buffer.bytes >= limits.max_bytes


def _complete(state: PartitionState) -> bool:
    return state.prepared is not None and state.buffer.next_offset >= state.prepared.end
