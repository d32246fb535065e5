"""What a worker of a group knows of each of its partitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar, final

import attrs
import structlog

from lpa_core.dedup.store import DedupStore
from lpa_core.delivery.consumer_group import Commit, Partition, ReadableOffsets
from lpa_core.delivery.ranges import Range
from lpa_core.records import RecordBatch

T = TypeVar("T")

_log = structlog.get_logger("lpa.delivery")


class Phase(StrEnum):
    STARTING = "starting"
    """What is committed is not read yet."""
    LOCATING = "locating"
    """The sinks are asked which of its positions they hold."""
    REBUILDING = "rebuilding"
    """Its claims are being read back from a sink."""
    BEGINNING = "beginning"
    """Nothing of it is committed yet, and where reading begins is being committed."""
    REPEATING = "repeating"
    """A range that was prepared before is being read again."""
    RUNNING = "running"
    FAILED = "failed"
    """It needs a person; the worker's other partitions go on."""


@final
@attrs.define(slots=True)
class Buffer:
    """Records of one partition that were read and belong to no range yet."""

    batches: list[RecordBatch] = attrs.field(factory=list[RecordBatch])
    records: int = 0
    bytes: int = 0
    since: float = 0.0
    """When the first of them was read, by the worker's clock, seconds."""

    def add(self, batch: RecordBatch, now: float) -> None:
        if not self.batches:
            self.since = now
        self.batches.append(batch)
        self.records += len(batch)
        self.bytes += _size(batch)

    def take(self, max_records: int, max_bytes: int, max_span: int, until: int | None = None) -> RecordBatch:
        """Remove the first records, at least one: as many as the limits allow, none at ``until`` or behind."""
        start = self.batches[0].offsets[0]
        last = start + max_span if until is None else min(until, start + max_span)
        taken: list[RecordBatch] = []
        records = size = 0
        while self.batches:
            batch = self.batches[0]
            count = 0
            for offset, value in zip(batch.offsets, batch.values, strict=True):
                if offset >= last or records >= max_records or (records and size >= max_bytes):
                    break
                count += 1
                records += 1
                size += len(value or b"")
            if count:
                taken.append(_slice(batch, 0, count))
            if count < len(batch):
                self.batches[0] = _slice(batch, count, len(batch))
                break
            del self.batches[0]
        self.records -= records
        self.bytes -= size
        return _joined(taken)

    def clear(self) -> None:
        self.batches, self.records, self.bytes = [], 0, 0

    @property
    def next_offset(self) -> int:
        """After the last record."""
        return self.batches[-1].offsets[-1] + 1


@final
@attrs.define(slots=True, eq=False)
class PartitionState:
    """One partition of a worker, from its assignment until the worker gives it back."""

    partition: Partition
    phase: Phase = Phase.STARTING
    why: str = "what is committed is not read yet"
    """What keeps it from running, for people; empty while it runs."""
    committed: Commit | None = None
    begins_at: int | None = None
    """Where reading begins, as long as that has to be committed before anything else."""
    begin_offered: bool = False
    """The writer was told to commit it."""
    prepared: Range | None = None
    """The range to repeat before anything else."""
    buffer: Buffer = attrs.field(factory=Buffer)
    next_offset: int = 0
    """Of the first record that was not read yet."""
    closed: int = 0
    """The offset up to which ranges are closed: the next range accounts for all from here on."""
    dedup: DedupStore | None = None
    last_time: int = 0
    """Batch time of the newest range, epoch ms."""
    rejected_run: int = 0
    """Dead letters in a row, up to the newest record."""
    retry_at: float = 0.0
    leaving: bool = False
    """The worker is giving it back: no new range of it is started."""
    gone: bool = False
    """It is another worker's: nothing of it is written any more."""
    rebuilt: float = 0.0
    """Share of the claims that are read back."""
    span: ReadableOffsets | None = None
    """What the partition held when the worker began with it."""
    end: int | None = None
    """Behind the partition's last record; None if nobody knows yet."""

    @property
    def in_work(self) -> int | None:
        """Offsets that were read and are not finished; None if nothing is read yet."""
        if self.committed is None or self.phase is not Phase.RUNNING:
            return None
        return max(0, self.next_offset - self.committed.offset)

    @property
    def usable(self) -> bool:
        return not (self.leaving or self.gone or self.phase is Phase.FAILED)


def given_up(states: Mapping[Partition, PartitionState]) -> dict[str, str]:
    """Those of the partitions that need a person, and why."""
    return {str(partition): state.why for partition, state in sorted(states.items()) if state.phase is Phase.FAILED}


def waiting(states: Mapping[Partition, PartitionState]) -> dict[str, int]:
    """The records that each partition still has, where some are known to wait."""
    lags = {partition: _lag(state) for partition, state in sorted(states.items())}
    return {str(partition): lag for partition, lag in lags.items() if lag > 0}


def _lag(state: PartitionState) -> int:
    """If nobody knows that anything is delivered, all there is waits."""
    if state.span is None:
        return 0
    end = state.span.high if state.end is None else state.end
    return end - (state.span.low if state.committed is None else state.committed.offset)


def _size(batch: RecordBatch) -> int:
    return sum(len(value) for value in batch.values if value is not None)


def _slice(batch: RecordBatch, start: int, end: int) -> RecordBatch:
    if start == 0 and end == len(batch):
        return batch
    return attrs.evolve(
        batch,
        offsets=batch.offsets[start:end],
        values=batch.values[start:end],
        timestamps=None if batch.timestamps is None else batch.timestamps[start:end],
        keys=None if batch.keys is None else batch.keys[start:end],
        headers=None if batch.headers is None else batch.headers[start:end],
    )


def _joined(batches: list[RecordBatch]) -> RecordBatch:
    first = batches[0]
    if len(batches) == 1:
        return first
    return attrs.evolve(
        first,
        offsets=[offset for batch in batches for offset in batch.offsets],
        values=[value for batch in batches for value in batch.values],
        timestamps=_column([batch.timestamps for batch in batches]),
        keys=_column([batch.keys for batch in batches]),
        headers=_column([batch.headers for batch in batches]),
    )


def _column(parts: list[Sequence[T] | None]) -> list[T] | None:
    """One column of all; None if the source has it nowhere."""
    return None if parts[0] is None else [value for part in parts if part is not None for value in part]


def fail(state: PartitionState, why: str) -> None:
    """Leave the partition to a person; others go on."""
    _log.error("partition stopped; the others go on", partition=str(state.partition), reason=why)
    state.phase, state.why = Phase.FAILED, why
    state.buffer.clear()
