"""A range on its way from records to blocks in the sinks: what every worker does with one, whatever it reads from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import attrs
import structlog

from lpa_core.dedup.store import DedupStore
from lpa_core.delivery.blocks import Settled, blocks, envelopes, gap_blocks, settle
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.ranges import Range
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import RejectEnvelope
from lpa_core.pipeline.verdicts import Accepted, Verdict
from lpa_core.records import Position, RecordBatch
from lpa_core.sinks.sink import RowsRefused, Sink, SinkMisconfigured, SupportsCompletion
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Block

_log = structlog.get_logger("lpa.delivery")


@final
@attrs.define(slots=True, eq=False)
class Candidate:
    """The records of a range, their verdicts, and what is to be written for them."""

    batch: RecordBatch
    verdicts: Sequence[Verdict]
    range: Range
    gaps: Sequence[OffsetSpan] = ()
    """Offsets before, within and after the range at which the source has no records."""
    owners: Sequence[Position | None] = ()
    """For each verdict the other position that owns its dedup key, or None."""
    settled: Settled = attrs.field(factory=lambda: Settled((), (), ()))
    envelopes: Sequence[RejectEnvelope] = ()
    """Of the settled rejects, in their order."""
    blocks: Sequence[Block] = ()


@final
@attrs.define(slots=True, eq=False)
class Delivery:
    """A candidate and the partition it belongs to."""

    state: PartitionState
    candidate: Candidate
    repeated: bool = False
    """It was prepared before, by this worker or another: some of it may be written."""


def claim(candidate: Candidate, dedup: DedupStore) -> None:
    """Ask the store who owns each accepted event's key. Raises DedupStoreUnavailable, DedupStoreError."""
    offsets = candidate.batch.offsets
    accepted = [i for i, verdict in enumerate(candidate.verdicts) if type(verdict) is Accepted]
    owners = dedup.claim(
        [candidate.verdicts[i].dedup_key or "" for i in accepted],
        candidate.batch.topic,
        candidate.batch.partition,
        [offsets[i] for i in accepted],
        candidate.range.batch_time,
    )
    found: list[Position | None] = [None] * len(candidate.verdicts)
    for index, owner in zip(accepted, owners, strict=True):
        found[index] = owner
    candidate.owners = found


def fix_duplicates(candidate: Candidate) -> None:
    """Write into the range which of its records are duplicates, so that whoever repeats it decides the same."""
    offsets = candidate.batch.offsets
    duplicates = frozenset(offset for offset, owner in zip(offsets, candidate.owners, strict=True) if owner is not None)
    candidate.range = attrs.evolve(candidate.range, duplicates=duplicates)


def give_back(candidate: Candidate, dedup: DedupStore) -> None:
    """Give back the claims of refused events, so that a replay of them is not a duplicate."""
    refused = candidate.range.refused
    claimed = [
        (verdict.dedup_key, offset)
        for verdict, offset in zip(candidate.verdicts, candidate.batch.offsets, strict=True)
        if type(verdict) is Accepted and offset in refused
    ]
    dedup.release(
        [key for key, _ in claimed],
        candidate.batch.topic,
        candidate.batch.partition,
        [offset for _, offset in claimed],
    )


def shape(candidate: Candidate, pipeline: Pipeline) -> None:
    """Make the range's blocks and envelopes of its verdicts and owners."""
    batch, range_ = candidate.batch, candidate.range
    candidate.settled = settle(batch, candidate.verdicts, candidate.owners, range_, pipeline.describe)
    candidate.envelopes = envelopes(candidate.settled, batch, range_, pipeline.max_row_bytes)
    # Gaps come first, so that whoever finds a row of the range finds all its gaps.
    candidate.blocks = [
        *gap_blocks(candidate.gaps, range_),
        *blocks(candidate.settled, candidate.envelopes, batch, range_),
    ]


def write(
    candidate: Candidate,
    sinks: Sequence[Sink],
    refuse: Callable[[Candidate], None],
    written: Callable[[Block, Sink], None] = lambda block, sink: None,
    *,
    repeated: bool,
) -> None:
    """Write the candidate's blocks into every sink.

    Args:
        refuse: is to write down the range, to which the events and rejects that a sink has just refused were added, and
            to shape the candidate again.
        written: receives each block in each sink.
        repeated: an earlier attempt at the range may have written some of it.

    Raises SinkUnavailable, SinkMisconfigured, and what ``refuse`` and ``written`` raise.
    """
    while True:
        try:
            for block in candidate.blocks:
                for sink in sinks:
                    if repeated and isinstance(sink, SupportsCompletion):
                        sink.complete(block)
                    else:
                        sink.write(block)
                    written(block, sink)
        except RowsRefused as refusal:
            if block.table is KNOWN_GAPS_TABLE:
                why = next(iter(refusal.rows.values()))
                raise SinkMisconfigured(
                    f"table {block.table.name} refuses gaps ({why}): mend the table, then run again"
                ) from None
            candidate.range = _without(candidate.range, block, refusal)
            refuse(candidate)
        else:
            return


def _without(range_: Range, block: Block, refusal: RowsRefused) -> Range:
    """The range, with what a sink has just refused of a block: events become rejects, rejects are reduced.

    Raises SinkMisconfigured if a reduced reject is refused as well.
    """
    why_by_offset = {block.offsets[index]: why for index, why in refusal.rows.items()}
    if block.table not in (DLQ_TABLE, QUARANTINE_TABLE):
        return attrs.evolve(range_, refused={**range_.refused, **why_by_offset})
    again = [offset for offset in why_by_offset if offset in range_.reduced]
    if again:
        raise SinkMisconfigured(
            f"table {block.table.name} refuses rejects themselves, even if only position, size and hash are left "
            f"({why_by_offset[again[0]]}): mend the table, then run again"
        )
    _log.warning(
        "a sink refuses rejects; only their positions, sizes and hashes are stored",
        table=block.table.name,
        topic=block.topic,
        partition=block.partition,
        offset=min(why_by_offset),
        rejects=len(why_by_offset),
        reason=why_by_offset[min(why_by_offset)],
    )
    return attrs.evolve(range_, reduced={**range_.reduced, **why_by_offset})


def withdraw_refused(candidate: Candidate, sinks: Sequence[Sink]) -> None:
    """Take back what tables have of refused events, now or from before a crash. Raises what sinks raise."""
    refused = candidate.range.refused
    if not refused:
        return
    events = {
        offset: verdict
        for offset, verdict in zip(candidate.batch.offsets, candidate.verdicts, strict=True)
        if offset in refused and type(verdict) is Accepted
    }
    tables = dict.fromkeys([RAW_TABLE, *(table for event in events.values() for table, _ in event.rows)])
    for table in tables:
        for sink in sinks:
            sink.withdraw(table, candidate.batch.topic, candidate.batch.partition, sorted(events))
