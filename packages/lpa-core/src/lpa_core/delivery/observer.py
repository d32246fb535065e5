"""What a group's worker tells about itself: for metrics, progress and tests."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import final

from lpa_core.dedup.store import ClaimStatistics
from lpa_core.delivery.blocks import Settled
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.ranges import Range
from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import Sink
from lpa_core.tables.table import Block


class Step(StrEnum):
    """The steps of delivering a range, in order; ``WRITTEN`` comes once per block and sink."""

    JUDGED = "judged"
    CLAIMED = "claimed"
    PREPARED = "prepared"
    ARCHIVED = "archived"
    WRITTEN = "written"
    FINISHED = "finished"


class Observer:
    """Hears everything and does nothing. May be called by several threads; what it raises ends the worker."""

    def step(self, step: Step, range_: Range) -> None:
        """A step of the range is done."""

    def consumed(self, batch: RecordBatch) -> None:
        """Records were read."""

    def spent(self, stage: str, seconds: float) -> None:
        """A stage of a range took so long."""

    def claimed(self, keys: int, duplicates: int) -> None:
        """So many dedup keys were asked for, and so many of them were another position's."""

    def finished(self, settled: Settled, blocks: Sequence[Block], range_: Range) -> None:
        """A range is finished."""

    def repeated(self, range_: Range) -> None:
        """A range that was prepared earlier is about to be written again."""

    def fenced(self) -> None:
        """The broker refused a commit because the group has a newer membership."""

    def backpressure(self, active: bool) -> None:
        """Reading stands still because writing does; or goes on."""

    def rebalanced(self, partitions: Sequence[Partition]) -> None:
        """These are the worker's partitions now."""

    def rebuilt(self, partition: Partition, share: float, keys: int) -> None:
        """So much of a partition's claims is read back, 0 to 1; ``keys`` of them since it was last told."""

    def wrote(self, block: Block, sink: Sink) -> None:
        """A sink took a block."""

    def lagging(self, partition: Partition, records: int) -> None:
        """So many records of a partition are still to be delivered."""

    def dedup_stores(self, statistics: Sequence[ClaimStatistics]) -> None:
        """How large the worker's dedup stores are; told now and then."""

    def rejects_limited(self, partition: Partition) -> None:
        """A partition went over a reject limit."""


@final
class Observers(Observer):
    """Several observers as one: each hears everything, in their order."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def step(self, step: Step, range_: Range) -> None:
        for each in self._observers:
            each.step(step, range_)

    def consumed(self, batch: RecordBatch) -> None:
        for each in self._observers:
            each.consumed(batch)

    def spent(self, stage: str, seconds: float) -> None:
        for each in self._observers:
            each.spent(stage, seconds)

    def claimed(self, keys: int, duplicates: int) -> None:
        for each in self._observers:
            each.claimed(keys, duplicates)

    def finished(self, settled: Settled, blocks: Sequence[Block], range_: Range) -> None:
        for each in self._observers:
            each.finished(settled, blocks, range_)

    def repeated(self, range_: Range) -> None:
        for each in self._observers:
            each.repeated(range_)

    def fenced(self) -> None:
        for each in self._observers:
            each.fenced()

    def backpressure(self, active: bool) -> None:
        for each in self._observers:
            each.backpressure(active)

    def rebalanced(self, partitions: Sequence[Partition]) -> None:
        for each in self._observers:
            each.rebalanced(partitions)

    def rebuilt(self, partition: Partition, share: float, keys: int) -> None:
        for each in self._observers:
            each.rebuilt(partition, share, keys)

    def wrote(self, block: Block, sink: Sink) -> None:
        for each in self._observers:
            each.wrote(block, sink)

    def lagging(self, partition: Partition, records: int) -> None:
        for each in self._observers:
            each.lagging(partition, records)

    def dedup_stores(self, statistics: Sequence[ClaimStatistics]) -> None:
        for each in self._observers:
            each.dedup_stores(statistics)

    def rejects_limited(self, partition: Partition) -> None:
        for each in self._observers:
            each.rejects_limited(partition)
