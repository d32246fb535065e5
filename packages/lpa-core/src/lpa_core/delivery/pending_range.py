"""A range on its way from records to blocks in the sinks: what every worker does with one, whatever it reads from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

import attrs
import structlog

from lpa_core.dedup.store import DedupStore
from lpa_core.delivery import plugin_answers
from lpa_core.delivery.blocks import Settled, blocks, envelopes, gap_blocks, settle
from lpa_core.delivery.ignored_blocks import ignored_blocks, spans, without_ignored
from lpa_core.delivery.partitions import PartitionState
from lpa_core.delivery.ranges import Range
from lpa_core.orgs import NO_ORG, claim_key
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.pipeline.reject_envelope import RejectEnvelope
from lpa_core.pipeline.verdicts import Accepted, Verdict
from lpa_core.records import Position, RecordBatch
from lpa_core.sinks.sink import RowsRefused, Sink, SinkMisconfigured, SupportsCompletion
from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE, IGNORED_EVENTS_TABLE
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, GapReason, OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Block

_log = structlog.get_logger("lpa.delivery")


@final
@attrs.define(slots=True, eq=False)
class PendingRange:
    """The records of a range, their verdicts, and what is to be written for them."""

    batch: RecordBatch
    verdicts: Sequence[Verdict]
    range: Range
    gaps: Sequence[OffsetSpan] = ()
    """Offsets before, within and after the range at which the source has no records."""
    org: str = NO_ORG
    """Whose events they are."""
    gap_reason: GapReason = GapReason.NO_RECORD
    """Of the gaps."""
    owners: Sequence[Position | None] = ()
    """For each verdict the other position that owns its dedup key, or None."""
    settled: Settled = attrs.field(factory=lambda: Settled((), (), ()))
    envelopes: Sequence[RejectEnvelope] = ()
    """Of the settled rejects, in their order."""
    blocks: Sequence[Block] = ()


@final
@attrs.define(slots=True, eq=False)
class Delivery:
    """A range and the partition that it belongs to."""

    state: PartitionState
    pending: PendingRange
    repeated: bool = False
    """It was prepared before, by this worker or another: some of it may be written."""


def claimed_keys(pending: PendingRange) -> list[tuple[int, str]]:
    """The index of each accepted event, and what it claims."""
    org = pending.org
    return [
        (index, claim_key(org, verdict.dedup_key))
        for index, verdict in enumerate(pending.verdicts)
        if type(verdict) is Accepted
    ]


def claim(pending: PendingRange, dedup: DedupStore) -> None:
    """Ask the store who owns each accepted event's key. Raises DedupStoreUnavailable, DedupStoreError."""
    accepted = claimed_keys(pending)
    offsets = pending.batch.offsets
    owners = plugin_answers.claim(
        dedup,
        [key for _, key in accepted],
        pending.batch.topic,
        pending.batch.partition,
        [offsets[i] for i, _ in accepted],
        pending.range.batch_time,
    )
    found: list[Position | None] = [None] * len(pending.verdicts)
    for (index, _), owner in zip(accepted, owners, strict=True):
        found[index] = owner
    pending.owners = found


def fix_duplicates(pending: PendingRange) -> None:
    """Write into the range which of its records are duplicates, so that a repetition decides the same."""
    offsets = pending.batch.offsets
    duplicates = frozenset(offset for offset, owner in zip(offsets, pending.owners, strict=True) if owner is not None)
    pending.range = attrs.evolve(pending.range, duplicates=duplicates)


def give_back(pending: PendingRange, dedup: DedupStore) -> None:
    """Give back the claims of refused events, so that a replay of them is not a duplicate."""
    refused, offsets = pending.range.refused, pending.batch.offsets
    claimed = [(key, offsets[index]) for index, key in claimed_keys(pending) if offsets[index] in refused]
    dedup.release(
        [key for key, _ in claimed],
        pending.batch.topic,
        pending.batch.partition,
        [offset for _, offset in claimed],
    )


def build_blocks(pending: PendingRange, pipeline: Pipeline) -> None:
    """Make the range's blocks and envelopes of its verdicts and owners."""
    batch, range_ = pending.batch, pending.range
    pending.settled = settle(batch, pending.verdicts, pending.owners, range_, pipeline.describe, pending.org)
    pending.envelopes = envelopes(pending.settled, batch, range_, pipeline.max_row_bytes)
    # Gaps come first, so that whoever finds a row of the range finds all its gaps.
    pending.blocks = [
        *gap_blocks({pending.gap_reason: pending.gaps, GapReason.IGNORED: spans(pending.settled.ignored)}, range_),
        *ignored_blocks(
            pending.settled.ignored, range_, pipeline.kept_of_ignored.store, pipeline.max_row_bytes, pending.org
        ),
        *blocks(pending.settled, pending.envelopes, batch, range_),
    ]


def archived_batch(pending: PendingRange, pipeline: Pipeline) -> RecordBatch:
    """What an archive is to keep of the range."""
    if pipeline.kept_of_ignored.archived:
        return pending.batch
    return without_ignored(pending.batch, pending.settled.ignored)


def write(
    pending: PendingRange,
    sinks: Sequence[Sink],
    refuse: Callable[[PendingRange], None],
    written: Callable[[Block, Sink], None] = lambda block, sink: None,
    *,
    repeated: bool,
) -> None:
    """Write the range's blocks into every sink.

    Args:
        refuse: is to write down the range, to which the events and rejects that a sink has just refused were added, and
            to build the blocks again.
        written: receives each block in each sink.
        repeated: an earlier attempt at the range may have written some of it.

    Raises SinkUnavailable, SinkMisconfigured, ContractError, and what ``refuse`` and ``written`` raise.
    """
    while True:
        try:
            for block in pending.blocks:
                for sink in sinks:
                    writing = sink
                    if repeated and isinstance(sink, SupportsCompletion):
                        sink.complete(block)
                    else:
                        sink.write(block)
                    written(block, sink)
        except RowsRefused as refusal:
            plugin_answers.require_refusable(writing, block, refusal)
            if block.table in (KNOWN_GAPS_TABLE, IGNORED_COUNTS_TABLE, IGNORED_EVENTS_TABLE):
                why = next(iter(refusal.rows.values()))
                raise SinkMisconfigured(
                    f"table {block.table.name} refuses rows ({why}): repair the table, then run again"
                ) from None
            pending.range = _without(pending.range, block, refusal)
            refuse(pending)
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
            f"({why_by_offset[again[0]]}): repair the table, then run again"
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


def withdraw_refused(pending: PendingRange, sinks: Sequence[Sink]) -> None:
    """Take back what tables have of refused events, now or from before a crash. Raises what sinks raise."""
    refused = pending.range.refused
    if not refused:
        return
    events = {
        offset: verdict
        for offset, verdict in zip(pending.batch.offsets, pending.verdicts, strict=True)
        if offset in refused and type(verdict) is Accepted
    }
    tables = dict.fromkeys([RAW_TABLE, *(table for event in events.values() for table, _ in event.rows)])
    for table in tables:
        for sink in sinks:
            sink.withdraw(table, pending.batch.topic, pending.batch.partition, sorted(events))
