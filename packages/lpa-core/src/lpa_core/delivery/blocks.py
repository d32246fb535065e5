"""From verdicts to blocks: the rows of a range, one block per table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, final

import attrs

from lpa_core.delivery.ignored_blocks import IgnoredRecord
from lpa_core.delivery.ranges import Range
from lpa_core.errors import ConfigurationError
from lpa_core.events.event_type import Row
from lpa_core.orgs import NO_ORG
from lpa_core.pipeline.reject_envelope import Rejected, RejectEnvelope, envelope, reduced, reject_row
from lpa_core.pipeline.reject_values import record_timestamp
from lpa_core.pipeline.traceparent import traceparent_of
from lpa_core.pipeline.verdicts import Accepted, Ignored, Verdict
from lpa_core.records import Position, RecordBatch
from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE, IGNORED_EVENTS_TABLE
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, GapReason, OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE, LeadingValues, RawValues
from lpa_core.tables.table import Block, Table
from lpa_core.validation.reasons import Failure, FailureClass, Reason, Stage

_ORDER: Final = (
    KNOWN_GAPS_TABLE,
    IGNORED_COUNTS_TABLE,
    IGNORED_EVENTS_TABLE,
    None,
    RAW_TABLE,
    DLQ_TABLE,
    QUARANTINE_TABLE,
)
"""In which the tables of a range are written; None stands for all that are not named."""

Describe = Callable[[Accepted, Position, Failure], Rejected]


@final
@attrs.frozen(slots=True)
class Settled:
    """A range as it is to be stored: every record is an event, a reject, or ignored."""

    events: Sequence[Accepted]
    event_offsets: Sequence[int]
    rejects: Sequence[Rejected]
    """In the order of their positions."""
    ignored: Sequence[IgnoredRecord] = ()
    """In the order of their positions."""
    org: str = NO_ORG
    """Of all of them."""

    @property
    def records(self) -> int:
        return len(self.events) + len(self.rejects) + len(self.ignored)


def settle(
    batch: RecordBatch,
    verdicts: Sequence[Verdict],
    owners: Sequence[Position | None],
    range_: Range,
    describe: Describe,
    org: str = NO_ORG,
) -> Settled:
    """Decide what becomes of each record.

    Args:
        owners: for each verdict, the other position that owns its dedup key, or None.
        describe: makes a rejection of an accepted event, :meth:`lpa_core.pipeline.pipeline.Pipeline.describe`.
        org: whose events they are.
    """
    events: list[Accepted] = []
    event_offsets: list[int] = []
    rejects: list[Rejected] = []
    ignored: list[IgnoredRecord] = []
    refused, duplicates = range_.refused, range_.duplicates
    for index, verdict in enumerate(verdicts):
        offset = batch.offsets[index]
        if type(verdict) is Ignored:
            ignored.append(IgnoredRecord(offset, verdict))
        elif type(verdict) is not Accepted:
            rejects.append(verdict)
        elif offset in refused:
            rejects.append(describe(verdict, batch.position(index), _refusal(refused[offset])))
        elif owners[index] is not None if duplicates is None else offset in duplicates:
            rejects.append(describe(verdict, batch.position(index), _duplicate(owners[index])))
        else:
            events.append(verdict)
            event_offsets.append(offset)
    return Settled(events, event_offsets, rejects, ignored, org)


def _refusal(why: str) -> Failure:
    return Failure(Stage.CLICKHOUSE_SINK, FailureClass.DLQ_SINK_WRITE, Reason.SINK_WRITE_FAILED, why)


def _duplicate(owner: Position | None) -> Failure:
    where = f"first seen at {owner}" if owner else "its owner gave the claim back since"
    return Failure(Stage.DEDUP, FailureClass.DUPLICATE, Reason.DUPLICATE_EVENT, where)


def envelopes(settled: Settled, batch: RecordBatch, range_: Range, max_row_bytes: int) -> list[RejectEnvelope]:
    """The envelopes of a range's rejects, in the order of their positions."""
    offsets = [reject.position.offset for reject in settled.rejects]
    found = [
        envelope(reject, time, range_.batch_time, max_row_bytes)
        for reject, time in zip(settled.rejects, _record_timestamps(offsets, batch, range_), strict=True)
    ]
    if batch.headers is not None:
        headers = dict(zip(batch.offsets, batch.headers, strict=True))
        found = [
            attrs.evolve(each, traceparent=traceparent_of(headers[offset]))
            for each, offset in zip(found, offsets, strict=True)
        ]
    if not range_.reduced:
        return found
    return [
        reduced(each, range_.reduced[offset]) if offset in range_.reduced else each
        for each, offset in zip(found, offsets, strict=True)
    ]


