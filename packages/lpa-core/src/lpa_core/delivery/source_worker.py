"""The delivery of one partition: read, judge, claim, prepare, write, finish.

Reading and judging the next range overlaps with writing the one before; everything that must be in order is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import final

import attrs

from lpa_core.dedup.store import DedupStore
from lpa_core.delivery import plugin_answers
from lpa_core.delivery.batch_clock import BatchClock
from lpa_core.delivery.checkpoint import Checkpoint
from lpa_core.delivery.observer import Step
from lpa_core.delivery.pending_range import PendingRange, withdraw_refused, write
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.delivery.run_report import Report
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.sinks.archive import Archive
from lpa_core.sinks.sink import Sink, SinkUnavailable, SupportsContentComparison, SupportsNewestTime
from lpa_core.sources.source import Source, SourceError, SupportsStop, SupportsUnfinished

StepListener = Callable[[Step, Range], None]
"""Told after each step; what it raises stops the run."""


@final
@attrs.frozen(slots=True)
class SourceLimits:
    """When a range closes: at this many records, or once they hold this many bytes."""

    max_records: int
    max_bytes: int


_UNBOUNDED = 1 << 62


@final
class SourceWorker:
    """Delivers a source's records into sinks, each record exactly once.

    Stopping: :meth:`stop` lets the running range finish. A crash at any point is repaired by the next worker on
    the same checkpoint, dedup store and sinks.
    """

    def __init__(
        self,
        source: Source,
        pipeline: Pipeline,
        dedup: DedupStore,
        sinks: Sequence[Sink],
        checkpoint: Checkpoint,
        *,
        limits: SourceLimits,
        archive: Archive | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        earliest: int = 0,
        steady: Callable[[], float] = time.monotonic,
        listener: StepListener = lambda step, range_: None,
    ) -> None:
        """``clock`` gives the time of new ranges, epoch ms, not before ``earliest``; ``steady`` counts seconds."""
        self._source, self._dedup = source, dedup
        self._sinks, self._checkpoint, self._archive = tuple(sinks), checkpoint, archive
        self._limits, self._clock, self._listener = limits, BatchClock(clock, steady, earliest), listener
        self._stopping = threading.Event()
        self._last_time = 0
        self._repeating = False
        self.report = Report(source.topic)
        self._steps = RangeSteps(pipeline, self._sinks, self.report.spend)

    def stop(self) -> None:
        """Ask the run to end after the range in work. For any thread."""
        self._stopping.set()
        if isinstance(self._source, SupportsStop):
            self._source.stop()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self) -> Report:
        """Deliver until the source ends or :meth:`stop` is called; the report counts what is finished.

        Raises SourceError, SinkUnavailable, SinkMisconfigured, DedupStoreUnavailable, CheckpointError or
        ArchiveError; what was finished before stays finished.
        """
        started = time.perf_counter()
        try:
            if self._archive is not None:
                self._archive.recover()
            for sink in self._sinks:
                if isinstance(sink, SupportsNewestTime):
                    self._clock.stored(sink.newest_batch_time())
            progress = self._checkpoint.progress
            self._source.seek(progress.offset, progress.resume)
            self._repeat_prepared()
            self._deliver_all()
            self._compare_duplicates(progress.offset)
        finally:
            self.report.seconds = time.perf_counter() - started
        return self.report

    def _repeat_prepared(self) -> None:
        prepared = self._checkpoint.prepared
        if prepared is None:
            return
        if isinstance(self._source, SupportsUnfinished):
            batch = self._source.read_again(prepared.count, prepared.resume)
        else:
            batch = plugin_answers.read(self._source, prepared.count, _UNBOUNDED)
        if batch is None or len(batch) != prepared.count or batch.resume != prepared.resume:
            raise SourceError(
                f"{prepared.topic}[{prepared.partition}] no longer holds the records {prepared.start} to "
                f"{prepared.end - 1} that were being written: bring the source back as it was"
            )
        pending = self._judge(batch, prepared)
        self._claim(pending)
        self._steps.build_blocks(pending)
        if prepared.refused:
            withdraw_refused(pending, self._sinks)
        self._repeating = True
        self._deliver(pending)
        self._repeating = False

    def _compare_duplicates(self, first: int) -> None:
        """Tell events whose key is stored with other content from those that came twice."""
        comparing = [sink for sink in self._sinks if isinstance(sink, SupportsContentComparison)]
        if self.report.quarantined and comparing:
            with suppress(SinkUnavailable):  # all is delivered: `lpa health` compares later
                self.report.other_content = comparing[0].other_content(
                    self._source.topic, self._source.partition, first
                )

    def _deliver_all(self) -> None:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="write") as writer:
            running: Future[PendingRange] | None = None
            ended = False
            while not self._stopping.is_set():
                try:
                    batch = self._read()
                except SourceError as error:
                    if running is not None:
                        running.result()
                    raise error.after(self.report.summary) from None
                if batch is None:
                    ended = self._source.repeatable or not self._stopping.is_set()
                    break
                pending = self._judge(batch, self._new_range(batch))
                self._claim(pending)
                self._steps.build_blocks(pending)
                if running is not None and running.result().range.refused:
                    self._claim(pending)  # a key it found taken may have been given back
                    self._steps.build_blocks(pending)
                running = writer.submit(self._deliver, pending)
            if running is not None:
                running.result()
            self.report.stopped = not ended
        if isinstance(self._source, SupportsUnfinished):
            self.report.unfinished = self._source.unfinished

    def _read(self) -> RecordBatch | None:
        with self._steps.timed("read"):
            return plugin_answers.read(self._source, self._limits.max_records, self._limits.max_bytes)

    def _new_range(self, batch: RecordBatch) -> Range:
        self._last_time = self._clock.time(self._last_time, batch.timestamps or ())
        return Range(
            topic=batch.topic,
            partition=batch.partition,
            start=batch.offsets[0],
            end=batch.offsets[-1] + 1,
            count=len(batch),
            resume=batch.resume,
            batch_time=self._last_time,
        )

    def _judge(self, batch: RecordBatch, range_: Range) -> PendingRange:
        batch = self._steps.masked(batch)
        verdicts = self._steps.judge(batch, range_)
        self._listener(Step.JUDGED, range_)
        return PendingRange(batch, verdicts, range_, org=self._steps.org(batch))

    def _claim(self, pending: PendingRange) -> None:
        self._steps.claim(pending, self._dedup)
        self._listener(Step.CLAIMED, pending.range)

    def _deliver(self, pending: PendingRange) -> PendingRange:
        """Prepare, write, finish. Runs in the writer's thread, one range after the other."""
        with self._steps.timed("checkpoint"):
            self._checkpoint.prepare(pending.range)
        self._listener(Step.PREPARED, pending.range)
        if self._archive is not None:
            with self._steps.timed("archive"):
                self._archive.flush_due(pending.range.batch_time)
                self._archive.write(self._steps.archived(pending), pending.range.batch_time)
            self._listener(Step.ARCHIVED, pending.range)
        self._write(pending)
        if pending.range.refused:
            self._steps.give_back(pending, self._dedup)
        with self._steps.timed("checkpoint"):
            self._checkpoint.finish(pending.range)
        self.report.add(pending.settled, pending.blocks)
        self._listener(Step.FINISHED, pending.range)
        return pending

    def _write(self, pending: PendingRange) -> None:
        with self._steps.timed("write"):
            write(
                pending,
                self._sinks,
                self._refuse,
                lambda block, sink: self._listener(Step.WRITTEN, pending.range),
                repeated=self._repeating,
            )

    def _refuse(self, pending: PendingRange) -> None:
        """Turn refused events into rejects: write that down, then take back what other tables have of them."""
        self._checkpoint.prepare(pending.range)
        self._listener(Step.PREPARED, pending.range)
        withdraw_refused(pending, self._sinks)
        self._steps.build_blocks(pending)
