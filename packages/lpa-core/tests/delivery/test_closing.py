"""When a worker of a group closes its ranges: late and large under a backlog, soon otherwise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import cast, final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.background_tasks import Background
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import ConsumerGroup, OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.observer import Observer, Step
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.range_builder import Pace, RangeBuilder, due
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.orgs import WITHOUT_ORGS
from lpa_core.pipeline.masking import NOTHING_MASKED
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Verdict
from lpa_core.records import RecordBatch
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.records import PIPELINE, event
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

LIMITS = GroupLimits(max_records=100, max_bytes=100_000, max_seconds=1.0, max_buffered_bytes=10_000)


def state(number: int, records: int, since: float, size: int = 1, phase: Phase = Phase.RUNNING) -> PartitionState:
    """A partition of which that many records are held; the next to be read has the offset ``records``."""
    found = PartitionState(Partition("t", number), phase)
    if records:
        found.buffer.add(RecordBatch("t", number, range(records), [b"x" * size] * records), since)
    found.next_offset = records
    return found


IDLE = Pace(room=100, wait=1.0)


def numbers(
    states: Collection[PartitionState], ends: Mapping[int, int | None], now: float, pace: Pace = IDLE
) -> list[int]:
    return [found.partition.number for found in due(states, LIMITS, lambda p: ends.get(p.number), now, pace)]


@pytest.mark.parametrize("end", [None, 5, 60, 99])
def test_a_partition_that_cannot_fill_its_range_closes_it_after_a_second(end: int | None) -> None:
    assert numbers([state(0, 5, since=10.0)], {0: end}, now=10.9) == []
    assert numbers([state(0, 5, since=10.0)], {0: end}, now=11.0) == [0]


def test_failure_08_a_range_of_a_group_is_judged_by_the_time_it_is_prepared_with() -> None:
    """Whoever takes a prepared range over, days later, decides as the worker before did."""
    day = 86_400_000
    for phase, expected in ((Phase.RUNNING, 9 * day), (Phase.REPEATING, 2 * day)):
        asked: list[int] = []

        class Judge:
            orgs, masking = WITHOUT_ORGS, NOTHING_MASKED

            def judge(self, batch: RecordBatch, batch_time: int) -> list[Verdict]:
                asked.append(batch_time)  # noqa: B023  # called before the loop goes on
                return []

        found = state(0, 5, since=0.0, phase=phase)
        found.prepared = Range(topic="t", partition=0, start=0, end=5, count=5, resume="", batch_time=2 * day)
        closer = RangeBuilder(
            cast(ConsumerGroup, SimpleNamespace(end=lambda partition: None, position=lambda partition: None)),
            LIMITS,
            RangeSteps(cast(Pipeline, Judge()), [], lambda stage, seconds: None),
            WorkerContext(background=cast(Background, SimpleNamespace(now=lambda: 100.0)), clock=lambda: 9 * day),
        )
        (delivery,) = closer.cycle([found])
        assert asked == [delivery.pending.range.batch_time] == [expected]


def test_a_range_that_the_log_can_fill_is_left_to_fill_up_to_ten_times_as_long() -> None:
    assert numbers([state(0, 5, since=10.0)], {0: 100}, now=19.9) == []
    assert numbers([state(0, 5, since=10.0)], {0: 100}, now=20.0) == [0]


def test_a_full_range_closes_at_once_by_records_and_by_bytes() -> None:
    assert numbers([state(0, 100, since=10.0)], {0: 100_000}, now=10.0) == [0]
    assert numbers([state(0, 2, since=10.0, size=50_000)], {0: 100_000}, now=10.0) == [0]


def test_where_much_is_held_and_nothing_is_due_the_largest_range_closes() -> None:
    states = [state(0, 40, since=10.0, size=60), state(1, 45, since=10.0, size=60)]
    assert numbers(states, {0: 1000, 1: 1000}, now=10.5) == [1]
    assert numbers([states[0]], {0: 1000}, now=10.5) == [], "half of what may be held is not reached"


def test_the_oldest_due_range_comes_first() -> None:
    states = [state(0, 100, since=12.0), state(1, 3, since=10.0), state(2, 3, since=11.0), state(3, 3, since=12.5)]
    assert numbers(states, {}, now=13.0) == [1, 2, 0]


def test_while_a_cycle_is_written_small_ranges_wait_for_others_to_join_them() -> None:
    """They could not be written yet anyway."""
    writing = attrs.evolve(IDLE, writing=True)
    states = [state(0, 5, since=10.0), state(1, 80, since=12.5)]
    assert numbers(states, {}, 13.0) == [0]
    assert numbers(states, {}, 13.0, writing) == []
    assert numbers([*states, state(2, 20, since=12.5)], {}, 13.0, writing) == [0], "a cycle's records are held"
    assert numbers([state(0, 100, since=12.5)], {}, 13.0, writing) == [0], "a full range waits for nobody"
    assert numbers(states, {}, 20.0, writing) == [0], "nothing waits for ever"


@given(st.floats(0, 1), st.floats(0, 2))
def test_a_range_waits_as_long_as_the_pace_says(wait: float, age: float) -> None:
    pace = attrs.evolve(IDLE, wait=wait)
    assert numbers([state(0, 5, since=0.0)], {}, age, pace) == ([0] if age >= wait else [])


@pytest.mark.parametrize(("took", "wait"), [(0.0, 0.25), (0.2, 0.6), (5.0, 1.0), (math.inf, 1.0)])
def test_a_worker_rests_longer_the_longer_its_cycles_take(took: float, wait: float) -> None:
    now = 0.0
    closer = RangeBuilder(
        cast(ConsumerGroup, SimpleNamespace(end=lambda partition: None, position=lambda partition: None)),
        LIMITS,
        RangeSteps(
            cast(
                Pipeline, SimpleNamespace(judge=lambda batch, batch_time: [], orgs=WITHOUT_ORGS, masking=NOTHING_MASKED)
            ),
            [],
            lambda stage, seconds: None,
        ),
        WorkerContext(background=cast(Background, SimpleNamespace(now=lambda: now)), clock=lambda: 1),
    )
    found = state(0, 5, since=0.0)
    now = wait - 0.01
    assert not closer.cycle([found], took=took)
    now = wait + 0.01
    assert len(closer.cycle([found], took=took)) == 1


TOGETHER = attrs.evolve(IDLE, together=True)


def test_ranges_that_are_written_together_close_together() -> None:
    states = [state(0, 5, since=12.9), state(1, 3, since=12.0), state(2, 0, since=0.0)]
    assert numbers(states, {}, 12.95, TOGETHER) == []
    assert numbers(states, {}, 13.0, TOGETHER) == [1, 0]


def test_ranges_that_are_written_together_fill_a_cycle_under_a_backlog() -> None:
    states = [state(0, 40, since=10.0), state(1, 40, since=10.5)]
    assert numbers(states, {0: 50, 1: 50}, 12.0, TOGETHER) == [], "the log holds enough to fill a cycle"
    assert numbers(states, {0: 50, 1: 45}, 12.0, TOGETHER) == [0, 1], "it does not"
    assert numbers(states, {0: 50, 1: 50}, 20.0, TOGETHER) == [0, 1], "nothing waits for ever"
    assert numbers([*states, state(2, 20, since=11.9)], {0: 999}, 12.0, TOGETHER) == [0, 1, 2]
    large = [state(0, 2, since=11.9, size=30_000), state(1, 2, since=11.9, size=30_000)]
    assert numbers(large, {0: 999}, 12.0, TOGETHER) == [0, 1], "as many bytes as a range may have"


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(0, 20), st.integers(0, 300)), min_size=1, max_size=6),
    st.sampled_from(list(Phase)),
)
def test_nothing_waits_for_ever_and_nothing_closes_that_may_not(
    drawn: list[tuple[int, float, int]], phase: Phase
) -> None:
    now = 20.0
    states = [state(number, records, since, phase=phase) for number, (records, since, _) in enumerate(drawn)]
    found = numbers(states, {number: records + more for number, (records, _, more) in enumerate(drawn)}, now)
    if phase is not Phase.RUNNING:
        assert found == []
    else:
        assert set(found) >= {number for number, (records, since, _) in enumerate(drawn) if records and since <= 10}
    for gone in states:
        gone.leaving = True
    assert numbers(states, {}, now) == []


def test_a_repeated_range_closes_when_all_of_it_is_read_however_little_that_is() -> None:
    repeating = state(0, 5, since=10.0, phase=Phase.REPEATING)
    repeating.prepared = Range("t", 0, 0, 6, 6, "", 1)
    assert numbers([repeating], {}, now=100.0) == []
    repeating.prepared = Range("t", 0, 0, 5, 5, "", 1)
    assert numbers([repeating], {}, now=10.0) == [0]


# A worker on a log that takes its time.


@final
class _SlowLog(SimulatedGroup):
    """Hands over some records of each partition every quarter of a second, as a broker over a slow line does."""

    def poll(self, max_records: int, seconds: float) -> Sequence[RecordBatch]:
        self._scheduler.pause(0.25)
        return super().poll(min(max_records, 20), seconds)


@final
class _Told(Observer):
    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.ranges: list[tuple[float, Range]] = []
        """When each was closed, seconds from the start."""
        self.most_held = 0
        """Bytes of records that were read and in no range yet."""
        self.through: dict[int, int] = {}

    def step(self, step: Step, range_: Range) -> None:
        if step is Step.JUDGED:
            self.ranges.append((self._now(), range_))
        if step is Step.FINISHED:
            self.through[range_.partition] = range_.end


def deliver(records: Mapping[int, int], limits: GroupLimits, *, embedded: bool = False) -> _Told:
    """Deliver that many records of each partition, to a server or into an embedded engine."""
    scheduler = Scheduler(1)
    broker = Broker(scheduler, "events", len(records), faults=False)
    for number, count in records.items():
        broker.log[Partition("events", number)] += [event(f"{number}-{offset}") for offset in range(count)]
    host = Host("worker")
    began = scheduler.now
    told = _Told(lambda: scheduler.now - began)
    worker = GroupWorker(
        lambda: _SlowLog(broker, host, "worker", "worker"),
        ["events"],
        PIPELINE,
        DedupStores(lambda partition: MemoryDedupStore(86_400_000), ttl_ms=86_400_000, shared=False),
        GroupDestination(
            [SimulatedSink(SimulatedDatabase(scheduler, lambda block: {}, faults=False, embedded=embedded), host)],
            lambda reject: OutgoingRecord("dlq", b"", b""),
        ),
        limits=limits,
        context=WorkerContext(
            observer=told,
            background=SimulatedBackground(scheduler, host),
            clock=lambda: 1_768_000_000_000 + int(scheduler.now * 1000),
        ),
    )
    strand = scheduler.spawn(host, worker.run)
    while not strand.ended:
        scheduler.step()
        told.most_held = max(told.most_held, sum(state.buffer.bytes for state in worker.states.values()))
        assert scheduler.steps < 100_000, told.through
        if told.through == records:
            worker.stop()
    assert strand.error is None
    return told


def test_a_backlog_is_taken_in_full_ranges_and_its_tail_soon() -> None:
    limits = GroupLimits(max_records=100, max_seconds=1.0)
    ranges = deliver({0: 350, 1: 350, 2: 350}, limits).ranges
    for number in range(3):
        counts = [range_.count for _, range_ in ranges if range_.partition == number]
        assert counts[:3] == [100, 100, 100]
        assert sum(counts) == 350


def test_a_backlog_is_taken_in_full_cycles_by_an_embedded_engine() -> None:
    limits = GroupLimits(max_records=100, max_seconds=1.0)
    told = deliver(dict.fromkeys(range(8), 100), limits, embedded=True)
    cycles = Counter(range_.batch_time for _, range_ in told.ranges)
    assert len(cycles) <= 3, "800 records in cycles of 400, and a tail"
    assert sum(range_.count for _, range_ in told.ranges) == 800


def test_a_cycle_to_a_server_takes_few_partitions_so_that_the_others_have_their_turn() -> None:
    limits = GroupLimits(max_records=100, max_seconds=1.0)
    told = deliver(dict.fromkeys(range(10), 3), limits)
    cycles = Counter(at for at, _ in told.ranges)
    assert max(cycles.values()) == 4
    assert len(told.ranges) == 10


def test_a_partition_that_keeps_up_does_not_wait_for_those_that_lag() -> None:
    limits = GroupLimits(max_records=100, max_seconds=1.0)
    ranges = deliver({0: 2000, 1: 5}, limits).ranges
    at, quick = next((at, range_) for at, range_ in ranges if range_.partition == 1)
    first_of_the_other = next(at for at, range_ in ranges if range_.partition == 0)
    assert quick.count == 5
    assert at < first_of_the_other


def test_many_lagging_partitions_hold_no_more_than_they_may() -> None:
    """Each could fill a range, all of them together could not: the largest closes when half of the room is taken."""
    size = len(event("0-100"))
    limits = GroupLimits(max_records=200, max_seconds=1.0, max_buffered_bytes=600 * size)
    told = deliver(dict.fromkeys(range(8), 300), limits)
    one_poll = 8 * 20 * size  # is handed over whole, however much is held
    assert told.most_held < 600 * size + one_poll
    assert sum(range_.count for _, range_ in told.ranges) == 8 * 300
