"""Reading ahead as far as memory allows, and no further."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

from lpa_core.delivery.background_tasks import Background, Task
from lpa_core.delivery.consumer_group import ConsumerGroup, Partition
from lpa_core.delivery.limits import GroupLimits
from lpa_core.delivery.observer import Observer
from lpa_core.delivery.partitions import PartitionState, Phase
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.reader import Reader
from lpa_core.delivery.worker_context import WorkerContext
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch

HERE = Partition("t", 0)


class World(Observer):
    """A log with records of ten bytes without end, a clock that waiting moves, and what was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.time = 1.0
        self.offset = 0
        self.state = PartitionState(HERE, Phase.RUNNING)

    def poll(self, max_records: int, seconds: float) -> Sequence[RecordBatch]:
        if self.told and self.told[-1] == ("paused", [HERE]):
            return []
        self.offset += 1
        return [RecordBatch("t", 0, [self.offset - 1], [b"0123456789"])]

    def start(self, partition: Partition, offset: int) -> None:
        self.told.append(("started", offset))

    def pause(self, partitions: Collection[Partition]) -> None:
        self.told.append(("paused", [*partitions]))

    def resume(self, partitions: Collection[Partition]) -> None:
        self.told.append(("resumed", [*partitions]))

    def wait(self, seconds: float) -> bool:
        self.time += seconds
        return False

    def now(self) -> float:
        return self.time

    def reader(self) -> Reader:
        limits = GroupLimits(max_buffered_bytes=100)
        steps = RangeSteps(Pipeline([]), [], lambda stage, seconds: None)
        return Reader(cast(ConsumerGroup, self), limits, steps, WorkerContext(self, cast(Background, self)))

    def read(self, reader: Reader, times: int, *, writing: bool = True) -> int:
        """Answer how many bytes are held then."""
        for _ in range(times):
            reader.read({HERE: self.state}, cast(Task, self) if writing else None)
        return self.state.buffer.bytes


def test_reading_waits_for_writing_and_then_pauses_until_half_is_left() -> None:
    world = World()
    reader = world.reader()
    assert world.read(reader, 13) == 100
    assert (world.time, reader.paused) == (4.0, False), "pausing throws away what was fetched: writing has some seconds"
    world.read(reader, 2)
    assert reader.paused
    assert world.read(reader, 5) == 100
    world.state.buffer.take(4, 1000, 1000)
    assert (world.read(reader, 5), reader.paused) == (60, True)
    world.state.buffer.take(2, 1000, 1000)
    assert (world.read(reader, 1), reader.paused) == (50, False)
    assert [told for told in world.told if told[0] in ("paused", "resumed")] == [
        ("paused", [HERE]),
        ("resumed", [HERE]),
    ]


def test_where_nothing_is_being_written_there_is_nothing_to_wait_for() -> None:
    world = World()
    assert world.read(world.reader(), 20, writing=False) == 200


def test_records_that_come_a_second_time_are_passed_over() -> None:
    world = World()
    reader = world.reader()
    world.read(reader, 3)
    world.offset = 1
    assert world.read(reader, 1) == 30
    assert world.told == [("started", 3)]
