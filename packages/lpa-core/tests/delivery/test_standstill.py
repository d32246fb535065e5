"""Whether a worker gets on, and how it fares on a log that turns it away."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import final

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.background_tasks import Task
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import (
    Assignment,
    BrokerError,
    BrokerUnavailable,
    Commit,
    CommitUncertainError,
    FencedError,
    ForbiddenError,
    Membership,
    OutgoingRecord,
    Partition,
    ReadableOffsets,
)
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.standstill import Standstill
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch

A, B = Partition("events", 0), Partition("events", 1)
LIMIT = 100.0


@final
class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def standstill(clock: Clock) -> Standstill:
    return Standstill(LIMIT, clock)


def test_failure_12_records_that_wait_while_nothing_is_finished_are_told_with_how_long(
    clock: Clock, standstill: Standstill
) -> None:
    for read in range(0, 150, 10):  # reading goes on: that is no progress
        standstill.look({A: (5, 5 + read, True)}, whole=True)
        clock.now += 10
    assert standstill.stalled() == ["nothing was finished for 150 seconds, though records wait"]
    assert standstill.seconds() == 150
    standstill.finished()
    assert (standstill.stalled(), standstill.seconds()) == ([], 0)
    standstill.look({A: (6, 160, True)}, whole=True)
    clock.now += LIMIT
    assert (standstill.stalled(), standstill.seconds()) == ([], 0)
    clock.now += 1
    assert standstill.stalled() != []
    assert standstill.seconds() == LIMIT + 1


def test_failure_12_an_idle_topic_is_no_standstill_however_long(clock: Clock, standstill: Standstill) -> None:
    for _ in range(100):
        standstill.look({A: (5, 5, False), B: (0, 0, False)}, whole=True)
        clock.now += 60
    assert standstill.stalled() == []
    standstill.look({A: (5, 5, True), B: (0, 0, False)}, whole=True)
    assert standstill.stalled() == [], "the time before the first record does not count"


def test_failure_12_a_worker_without_partitions_is_no_standstill(clock: Clock, standstill: Standstill) -> None:
    standstill.look({A: (5, 5, True)}, whole=True)
    clock.now += 2 * LIMIT
    standstill.look({}, whole=True)
    assert standstill.stalled() == []


def test_failure_12_one_partition_that_hands_over_nothing_is_named(clock: Clock, standstill: Standstill) -> None:
    for step in range(12):
        standstill.look({A: (5, 5, True), B: (step, step, True)}, whole=True)
        standstill.finished()
        clock.now += 10
    assert standstill.stalled() == ["events[0]: no record was read or finished for 120 seconds, though records wait"]


def test_failure_12_a_standstill_outlasts_sessions(clock: Clock, standstill: Standstill) -> None:
    standstill.look({A: (5, 5, True)}, whole=True)
    for _ in range(11):
        standstill.hindered("a commit is refused")
        clock.now += 10
        standstill.look({}, whole=False)  # the partition is being started again
    assert standstill.stalled() != []
    assert standstill.hindrance == "a commit is refused"


def test_failure_12_only_a_standstill_without_a_known_cause_is_hopeless(clock: Clock, standstill: Standstill) -> None:
    standstill.look({A: (5, 5, True)}, whole=True)
    clock.now += 11 * LIMIT
    assert standstill.hopeless()
    standstill.hindered("the brokers are away")
    assert not standstill.hopeless()
    standstill.finished()
    assert not standstill.hopeless()


# A worker on a log that turns it away.


@final
class _Background:
    """Nothing runs beside; sleeping moves the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def start(self, work: Callable[[], None], name: str) -> Task:
        raise AssertionError(name)

    def sleep(self, seconds: float) -> None:
        self._clock.now += seconds

    def now(self) -> float:
        return self._clock.now


