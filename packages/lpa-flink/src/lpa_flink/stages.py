"""The job's two stages in Python: judging before the gate, writing behind it. They know nothing of Flink.

Between them lie the operators of ``flink-jobs``: the dedup says who owns a claim, and the gate makes ranges, which it
lets on when a completed checkpoint holds them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, final

import attrs
import structlog

from lpa_core.delivery.batch_clock import BatchClock
from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.group_destination import GroupDestination
from lpa_core.delivery.limits import RejectLimits
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.pending_range import PendingRange, claimed_keys, fix_duplicates, withdraw_refused, write
from lpa_core.delivery.range_steps import RangeSteps
from lpa_core.delivery.ranges import Range
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.records import RecordBatch
from lpa_core.release import WrongClockError
from lpa_core.sinks.sink import Sink, StoredKeys, SupportsWithdrawn
from lpa_core.tables.known_gaps import gaps
from lpa_flink.comparison import StoredComparison, decide_as_stored, rest_of, without_stored
from lpa_flink.frames import (
    FrozenRange,
    ReadBatch,
    decode_batch,
    decode_range,
    encode_claims,
    encode_judged,
    encode_record,
)

_CLAIMS_OF_A_FRAME: Final = 5_000
_CLOCK_AGAIN_SECONDS: Final = 1.0
_REFUSED_BEFORE: Final = "a table refused it before the job was restored"

_log = structlog.get_logger("lpa.flink")


def _unmeasured(stage: str, seconds: float) -> None:
    """Flink measures its operators itself."""


@final
class KeysStage:
    """Masks and judges batches of records, and says what each record claims.

    Before a partition's first batch come the claims of events that are stored already: a worker's, for example.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        clock: BatchClock,
        fingerprint: str,
        stored_claims: Callable[[str, int], Iterable[StoredKeys]] = lambda topic, partition: (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Put it together.

        Args:
            stored_claims: of a topic's partition, as a sink recalls them.
            sleep: called while something speaks against the clock.
        """
        self._clock, self._fingerprint = clock, fingerprint
        self._stored_claims, self._sleep = stored_claims, sleep
        self._begun: set[Partition] = set()
        self._steps = RangeSteps(pipeline, (), _unmeasured)

    def __call__(self, frame: bytes) -> Iterator[bytes]:
        """The frames of stored claims, if it is the partition's first batch, and that of the judged batch.

        Raises FrameError, ContractError, and what ``stored_claims`` raises.
        """
        read = decode_batch(frame)
        yield from self._begin(Partition(read.records.topic, read.records.partition))
        masked = read.with_values(self._steps.masked(read.records))
        yield encode_judged(masked, *self._judged(masked))

    def _begin(self, partition: Partition) -> Iterator[bytes]:
        if partition in self._begun:
            return
        for stored in self._stored_claims(*partition):
            for first in range(0, len(stored.keys), _CLAIMS_OF_A_FRAME):
                some = slice(first, first + _CLAIMS_OF_A_FRAME)
                yield encode_claims(*partition, stored.keys[some], stored.offsets[some])
        self._begun.add(partition)

    def _judged(self, read: ReadBatch) -> tuple[Sequence[str], int, str]:
        batch = read.records
        judged_at = self._time(batch)
        range_ = _range(batch, judged_at)
        pending = PendingRange(batch, self._steps.judge(batch, range_), range_, org=self._steps.org(batch))
        claims = [""] * len(batch)
        for index, key in claimed_keys(pending):
            claims[index] = key
        return claims, judged_at, self._fingerprint

    def _time(self, batch: RecordBatch) -> int:
        """When the batch is judged, epoch ms; it becomes the time of its range. Waits for a clock that can be right."""
        told = ""
        while True:
            try:
                return self._clock.time(0, batch.timestamps or (), Partition(batch.topic, batch.partition))
            except WrongClockError as wrong:
                if str(wrong) != told:
                    _log.error("waiting for the clock", reason=(told := str(wrong)))
            self._sleep(_CLOCK_AGAIN_SECONDS)


@final
class WriteStage:
    """Writes ranges that a completed checkpoint holds into a sink, and says what is to be published of them."""

    def __init__(
        self,
        pipeline: Pipeline,
        destination: GroupDestination,
        limits: RejectLimits,
        fingerprint: str,
        *,
        with_headers: bool = False,
    ) -> None:
        """``with_headers``: rejects keep what they need of their record's headers."""
        self._destination, self._limits, self._fingerprint = destination, limits, fingerprint
        self._with_headers = with_headers
        self._steps = RangeSteps(pipeline, destination.sinks, _unmeasured)
        self._comparison = StoredComparison(destination.sinks[0])
        self._states: dict[Partition, PartitionState] = {}

    def __call__(self, frame: bytes) -> Sequence[bytes]:
        """The frames of the records to publish.

        Raises SinkUnavailable, SinkMisconfigured, RejectLimitError, FrameError, ContractError.
        """
        written = self._written(decode_range(frame, with_headers=self._with_headers))
        return [encode_record(record) for record in self._destination.records(written)]

    def _written(self, frozen: FrozenRange) -> PendingRange:
        pending = self._pending(frozen)
        partition = Partition(pending.batch.topic, pending.batch.partition)
        self._limits.check(self._states.setdefault(partition, PartitionState(partition)), pending)
        stored = self._comparison.stored(pending)
        if stored is None:
            self._write(pending, self._steps.build_blocks, repeated=frozen.repeated)
            return pending
        _log.info("a range is compared with the tables by position", range=repr(frozen.records))
        decide_as_stored(pending, stored)
        rest = rest_of(pending, stored)

        def build(some: PendingRange) -> None:
            self._steps.build_blocks(some)
            some.blocks = without_stored(some.blocks, stored, some.range.batch_time)

        build(rest)
        self._write(rest, build, repeated=True)
        pending.range = rest.range
        self._steps.build_blocks(pending)
        return pending

    def _write(self, pending: PendingRange, build: Callable[[PendingRange], None], *, repeated: bool) -> None:
        sinks = self._destination.sinks

        def refuse(refused: PendingRange) -> None:
            # The notes of the withdrawal are what a repetition of the range knows the refusals from.
            withdraw_refused(refused, sinks)
            build(refused)

        if pending.range.refused:
            withdraw_refused(pending, sinks)  # whoever found that they are refused may not have come to it
        write(pending, sinks, refuse, repeated=repeated)

    def _pending(self, frozen: FrozenRange) -> PendingRange:
        if frozen.repeated and frozen.fingerprint != self._fingerprint:
            _log.warning("a range is judged again by other rules", range=repr(frozen.records))
        batch = frozen.records
        range_ = _range(batch, frozen.batch_time)
        begin = range_.start if frozen.previous_end is None else frozen.previous_end
        pending = PendingRange(
            batch,
            self._steps.judge(batch, range_),
            range_,
            tuple(gaps(begin, batch.offsets, range_.end)),
            self._steps.org(batch),
            owners=frozen.owners,
        )
        fix_duplicates(pending)
        if frozen.repeated or self._comparison.concerns(range_):
            pending.range = _with_refusals(pending.range, self._destination.sinks)
        self._steps.build_blocks(pending)
        return pending


def _range(batch: RecordBatch, time: int) -> Range:
    return Range(batch.topic, batch.partition, batch.offsets[0], batch.offsets[-1] + 1, len(batch), "", time)


def _with_refusals(range_: Range, sinks: Sequence[Sink]) -> Range:
    """The range, with the events that a sink refused when it was written before."""
    withdrawn = {
        offset
        for sink in sinks
        if isinstance(sink, SupportsWithdrawn)
        for offset in sink.withdrawn(range_.topic, range_.partition, range_.start, range_.end)
    }
    return attrs.evolve(range_, refused=dict.fromkeys(sorted(withdrawn), _REFUSED_BEFORE))
