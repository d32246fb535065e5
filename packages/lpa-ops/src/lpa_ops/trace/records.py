"""From positions to all that became of the records there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final, final

import attrs

from lpa_core.delivery.ranges import Range
from lpa_core.records import Position
from lpa_core.tables.known_gaps import GapReason
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_core.validation.reasons import FailureClass
from lpa_ops.trace.answer import (
    Fate,
    TracedBlock,
    TracedClaim,
    TracedFailure,
    TracedRange,
    TracedRecord,
    TracedReplay,
)
from lpa_ops.trace.questions import Questions, Row, milliseconds, position_of_row, utc, utc_or_none
from lpa_ops.trace.stored_rows import (
    RowsAt,
    RowsAtPositions,
    RowsOfRecords,
    range_key,
    replays_of,
    rows_at,
    rows_of,
)
from lpa_ops.trace.subject import position_of

_FATES: Final[Mapping[str, Fate]] = {
    GapReason.IGNORED: Fate.IGNORED,
    GapReason.ERASED: Fate.ERASED,
    GapReason.NO_RECORD: Fate.NO_RECORD,
    GapReason.NOT_READ: Fate.NOT_READ,
}


@final
@attrs.frozen
class KnownRecords:
    """What the tables have of some positions, and which events of a session or job these are."""

    records: Mapping[Position, TracedRecord]
    typed: RowsAt


def stored_records(
    questions: Questions, positions: Sequence[Position], topics: Iterable[str], claims_live: timedelta
) -> KnownRecords:
    """The records at these positions; one that no table has is UNKNOWN. Raises the client's errors.

    Args:
        topics: input topics of Kafka: tokens of their blocks hold the batch time, and those of a file its own mark.
        claims_live: how long a claim holds its dedup key.
    """
    rows, kafka = rows_at(questions, positions), frozenset(topics)
    found = {position: _record(position, rows) for position in positions}
    more = rows_of(questions, found, rows)
    for position, record in found.items():
        record = _with_owner(record, more.owners, claims_live)
        record = _with_blocks(record, rows, more, is_of_kafka=position.topic in kafka)
        replays = [_replay(row) for row in more.replays.get(record.origin or position, ())]
        found[position] = attrs.evolve(record, replays=replays)
    return KnownRecords(found, more.typed)


def copies_and_origins(questions: Questions, records: Mapping[Position, TracedRecord]) -> list[Position]:
    """Positions of the records that these were made of, and of the copies that replays made of these."""
    origins = {record.origin for record in records.values() if record.origin is not None}
    found = sorted(origins - records.keys())
    replays = {each.replay_id for record in records.values() for each in record.replays}
    if replays:
        keys = {record.claim.key for record in records.values() if record.claim is not None}
        keys |= {record.event_id for record in records.values()} - {""}
        keys |= {row["dedup_key"] for row in replays_of(questions, list(records))} - {""}
        sources = [f"{each.topic}:{each.partition}:{each.offset}" for each in {*records, *origins}]
        where = {"keys": sorted(keys), "replays": sorted(replays), "origins": sorted(sources)}
        found += [position_of_row(row) for row in questions.ask("copies.sql", where)]
    return [position for position in dict.fromkeys(found) if position not in records]


def _record(position: Position, rows: RowsAtPositions) -> TracedRecord:
    """What became of it, by the tables that have its position."""
    rejected = rows.rejected.get(position, ())
    rejects = [row for row in rejected if row["failure_class"] != FailureClass.REPLAY_EXHAUSTED]
    if position in rows.accepted:
        record = _accepted(position, rows.accepted[position][0])
    elif rejects:
        record = _rejected(position, rejects[0], rows.withdrawn.get(position, ()))
    else:
        record = _gap(position, rows.gaps.get(position, ()), rows.ignored.get(position, ()))
    return attrs.evolve(record, gave_up=len(rejects) < len(rejected))


def _accepted(position: Position, row: Row) -> TracedRecord:
    claim = TracedClaim(row["dedup_key"], row["dedup_strategy"])
    return attrs.evolve(_of_row(position, Fate.ACCEPTED, row), claim=claim, payload_encoding="json")


def _rejected(position: Position, row: Row, withdrawn: Sequence[Row]) -> TracedRecord:
    failure = TracedFailure(
        row["failure_stage"],
        row["failure_class"],
        row["failure_reason"],
        row["failure_details"],
        sorted({name for each in withdrawn for name in each["table_names"]}),
    )
    fate = Fate.DUPLICATE if row["failure_class"] == FailureClass.DUPLICATE else Fate.DEAD_LETTER
    claim = TracedClaim(row["dedup_key"], row["dedup_strategy"]) if row["dedup_key"] else None
    return attrs.evolve(
        _of_row(position, fate, row),
        failure=failure,
        claim=claim,
        payload_encoding=row["payload_encoding"],
        traceparent=row["traceparent"],
    )


def _of_row(position: Position, fate: Fate, row: Row) -> TracedRecord:
    return TracedRecord(
        position=position,
        fate=fate,
        org=row["org"],
        event_id=row["event_id"],
        event_type=row["event_type"],
        event_timestamp=utc_or_none(row["event_timestamp"]),
        record_timestamp=utc(row["record_timestamp"]),
        payload=row["payload"],
        payload_size=row["payload_size"],
        range=TracedRange(position.offset, position.offset + 1, utc(row["batch_time"])),
        origin=position_of(row["origin"]),
        replay_id=row["replay_id"],
        attempt=row["attempt"],
    )


def _gap(position: Position, gaps: Sequence[Row], kept: Sequence[Row]) -> TracedRecord:
    if not gaps:
        return TracedRecord(position=position, fate=Fate.UNKNOWN)
    gap = gaps[0]
    fate = _FATES.get(gap["reason"], Fate.NO_RECORD)
    record = TracedRecord(position=position, fate=fate)
    if fate is Fate.IGNORED:
        of_one = TracedRange(position.offset, position.offset + 1, utc(gap["batch_time"]))
        record = attrs.evolve(record, range=of_one)
    if kept:
        row = kept[0]
        record = attrs.evolve(
            record,
            org=row["org"],
            event_id=row["event_id"],
            event_type=row["event_type"],
            event_timestamp=utc_or_none(row["event_timestamp"]),
            ignore_reason=row["ignore_reason"],
            payload=row["beginning"],
            payload_encoding="json",
            payload_size=row["payload_size"],
        )
    return record


def _with_owner(record: TracedRecord, owners: Mapping[tuple[str, str], Row], lives: timedelta) -> TracedRecord:
    row = None if record.claim is None else owners.get((record.org, record.claim.key))
    if record.claim is None or row is None:
        return record
    claimed = utc(row["claimed"])
    claim = attrs.evolve(record.claim, owner=Position(*row["owner"]), claimed=claimed, expires=claimed + lives)
    return attrs.evolve(record, claim=claim)


def _with_blocks(
    record: TracedRecord, rows: RowsAtPositions, more: RowsOfRecords, *, is_of_kafka: bool
) -> TracedRecord:
    """The record with the range that it was delivered in, the rows there, and the rule that ignored it."""
    if record.range is None:
        return record
    position, key = record.position, range_key(record, record.range)
    start, stop = more.spans.get(key, (position.offset, position.offset + 1))
    range_ = attrs.evolve(record.range, start=start, end=stop)
    names = [row["table_name"] for row in rows.rejected.get(position, ())]
    rows_of_tables = sorted((row["table_name"], row["total"]) for row in more.typed.get(position, ()))
    rows_of_tables.append((RAW_TABLE.name, len(rows.accepted.get(position, ()))))
    rows_of_tables += [(name, names.count(name)) for name in (DLQ_TABLE.name, QUARANTINE_TABLE.name)]
    blocks = [
        TracedBlock(name, total, _token(position, range_, name) if is_of_kafka else "")
        for name, total in rows_of_tables
        if total
    ]
    rule = record.ignore_reason
    if record.fate is Fate.IGNORED and not rule:
        rule = more.rules.get(key, "")
    return attrs.evolve(record, range=range_, blocks=blocks, ignore_reason=rule)


def _token(position: Position, range_: TracedRange, table: str) -> str:
    of_kafka = Range(
        position.topic,
        position.partition,
        range_.start,
        range_.end,
        range_.end - range_.start,
        "",
        milliseconds(range_.batch_time),
    )
    return of_kafka.token(Table(table, ()))


def _replay(row: Row) -> TracedReplay:
    known = bool(row["state"])
    return TracedReplay(
        replay_id=row["replay_id"],
        outcome=row["outcome"],
        why=row["why"],
        forecast=row["forecast"],
        result=row["result"],
        result_reason=row["result_reason"],
        attempt=row["attempt"],
        state=row["state"],
        started_at=utc(row["started_at"]) if known else None,
        started_by=row["started_by"],
    )