@final
class _Log:
    """A log that assigns nothing, and raises at the first poll what it is told to."""

    def __init__(self, clock: Clock, problem: Exception | None) -> None:
        self._clock, self._problem = clock, problem
        self.polls = 0

    def join(self, topics: Sequence[str], assignment: Assignment) -> None:
        assignment.assigned([])

    def poll(self, max_records: int, seconds: float) -> Sequence[RecordBatch]:
        self._clock.now += 1
        self.polls += 1
        if self._problem is not None:
            raise self._problem
        return []

    def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Commit | None]:
        return {}

    def span(self, partition: Partition) -> ReadableOffsets:
        raise AssertionError

    def end(self, partition: Partition) -> int | None:
        raise AssertionError

    def position(self, partition: Partition) -> int | None:
        raise AssertionError

    def start(self, partition: Partition, offset: int) -> None:
        raise AssertionError

    def pause(self, partitions: Collection[Partition]) -> None: ...

    def resume(self, partitions: Collection[Partition]) -> None: ...

    def membership(self) -> Membership:
        raise FencedError

    def commit(
        self, membership: Membership, commits: Mapping[Partition, Commit], records: Sequence[OutgoingRecord] = ()
    ) -> None:
        raise AssertionError

    def close(self) -> None: ...


def worker(clock: Clock, new_log: Callable[[], _Log]) -> GroupWorker:
    return GroupWorker(
        new_log,
        ["events"],
        Pipeline(BUILTIN_EVENT_TYPES),
        DedupStores(lambda partition: MemoryDedupStore(1000), ttl_ms=1000, shared=False),
        GroupDestination([], lambda reject: OutgoingRecord("dlq", b"", b"")),
        limits=GroupLimits(progress_seconds=LIMIT),
        context=WorkerContext(background=_Background(clock)),
    )


def test_failure_15_a_permission_that_was_taken_away_is_waited_for_and_then_named(clock: Clock) -> None:
    started = clock.now
    turns: list[float] = []

    def new_log() -> _Log:
        turns.append(clock.now)
        return _Log(clock, ForbiddenError("this login lacks the ACL READ on the group"))

    with pytest.raises(ForbiddenError, match="READ on the group"):
        worker(clock, new_log).run()
    assert LIMIT < clock.now - started < LIMIT + 10
    assert len(turns) > 10


def test_failure_15_a_permission_that_is_given_back_is_forgotten(clock: Clock) -> None:
    sessions: list[_Log] = []

    def new_log() -> _Log:
        working = len(sessions) % 10 == 9
        sessions.append(_Log(clock, None if working else ForbiddenError("not permitted")))
        if len(sessions) > 200:
            running.stop()
        if working:
            clock.now += 200  # a session that works lasts
            sessions[-1]._problem = BrokerUnavailable("the broker restarts")
        return sessions[-1]

    running = worker(clock, new_log)
    running.run()
    assert len(sessions) > 200


def test_failure_15_what_is_missing_at_the_start_is_not_waited_for(clock: Clock) -> None:
    def new_log() -> _Log:
        raise ForbiddenError("the login was refused")

    started = clock.now
    with pytest.raises(ForbiddenError):
        worker(clock, new_log).run()
    assert clock.now == started


@pytest.mark.parametrize("problem", [BrokerUnavailable("away"), CommitUncertainError("unknown")])
def test_failure_12_a_worker_whose_session_failed_is_alive_not_a_member_and_says_why(
    clock: Clock, problem: Exception
) -> None:
    logs = 0

    def new_log() -> _Log:
        nonlocal logs
        logs += 1
        if logs == 1:
            return _Log(clock, problem)
        if logs < 100:
            assert running.turned_at == clock.now, "waiting for the log is no standstill of the loop"
            assert not running.joined
            assert running.standstill.hindrance == str(problem)
            clock.now += 20
            raise problem
        running.stop()
        return _Log(clock, None)

    running = worker(clock, new_log)
    running.run()
    assert logs == 100


def test_failure_12_what_cannot_pass_ends_the_worker(clock: Clock) -> None:
    with pytest.raises(BrokerError, match="QUALITY_GROUP_INSTANCE_ID"):
        worker(clock, lambda: _Log(clock, BrokerError("set QUALITY_GROUP_INSTANCE_ID"))).run()