def blocks(settled: Settled, rejects: Sequence[RejectEnvelope], batch: RecordBatch, range_: Range) -> list[Block]:
    """The blocks of a range: typed tables, then the raw table, then the rejects; none of them empty.

    Typed rows come before the raw row: a reader that finds an event in the raw table finds all of it.
    Raises ConfigurationError if two blocks had one token: a sink would take the second for a repetition of the first.
    """
    found = [*_typed_blocks(settled, range_)]
    if settled.events:
        found.append(_raw_block(settled, batch, range_))
    for table, quarantined in ((DLQ_TABLE, False), (QUARANTINE_TABLE, True)):
        some = [reject for reject in rejects if reject.failure.quarantined is quarantined]
        if some:
            rows = [reject_row(reject, settled.org) for reject in some]
            offsets = [reject.source.offset for reject in some]
            found.append(_block(table, range_, offsets, list(zip(*rows, strict=True))))
    if len({block.token for block in found}) < len(found):
        names = [block.table.name for block in found]
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigurationError(f"two tables are named {twice}: give each event type's table a name of its own")
    return found


def gap_blocks(found: Mapping[GapReason, Sequence[OffsetSpan]], range_: Range) -> list[Block]:
    """The block of the gaps in a range; none if there are none."""
    gaps = [(gap, reason.value) for reason, some in found.items() for gap in some]
    if not gaps:
        return []
    count, firsts = len(gaps), [gap.first for gap, _ in gaps]
    columns: list[Sequence[Any]] = [
        [range_.topic] * count,
        [range_.partition] * count,
        firsts,
        [gap.behind for gap, _ in gaps],
        [reason for _, reason in gaps],
        [range_.batch_time] * count,
    ]
    return [_block(KNOWN_GAPS_TABLE, range_, firsts, columns)]


def by_table(found: Iterable[Block]) -> list[list[Block]]:
    """The blocks of several ranges, those of each table together, in the order in which a range's own are written."""
    tables: dict[Table, list[Block]] = {}
    for block in found:
        tables.setdefault(block.table, []).append(block)
    in_order = sorted(tables, key=lambda table: _ORDER.index(table if table in _ORDER else None))
    return [tables[table] for table in in_order]


def _block(table: Table, range_: Range, offsets: Sequence[int], columns: Sequence[Sequence[Any]]) -> Block:
    return Block(table, range_.topic, range_.partition, offsets, columns, range_.token(table))


def _typed_blocks(settled: Settled, range_: Range) -> list[Block]:
    by_table: dict[Table, tuple[list[Accepted], list[int], list[Row]]] = {}
    for event, offset in zip(settled.events, settled.event_offsets, strict=True):
        for table, row in event.rows:
            group = by_table.get(table)
            if group is None:
                group = by_table[table] = ([], [], [])
            group[0].append(event)
            group[1].append(offset)
            group[2].append(row)
    found = []
    for table, (events, offsets, rows) in by_table.items():
        count = len(rows)
        leading = LeadingValues(
            event_timestamp=[event.envelope.timestamp for event in events],
            raw_event_uid=[event.dedup_key for event in events],
            org=[settled.org] * count,
            source_topic=[range_.topic] * count,
            source_partition=[range_.partition] * count,
            source_offset=offsets,
            ingestion_timestamp=[range_.batch_time] * count,
            replay=[int(event.envelope.replay) for event in events],
        )
        found.append(_block(table, range_, offsets, [*leading, *zip(*rows, strict=True)]))
    return found


def _raw_block(settled: Settled, batch: RecordBatch, range_: Range) -> Block:
    envelopes = [event.envelope for event in settled.events]
    count = len(envelopes)
    columns = RawValues(
        id=[envelope.id for envelope in envelopes],
        type=[envelope.type for envelope in envelopes],
        timestamp=[envelope.timestamp for envelope in envelopes],
        gateway=[envelope.gateway for envelope in envelopes],
        version=[envelope.version for envelope in envelopes],
        raw_json=[event.raw for event in settled.events],
        dedup_key=[event.dedup_key for event in settled.events],
        dedup_strategy=[event.dedup_strategy for event in settled.events],
        org=[settled.org] * count,
        source_topic=[range_.topic] * count,
        source_partition=[range_.partition] * count,
        source_offset=settled.event_offsets,
        source_record_timestamp=_record_timestamps(settled.event_offsets, batch, range_),
        ingestion_timestamp=[range_.batch_time] * count,
        replay=[int(envelope.replay) for envelope in envelopes],
        replay_id=[envelope.replay_id for envelope in envelopes],
        replay_attempt=[envelope.replay_attempt for envelope in envelopes],
    )
    return _block(RAW_TABLE, range_, settled.event_offsets, columns)


def _record_timestamps(offsets: Sequence[int], batch: RecordBatch, range_: Range) -> list[int]:
    if batch.timestamps is None:
        return [range_.batch_time] * len(offsets)
    by_offset = dict(zip(batch.offsets, batch.timestamps, strict=True))
    return [record_timestamp(by_offset[offset], range_.batch_time) for offset in offsets]
