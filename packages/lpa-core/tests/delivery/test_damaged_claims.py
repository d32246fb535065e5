"""A partition's claims: damaged and lost ones are read back from the sink, and a refused event gives its own back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import final

import pytest

from lpa_core.dedup.rocksdb import RocksDBDedupStore
from lpa_core.dedup.store import DamagedClaimsError, DedupStore
from lpa_core.delivery.claims import THROUGH_FILE, DedupStores
from lpa_core.delivery.consumer_group import OutgoingRecord, Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.group_worker import GroupWorker
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.observer import Observer, Step
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.sinks.sink import Sink
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.claim_damage import DAMAGE, LOSS
from lpa_core.testing.doubles import MemorySink
from lpa_core.testing.simulation.broker import Broker
from lpa_core.testing.simulation.consumer_group import SimulatedGroup
from lpa_core.testing.simulation.records import PIPELINE, REFUSED_GATEWAY, event, refused_rows
from lpa_core.testing.simulation.scheduler import Host, Scheduler, SimulatedBackground
from lpa_core.testing.simulation.sink import SimulatedDatabase, SimulatedSink

TTL = 86_400_000
COUNT = 40


@final
class _Told(Observer):
    def __init__(self) -> None:
        self.through = 0

    def step(self, step: Step, range_: Range) -> None:
        if step is Step.FINISHED:
            self.through = range_.end


class World:
    """A topic of one partition, a database, and a worker with its claims on a disk."""

    def __init__(self, folder: Path) -> None:
        self.scheduler = Scheduler(1)
        self.broker = Broker(self.scheduler, "events", 1, faults=False)
        self.database = SimulatedDatabase(self.scheduler, lambda block: {}, faults=False)
        self.folder = folder / "events-0"
        self.worker: GroupWorker | None = None
        self.opened: list[DedupStore] = []

    def send(self, start: int, count: int) -> None:
        self.broker.log[Partition("events", 0)] += [event(f"id-{number}") for number in range(start, start + count)]

    def deliver(self, sink: Sink | None = None, while_running: Callable[[], None] | None = None) -> str:
        """Deliver all that is there, and answer what keeps the partition from running, if anything does."""
        host, told = Host("worker"), _Told()
        worker = GroupWorker(
            lambda: SimulatedGroup(self.broker, host, "worker", "worker"),
            ["events"],
            PIPELINE,
            DedupStores(self._open, ttl_ms=TTL, shared=False, folder=lambda partition: self.folder),
            GroupDestination(
                [sink or SimulatedSink(self.database, host)], lambda reject: OutgoingRecord("dlq", b"", b"")
            ),
            limits=GroupLimits(max_records=10, max_seconds=0.5),
            context=WorkerContext(
                observer=told,
                background=SimulatedBackground(self.scheduler, host),
                clock=lambda: int(self.scheduler.now * 1000),
            ),
        )
        strand = self.scheduler.spawn(host, worker.run)
        why, until = "", self.scheduler.now + 60
        while not strand.ended:
            self.scheduler.step()
            why = next((state.why for state in worker.states.values()), why)
            done = told.through == len(self.broker.log[Partition("events", 0)])
            if done and while_running is not None:
                while_running()
                while_running = None
            elif done or self.scheduler.now > until:
                worker.stop()
        assert strand.error is None
        return "" if told.through == len(self.broker.log[Partition("events", 0)]) else why

    def _open(self, partition: Partition) -> DedupStore:
        store = RocksDBDedupStore(self.folder, TTL)
        self.opened.append(store)
        return store

    def count(self, table: str) -> int:
        return len(self.database.rows.get(table, []))


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.send(0, COUNT)
    assert world.deliver() == ""
    assert world.count(RAW_TABLE.name) == COUNT
    return world


def repeats_are_told(world: World) -> None:
    world.send(0, COUNT)
    world.send(COUNT, 5)
    assert world.deliver() == ""
    assert world.count(RAW_TABLE.name) == COUNT + 5
    assert world.count(QUARANTINE_TABLE.name) == COUNT


@pytest.mark.parametrize("name", DAMAGE)
def test_failure_14_damaged_claims_of_a_partition_are_rebuilt(world: World, name: str) -> None:
    DAMAGE[name](world.folder)
    repeats_are_told(world)
    assert world.folder.with_name("events-0.damaged").is_dir(), "for people to look at"


@pytest.mark.parametrize("name", LOSS)
def test_failure_14_lost_claims_of_a_partition_are_rebuilt(world: World, name: str) -> None:
    LOSS[name](world.folder)
    repeats_are_told(world)


def test_failure_14_claims_that_are_older_than_their_mark_are_rebuilt(world: World) -> None:
    """As with a folder that was brought back by hand, or a write-ahead log that was cleared away."""
    mark = (world.folder / THROUGH_FILE).read_bytes()
    for file in world.folder.iterdir():
        file.unlink()
    RocksDBDedupStore(world.folder, TTL).close()
    (world.folder / THROUGH_FILE).write_bytes(mark)
    repeats_are_told(world)


def test_a_mark_of_version_0_1_0_is_believed(world: World) -> None:
    (world.folder / THROUGH_FILE).write_text(f'{{"through": {COUNT}}}')
    world.database.rows[RAW_TABLE.name].clear()  # nothing could be read back
    world.send(0, COUNT)
    world.send(COUNT, 5)
    assert world.deliver() == ""
    assert world.count(QUARANTINE_TABLE.name) == COUNT


def test_failure_14_damage_that_shows_while_the_worker_runs_is_rebuilt(world: World) -> None:
    def damage() -> None:
        for table in world.folder.glob("*.sst"):
            table.write_bytes(os.urandom(table.stat().st_size))
        world.send(0, COUNT)

    world.send(COUNT, 5)
    assert world.deliver(while_running=damage) == ""
    assert world.count(RAW_TABLE.name) == COUNT + 5
    assert world.count(QUARANTINE_TABLE.name) == COUNT
    assert world.folder.with_name("events-0.damaged").is_dir()


def test_failure_14_without_a_sink_that_can_tell_the_partition_says_what_to_do(world: World) -> None:
    DAMAGE["MANIFEST is missing"](world.folder)
    world.send(COUNT, 5)
    sink = MemorySink()
    elsewhere = {"source_topic": "others", "source_partition": 0, "source_offset": 0, "ingestion_timestamp": 1}
    sink.tables[RAW_TABLE.name] = [elsewhere]
    why = world.deliver(sink)
    assert "the dedup claims are damaged" in why
    assert "restore a backup or a savepoint" in why
    assert world.folder.is_dir(), "nothing is set aside that nobody can tell again"
    with pytest.raises(DamagedClaimsError):
        RocksDBDedupStore(world.folder, TTL)


def test_a_refused_event_gives_its_claim_back(world: World) -> None:
    """The event is new when it comes in a form that the table takes: it is not a duplicate."""
    world.database.refused = refused_rows
    world.send(COUNT, 4)
    world.broker.log[Partition("events", 0)].append(event(f"id-{COUNT + 4}", gateway=REFUSED_GATEWAY))
    assert world.deliver() == ""
    assert world.count(RAW_TABLE.name) == COUNT + 4
    assert world.count(DLQ_TABLE.name) == 1
    world.send(COUNT, 5)
    assert world.deliver() == ""
    assert world.count(RAW_TABLE.name) == COUNT + 5
    assert world.count(QUARANTINE_TABLE.name) == 4
