"""From positions to all that became of the records there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, final

import attrs

from lpa_core.delivery.ranges import Range
from lpa_core.pipeline.traceparent import TRACEPARENT
from lpa_core.records import Position
from lpa_core.tables.known_gaps import GapReason
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table
from lpa_core.validation.reasons import FailureClass
from lpa_ops.positions.stored_tables import StoredTable
from lpa_ops.trace.answer import (
    Fate,
    TracedBlock,
    TracedClaim,
    TracedFailure,
    TracedRange,
    TracedRecord,
    TracedReplay,
)
from lpa_ops.trace.questions import Questions, Row, at, by_position, milliseconds, position_of_row, utc, utc_or_none
from lpa_ops.trace.subject import position_of

_FATES: Final[Mapping[str, Fate]] = {
    GapReason.IGNORED: Fate.IGNORED,
    GapReason.ERASED: Fate.ERASED,
    GapReason.NO_RECORD: Fate.NO_RECORD,
    GapReason.NOT_READ: Fate.NOT_READ,
}
_AT_POSITIONS: Final = "at_positions.sql"

RangeKey = tuple[str, int, int]
"""Topic, partition, batch time (epoch ms)."""


@final
@attrs.frozen
class KnownRecords:
    """What the tables have of some positions, and which events of a session or job these are."""

    records: Mapping[Position, TracedRecord]
    typed: Mapping[Position, Sequence[Row]]


def stored_records(
    questions: Questions, positions: Sequence[Position], topics: Iterable[str], claims_live: timedelta
) -> KnownRecords:
    """The records at these positions; one that no table has is UNKNOWN. Raises the client's errors.

    Args:
        topics: input topics of Kafka: tokens of their blocks hold the batch time, and those of a file its own mark.
        claims_live: how long a claim holds its dedup key.
    """
    asked = at(positions)
    where = questions.text(_AT_POSITIONS)
    accepted = by_position(questions.ask("accepted.sql", asked, at_positions=where))
    rejected = by_position(
        row
        for table in (DLQ_TABLE.name, QUARANTINE_TABLE.name)
        for row in questions.ask(
            "rejected.sql",
            {**asked, "table_name": table},
            at_positions=where,
            table=table,
            traceparent=TRACEPARENT if TRACEPARENT in questions.columns(table) else "''",
        )
    )
    ignored = by_position(_ask_if_there(questions, "ignored_events", "ignored.sql", asked, where))
    gaps = by_position(_ask_if_there(questions, "known_gaps", "gaps.sql", asked))
    withdrawn = by_position(_ask_if_there(questions, "withdrawn_positions", "withdrawn.sql", asked, where))
    typed = by_position(_typed_rows(questions, asked, where, _tables_of(questions, positions, accepted, rejected)))
    kafka = frozenset(topics)
    found: dict[Position, TracedRecord] = {}
    for position in positions:
        rejects = [row for row in rejected.get(position, ()) if row["failure_class"] != FailureClass.REPLAY_EXHAUSTED]
        gave_up = len(rejects) < len(rejected.get(position, ()))
        if position in accepted:
            record = _accepted(position, accepted[position][0])
        elif rejects:
            record = _rejected(position, rejects[0], withdrawn.get(position, ()))
        else:
            record = _gap(position, gaps.get(position, ()), ignored.get(position, ()))
        found[position] = attrs.evolve(record, gave_up=gave_up)
    found = _with_claims(questions, found, claims_live)
    found = _with_ranges(questions, found, accepted, rejected, typed, kafka)
    found = _with_rules(questions, found)
    return KnownRecords(_with_replays(questions, found), typed)


def copies_and_origins(questions: Questions, records: Mapping[Position, TracedRecord]) -> list[Position]:
    """Positions of the records that these were made of, and of the copies that replays made of these."""
    origins = {record.origin for record in records.values() if record.origin is not None}
    found = sorted(origins - records.keys())
    replays = {each.replay_id for record in records.values() for each in record.replays}
    if replays:
        keys = {record.claim.key for record in records.values() if record.claim is not None}
        keys |= {record.event_id for record in records.values()} - {""}
        asked = at(records)
        keys |= {row["dedup_key"] for row in _replays(questions, asked)} - {""}
        sources = [f"{each.topic}:{each.partition}:{each.offset}" for each in {*records, *origins}]
        where = {"keys": sorted(keys), "replays": sorted(replays), "origins": sorted(sources)}
        found += [position_of_row(row) for row in questions.ask("copies.sql", where)]
    return [position for position in dict.fromkeys(found) if position not in records]


def _ask_if_there(
    questions: Questions, table: str, file: str, asked: Mapping[str, object], where: str | None = None
) -> list[dict[str, Any]]:
    if table not in questions.names:
        return []
    return questions.ask(file, asked, **({} if where is None else {"at_positions": where}))


def _tables_of(
    questions: Questions,
    positions: Sequence[Position],
    accepted: Mapping[Position, Sequence[Row]],
    rejected: Mapping[Position, Sequence[Row]],
) -> Sequence[StoredTable]:
    """The typed tables that may have rows of these records: all, if what was sent at one of them is not known."""
    known = [accepted.get(position) or rejected.get(position) for position in positions]
    types = {row["event_type"] for rows in known for row in rows or ()}
    return questions.typed_of(types) if all(known) else questions.typed


def _typed_rows(
    questions: Questions, asked: Mapping[str, object], where: str, tables: Iterable[StoredTable]
) -> list[dict[str, Any]]:
    texts = [
        questions.text(
            "typed_rows.sql",
            table=table.name,
            at_positions=where,
            own_time="data_timestamp" if "data_timestamp" in table.columns else "event_timestamp",
            **{name: name if name in table.columns else "''" for name in ("stream_id", "request_id")},
        )
        for table in tables
        if {"raw_event_uid", "event_timestamp"} <= set(table.columns)
    ]
    return questions.ask_text(" UNION ALL ".join(texts), asked) if texts else []


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


def _with_claims(
    questions: Questions, records: Mapping[Position, TracedRecord], lives: timedelta
) -> dict[Position, TracedRecord]:
    keys = sorted({record.claim.key for record in records.values() if record.claim is not None})
    if not keys:
        return dict(records)
    owners = {(row["org"], row["dedup_key"]): row for row in questions.ask("owners.sql", {"keys": keys})}
    found = {}
    for position, record in records.items():
        claim = record.claim
        row = None if claim is None else owners.get((record.org, claim.key))
        if claim is not None and row is not None:
            claimed = utc(row["claimed"])
            claim = attrs.evolve(claim, owner=Position(*row["owner"]), claimed=claimed, expires=claimed + lives)
        found[position] = attrs.evolve(record, claim=claim)
    return found


def _with_ranges(
    questions: Questions,
    records: Mapping[Position, TracedRecord],
    accepted: Mapping[Position, Sequence[Row]],
    rejected: Mapping[Position, Sequence[Row]],
    typed: Mapping[Position, Sequence[Row]],
    kafka: frozenset[str],
) -> dict[Position, TracedRecord]:
    asked = _batches(records)
    if not asked:
        return dict(records)
    rows = questions.ask("ranges.sql", asked, in_batches=questions.text("in_batches.sql"))
    spans = {(row["topic"], row["partition"], row["batch_ms"]): (row["start"], row["stop"]) for row in rows}
    found = {}
    for position, record in records.items():
        if record.range is not None:
            start, stop = spans.get(_range_key(record, record.range), (position.offset, position.offset + 1))
            rows_of = sorted((row["table_name"], row["total"]) for row in typed.get(position, ()))
            rows_of.append((RAW_TABLE.name, len(accepted.get(position, ()))))
            names = [row["table_name"] for row in rejected.get(position, ())]
            rows_of += [(name, names.count(name)) for name in (DLQ_TABLE.name, QUARANTINE_TABLE.name)]
            told = attrs.evolve(record.range, start=start, end=stop)
            blocks = [
                TracedBlock(name, total, _token(position, told, name) if position.topic in kafka else "")
                for name, total in rows_of
                if total
            ]
            record = attrs.evolve(record, range=told, blocks=blocks)
        found[position] = record
    return found


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


def _with_rules(questions: Questions, records: Mapping[Position, TracedRecord]) -> dict[Position, TracedRecord]:
    """Of an ignored record that is not kept, the rules that its range has counts of."""
    lacking = {
        position: record
        for position, record in records.items()
        if record.fate is Fate.IGNORED and not record.ignore_reason
    }
    asked = _batches(lacking)
    if not asked or "ignored_event_counts" not in questions.names:
        return dict(records)
    rows = questions.ask("ignored_counts.sql", asked)
    reasons = {(row["topic"], row["partition"], row["batch_ms"]): " or ".join(row["reasons"]) for row in rows}
    rules = {
        position: attrs.evolve(record, ignore_reason=reasons.get(_range_key(record, record.range), ""))
        for position, record in lacking.items()
        if record.range is not None
    }
    return {**records, **rules}


def _batches(records: Mapping[Position, TracedRecord]) -> dict[str, object]:
    """The parameters of ``in_batches.sql``; none without a batch."""
    ranges = [(position, record.range) for position, record in records.items() if record.range is not None]
    times = sorted({milliseconds(each.batch_time) for _, each in ranges})
    topics = sorted({position.topic for position, _ in ranges})
    return {"first": times[0], "last": times[-1], "batches": times, "topics": topics} if times else {}


def _range_key(record: TracedRecord, range_: TracedRange) -> RangeKey:
    return record.position.topic, record.position.partition, milliseconds(range_.batch_time)


def _replays(questions: Questions, asked: Mapping[str, object]) -> list[dict[str, Any]]:
    if not {"replay_outcomes", "replay_runs"} <= set(questions.names):
        return []
    return questions.ask("replays.sql", asked, at_positions=questions.text(_AT_POSITIONS))


def _with_replays(questions: Questions, records: Mapping[Position, TracedRecord]) -> dict[Position, TracedRecord]:
    """Outcomes name where a record was first read from, so those of a copy are found by its origin."""
    sources = {record.origin or position for position, record in records.items()}
    replays = by_position(_replays(questions, at(sorted(sources))))
    return {
        position: attrs.evolve(record, replays=[_replay(row) for row in replays.get(record.origin or position, ())])
        for position, record in records.items()
    }


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
