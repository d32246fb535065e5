"""The steps of a range that every worker takes alike, whatever it reads from: judge, claim, build blocks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import final

from lpa_core.dedup.store import DedupStore
from lpa_core.delivery.pending_range import PendingRange, archived_batch, build_blocks, claim, give_back
from lpa_core.delivery.ranges import Range
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.verdicts import Verdict
from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import Sink, SupportsPreEncode


@final
class RangeSteps:
    """Takes these steps one by one, and measures each. ``spent`` receives the name of a stage and its seconds."""

    def __init__(self, pipeline: Pipeline, sinks: Sequence[Sink], spent: Callable[[str, float], None]) -> None:
        self._pipeline, self._spent = pipeline, spent
        self._pre_encoding = tuple(sink for sink in sinks if isinstance(sink, SupportsPreEncode))
        self.dedup_lock = threading.Lock()
        """A dedup store is used by one thread at a time."""

    def masked(self, batch: RecordBatch) -> RecordBatch:
        """The batch without what is to be masked: all that is judged, stored or archived of it."""
        if not self._pipeline.masking:
            return batch
        with self.timed("mask"):
            return self._pipeline.masking.masked_batch(batch)

    def judge(self, batch: RecordBatch, range_: Range) -> Sequence[Verdict]:
        with self.timed("judge"):
            return self._pipeline.judge(batch, range_.batch_time)

    def org(self, batch: RecordBatch) -> str:
        """Whose events the batch's records are."""
        return self._pipeline.orgs.of(batch.topic) if batch.org is None else batch.org

    def claim(self, pending: PendingRange, dedup: DedupStore) -> None:
        with self.timed("claim"), self.dedup_lock:
            claim(pending, dedup)

    def give_back(self, pending: PendingRange, dedup: DedupStore) -> None:
        with self.dedup_lock:
            give_back(pending, dedup)

    def build_blocks(self, pending: PendingRange) -> None:
        """Make the range's blocks, and let sinks do beforehand what they can."""
        with self.timed("shape"):
            build_blocks(pending, self._pipeline)
        with self.timed("encode"):
            for sink in self._pre_encoding:
                for block in pending.blocks:
                    sink.anticipate(block)

    def archived(self, pending: PendingRange) -> RecordBatch:
        """What an archive is to keep of the range's records."""
        return archived_batch(pending, self._pipeline)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._spent(stage, time.perf_counter() - started)
