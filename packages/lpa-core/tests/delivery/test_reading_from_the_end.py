"""A topic of which nothing is committed may be read from its end on: that is decided once, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import pytest

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.claims import DedupStores
from lpa_core.delivery.consumer_group import Commit, OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, GapReason
from lpa_core.tables.row_layout import QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.records import PIPELINE, event
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

TOPIC = "events"
OLD = 7
"""Records that each partition holds before a worker comes."""
TTL_MS = 86_400_000

pytestmark = pytest.mark.usefixtures("quiet")


@final
class Group:
    """One worker after the other, each of which knows nothing of the one before but its claims."""

    def __init__(self, seed: int, *, faults: bool = False) -> None:
        self.scheduler = Scheduler(seed)
        self.broker = Broker(self.scheduler, TOPIC, 2, faults=faults)
        self.database = SimulatedDatabase(self.scheduler, lambda raw: {}, faults=faults)
        self.claims = {partition: MemoryDedupStore(TTL_MS) for partition in self.broker.log}
        self.begun: dict[Partition, int] = {}
        """Where the group began: the first offset that was committed."""
        self._number = 0
        self._host: Host | None = None
        self.come(OLD)

    def come(self, count: int) -> None:
        for partition, values in self.broker.log.items():
            values += [event(f"{partition.number}-{len(values) + number}") for number in range(count)]

    def start(self, *, from_end: bool = True) -> None:
        self._number += 1
        host = self._host = Host(f"worker{self._number}")
        sessions = iter(range(1, 1 << 30))
        worker = GroupWorker(
            lambda: SimulatedGroup(self.broker, host, host.name, f"{host.name}-{next(sessions)}"),
            [TOPIC],
            PIPELINE,
            DedupStores(self.claims.__getitem__, ttl_ms=TTL_MS, shared=False),
            GroupDestination([SimulatedSink(self.database, host)], lambda reject: OutgoingRecord("dlq", b"", b"")),
            limits=GroupLimits(max_records=5, max_seconds=0.3),
            from_end=[TOPIC] if from_end else [],
            context=WorkerContext(
                background=SimulatedBackground(self.scheduler, host),
                clock=lambda: 1_768_000_000_000 + int(self.scheduler.now * 1000),
            ),
        )
        self.scheduler.spawn(host, worker.run)

    def step(self) -> None:
        self.scheduler.step()
        for partition, commit in self.broker.offsets.items():
            self.begun.setdefault(partition, commit.offset)

    def crash(self) -> None:
        assert self._host is not None
        self.scheduler.kill(self._host)
        self.database.died(self._host)
        self.broker.expire()

    def deliver(self) -> None:
        for _ in range(8_000):
            self.step()
            if all(
                self.broker.offsets.get(partition) == Commit(len(values))
                for partition, values in self.broker.log.items()
            ):
                return
        raise AssertionError("the worker never came to rest")

    def stored(self, partition: Partition, table: str = RAW_TABLE.name) -> list[int]:
        rows = self.database.rows.get(table, ())
        return sorted(row["source_offset"] for row in rows if row["source_partition"] == partition.number)


@pytest.fixture
def group() -> Iterator[Group]:
    group = Group(1)
    yield group
    group.scheduler.end()


def test_what_the_topic_held_is_passed_over_and_known_as_a_gap(group: Group) -> None:
    group.start()
    group.deliver()
    group.come(3)
    group.deliver()
    for partition in group.broker.log:
        assert group.stored(partition) == [OLD, OLD + 1, OLD + 2]
    gaps = {
        (row["source_partition"], row["source_offset"], row["next_offset"], row["reason"])
        for row in group.database.rows[KNOWN_GAPS_TABLE.name]
    }
    assert gaps == {(0, 0, OLD, GapReason.NOT_READ), (1, 0, OLD, GapReason.NOT_READ)}


def test_a_worker_that_comes_later_skips_nothing_that_came_while_there_was_none(group: Group) -> None:
    group.start()
    while len(group.begun) < 2:
        group.step()
    group.crash()
    group.come(4)
    group.start()
    group.deliver()
    for partition in group.broker.log:
        assert group.stored(partition) == [*range(OLD, OLD + 4)]


def test_where_something_is_committed_the_end_is_not_looked_at(group: Group) -> None:
    first, second = sorted(group.broker.log)
    group.broker.offsets[first] = Commit(2)
    group.start()
    group.deliver()
    assert group.stored(first) == [*range(2, OLD)]
    assert group.stored(second) == []


def test_another_topic_is_read_from_its_beginning(group: Group) -> None:
    group.start(from_end=False)
    group.deliver()
    assert [group.stored(partition) for partition in group.broker.log] == [[*range(OLD)], [*range(OLD)]]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_fails_all_that_came_after_the_beginning_is_stored_once(seed: int) -> None:
    group = Group(seed, faults=True)
    draw = group.scheduler.random
    group.start()
    for _ in range(draw.randint(1, 4)):
        for _ in range(draw.randint(1, 400)):
            group.step()
            if draw.random() < 0.02:
                group.come(1)
        group.crash()
        for _ in range(draw.randint(0, 20)):
            group.step()
        group.start()
    group.come(1)
    group.deliver()
    while group.database.running:
        group.step()
    assert group.broker.violations == []
    for partition, values in group.broker.log.items():
        assert group.begun[partition] >= OLD
        assert group.stored(partition) == [*range(group.begun[partition], len(values))]
        assert group.stored(partition, QUARANTINE_TABLE.name) == []
    group.scheduler.end()
