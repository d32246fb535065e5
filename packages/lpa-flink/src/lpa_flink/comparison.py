"""What of a range is stored already by ranges of another run, so that only the rest is written.

A job that goes back to an earlier checkpoint reads records again whose rows are there, under another batch time and in
other ranges. Tokens do not know them. So until a partition has passed the highest offset that was stored when the stage
began, its ranges are compared with the tables by position alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, final

import attrs

from lpa_core.delivery.consumer_group import Partition
from lpa_core.delivery.pending_range import PendingRange
from lpa_core.delivery.ranges import Range
from lpa_core.pipeline.verdicts import Accepted
from lpa_core.records import RecordBatch
from lpa_core.sinks.sink import RowsOfRange, Sink, SupportsStoredOffsets, SupportsStoredRows
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Block

_STORED_BEFORE: Final = "it was a dead letter before the job was restored"
_OUTCOMES: Final = (RAW_TABLE.name, DLQ_TABLE.name, QUARANTINE_TABLE.name)
"""The table that a record's rows come into last: if it has one, all of them are stored."""


@final
class StoredComparison:
    """Compares ranges with one sink. A sink that cannot say what it holds is taken to hold nothing."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._highest: dict[Partition, int] = {}
        """The highest offset that was stored of a partition when its first range came, -1 if none was."""

    def concerns(self, range_: Range) -> bool:
        """Whether the sink may hold anything of the range. Raises SinkUnavailable, SinkMisconfigured."""
        return range_.start <= self._highest_of(range_.topic, range_.partition, range_.start)

    def stored(self, pending: PendingRange) -> RowsOfRange | None:
        """What other runs stored of the range; None if that is nothing. Raises SinkUnavailable, SinkMisconfigured."""
        range_, sink = pending.range, self._sink
        if not self.concerns(range_) or not isinstance(sink, SupportsStoredRows):
            return None
        found = sink.stored_rows(range_.topic, range_.partition, range_.start, range_.end)
        others = any(time != range_.batch_time for times in found.batch_times.values() for time in times.values())
        return found if others else None

    def _highest_of(self, topic: str, partition: int, start: int) -> int:
        place = Partition(topic, partition)
        if place not in self._highest:
            sink = self._sink
            found = sink.stored_from(topic, {partition: start}) if isinstance(sink, SupportsStoredOffsets) else {}
            self._highest[place] = found[partition].highest if partition in found else -1
        return self._highest[place]


def decide_as_stored(pending: PendingRange, stored: RowsOfRange) -> None:
    """Have the range decide about each record as the tables say that it was decided before."""
    events = {offset for name, times in stored.batch_times.items() if not _is_of_rejects(name) for offset in times}
    duplicates, dead = (stored.batch_times.get(table.name, {}) for table in (QUARANTINE_TABLE, DLQ_TABLE))
    accepted = {
        offset
        for offset, verdict in zip(pending.batch.offsets, pending.verdicts, strict=True)
        if type(verdict) is Accepted
    }
    refused = {offset: _STORED_BEFORE for offset in dead if offset in accepted}
    pending.range = attrs.evolve(
        pending.range,
        duplicates=frozenset(((pending.range.duplicates or frozenset()) - events) | (accepted & duplicates.keys())),
        refused={**pending.range.refused, **refused},
    )


def rest_of(pending: PendingRange, stored: RowsOfRange) -> PendingRange:
    """The records of the range that have not come to their last table, and the gaps that are not known."""
    done = {offset for name in _OUTCOMES for offset in stored.batch_times.get(name, {})}
    offsets = pending.batch.offsets
    kept = [index for index, offset in enumerate(offsets) if offset not in done and not _within(offset, stored.gaps)]
    batch = pending.batch
    times, headers = batch.timestamps, batch.headers
    return PendingRange(
        RecordBatch(
            batch.topic,
            batch.partition,
            [offsets[index] for index in kept],
            [batch.values[index] for index in kept],
            None if times is None else [times[index] for index in kept],
            headers=None if headers is None else [headers[index] for index in kept],
        ),
        [pending.verdicts[index] for index in kept],
        pending.range,
        [gap for gap in pending.gaps if gap not in stored.gaps],
        pending.org,
        owners=[pending.owners[index] for index in kept],
    )


def without_stored(blocks: Sequence[Block], stored: RowsOfRange, batch_time: int) -> list[Block]:
    """The blocks without rows of positions that another run stored in their table."""
    return [
        _without(
            block,
            {offset for offset, time in stored.batch_times.get(block.table.name, {}).items() if time != batch_time},
        )
        for block in blocks
    ]


def _without(block: Block, offsets: Collection[int]) -> Block:
    kept = [index for index, offset in enumerate(block.offsets) if offset not in offsets]
    if len(kept) == len(block.offsets):
        return block
    columns = [[column[index] for index in kept] for column in block.columns]
    return Block(
        block.table, block.topic, block.partition, [block.offsets[index] for index in kept], columns, block.token
    )


def _is_of_rejects(table: str) -> bool:
    return table in (DLQ_TABLE.name, QUARANTINE_TABLE.name)


def _within(offset: int, gaps: Sequence[OffsetSpan]) -> bool:
    return any(gap.first <= offset < gap.behind for gap in gaps)
