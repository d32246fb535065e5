"""Keeps the accounts of a group's worker: its metrics, and the report of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import final

from lpa_core.dedup.store import ClaimStatistics
from lpa_core.delivery.blocks import Settled
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.observer import Observer, Step
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.jobs.process import trim_memory
from lpa_core.metrics import Metrics
from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import Sink
from lpa_core.tables.table import Block


@final
class MetricsObserver(Observer):
    """``sinks`` gives each sink the name it has in metrics; ``listener`` receives each step too."""

    def __init__(
        self,
        source: str,
        metrics: Metrics,
        sinks: Mapping[Sink, str],
        listener: Callable[[Step, Range], None] = lambda step, range_: None,
    ) -> None:
        self._metrics, self._sinks, self._listener = metrics, sinks, listener
        self._lock = threading.Lock()
        self._report = Report(source)

    def as_json(self) -> dict[str, object]:
        """The report so far."""
        with self._lock:
            return self._report.as_json()

    @property
    def report(self) -> Report:
        return self._report

    def step(self, step: Step, range_: Range) -> None:
        self._listener(step, range_)
        if step is Step.FINISHED:
            trim_memory()

    def consumed(self, batch: RecordBatch) -> None:
        self._metrics.consumed(batch)

    def spent(self, stage: str, seconds: float) -> None:
        self._metrics.spent(stage, seconds)
        with self._lock:
            self._report.spend(stage, seconds)

    def claimed(self, keys: int, duplicates: int) -> None:
        self._metrics.claimed(keys, duplicates)

    def finished(self, settled: Settled, blocks: Sequence[Block], range_: Range) -> None:
        self._metrics.range_finished(settled, blocks, range_)
        with self._lock:
            self._report.add(settled, blocks)

    def repeated(self, range_: Range) -> None:
        self._metrics.prepared_ranges_repeated.inc()

    def fenced(self) -> None:
        self._metrics.fenced_commits.inc()

    def backpressure(self, active: bool) -> None:
        self._metrics.backpressure(active)

    def rebalanced(self, partitions: Sequence[Partition]) -> None:
        self._metrics.rebalanced(partitions)

    def rebuilt(self, partition: Partition, share: float, keys: int) -> None:
        self._metrics.rebuilt(partition.topic, partition.number, share, keys)

    def wrote(self, block: Block, sink: Sink) -> None:
        self._metrics.block_written(block, self._sinks[sink])

    def lagging(self, partition: Partition, records: int) -> None:
        self._metrics.lagging(partition.topic, partition.number, records)

    def dedup_stores(self, statistics: Sequence[ClaimStatistics]) -> None:
        self._metrics.dedup_stores(statistics)

    def rejects_limited(self, partition: Partition) -> None:
        self._metrics.reject_limit_stops.inc()
