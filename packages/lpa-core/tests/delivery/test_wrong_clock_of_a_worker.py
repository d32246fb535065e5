"""A worker whose clock is wrong writes nothing, says why, and goes on once it is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import MemoryCheckpoint
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.release import RELEASED_MS, RELEASES, WrongClockError
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.doubles import MemorySink, MemorySource
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.records import PIPELINE, event
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

PARTITION = Partition("events", 0)
YEAR_2099 = 4_070_908_800_000


class _Job:
    """A group worker whose clock is off by ``off`` ms."""

    def __init__(self, earliest: int = 0) -> None:
        self.scheduler, self.off = Scheduler(1), 0
        self.broker = Broker(self.scheduler, "events", 1, faults=False)
        self.database = SimulatedDatabase(self.scheduler, lambda raw: False, faults=False)
        host = Host("worker")
        self.worker = GroupWorker(
            lambda: SimulatedGroup(self.broker, host, "worker", "worker"),
            ["events"],
            PIPELINE,
            DedupStores(lambda partition: MemoryDedupStore(86_400_000), ttl_ms=86_400_000, shared=False),
            GroupDestination([SimulatedSink(self.database, host)], lambda reject: OutgoingRecord("dlq", b"", b"")),
            limits=GroupLimits(max_records=10, max_seconds=0.3, max_buffered_bytes=20_000),
            context=WorkerContext(
                background=SimulatedBackground(self.scheduler, host),
                clock=lambda: int(self.scheduler.now * 1000) + self.off,
                earliest=earliest,
            ),
        )
        self.scheduler.spawn(host, self.worker.run)

    def send(self, first: int, end: int) -> None:
        self.broker.log[PARTITION] += [event(f"id-{number}") for number in range(first, end)]

    def run(self, until: Callable[[], bool]) -> None:
        for _ in range(100_000):
            if until():
                return
            self.scheduler.step()
        raise AssertionError("it never came true")

    def delivered(self) -> bool:
        commit = self.broker.offsets.get(PARTITION)
        return commit is not None and commit.offset == len(self.broker.log[PARTITION]) and not commit.metadata

    @property
    def why(self) -> str:
        state = self.worker.states.get(PARTITION)
        return state.why if state is not None else ""

    def times(self) -> Sequence[int]:
        return [row["ingestion_timestamp"] for row in self.database.rows.get(RAW_TABLE.name, ())]


@pytest.fixture
def new_job() -> Iterator[Callable[..., _Job]]:
    made: list[_Job] = []

    def new(earliest: int = 0) -> _Job:
        made.append(_Job(earliest))
        return made[-1]

    yield new
    for job in made:
        job.scheduler.end()


def test_failure_06_a_worker_waits_for_a_clock_that_is_before_the_release(new_job: Callable[..., _Job]) -> None:
    job = new_job(RELEASED_MS)
    job.send(0, 200)
    job.off = -int(job.scheduler.now * 1000)  # 1970
    job.run(lambda: "was released on" in job.why)
    until = job.scheduler.now + 1000
    job.run(lambda: job.scheduler.now > until)
    assert job.times() == [], "nothing is written, however long it takes"
    assert sum(state.buffer.bytes for state in job.worker.states.values()) < 25_000, "nor read without end"
    job.off = RELEASED_MS - int(job.scheduler.now * 1000)
    job.run(job.delivered)
    assert job.why == ""
    assert len(job.times()) == 200


def test_failure_06_a_worker_waits_where_later_rows_are_stored(new_job: Callable[..., _Job]) -> None:
    job = new_job()
    job.database.rows["other"] = [
        {"source_topic": "x", "source_partition": 0, "source_offset": 0, "ingestion_timestamp": YEAR_2099}
    ]
    job.send(0, 5)
    job.run(lambda: "`lpa recover wrong-times`" in job.why)
    assert job.times() == []


def test_failure_06_a_jump_to_2099_and_back_is_written_nowhere(new_job: Callable[..., _Job]) -> None:
    job = new_job()
    job.send(0, 10)
    job.run(job.delivered)
    job.off = YEAR_2099 - int(job.scheduler.now * 1000)
    job.send(10, 20)
    job.run(lambda: "jumped ahead" in job.why)
    job.off = 0
    job.run(job.delivered)
    assert len(job.times()) == 20
    assert max(job.times()) <= job.scheduler.now * 1000


def test_failure_06_a_file_is_refused_under_a_wrong_clock() -> None:
    sink = MemorySink()
    sink.open((*PIPELINE.tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE))
    source = MemorySource("file", [event("a")])
    dedup = MemoryDedupStore(86_400_000)

    def worker(clock: int) -> SourceWorker:
        return SourceWorker(
            source,
            PIPELINE,
            dedup,
            [sink],
            MemoryCheckpoint(),
            limits=SourceLimits(100, 100_000),
            clock=lambda: clock,
            earliest=RELEASED_MS,
        )

    with pytest.raises(WrongClockError, match="was released on"):
        worker(0).run()
    assert sink.tables[RAW_TABLE.name] == []
    source.seek(0, "")
    worker(RELEASED_MS).run()
    assert len(sink.tables[RAW_TABLE.name]) == 1


def test_failure_06_this_version_says_when_it_was_released() -> None:
    """A release that forgets to would believe the clocks of before."""
    assert version("lpa-core") in RELEASES
