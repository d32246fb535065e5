"""What the tables have of some records: asked by their positions, then by what is known of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, final

import attrs

from lpa_core.pipeline.traceparent import TRACEPARENT
from lpa_core.records import Position
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE
from lpa_ops.positions.stored_tables import StoredTable
from lpa_ops.trace.answer import Fate, TracedRange, TracedRecord
from lpa_ops.trace.questions import Questions, Row, at, by_position, milliseconds, side_by_side

_AT_POSITIONS: Final = "at_positions.sql"
_IN_BATCHES: Final = "in_batches.sql"

Rows = list[dict[str, Any]]
RowsAt = Mapping[Position, Sequence[Row]]
RangeKey = tuple[str, int, int]
"""Topic, partition, batch time (epoch ms)."""


@final
@attrs.frozen
class RowsAtPositions:
    """Rows of the tables that say what became of a record."""

    accepted: RowsAt
    rejected: RowsAt
    ignored: RowsAt
    gaps: RowsAt
    withdrawn: RowsAt


@final
@attrs.frozen
class RowsOfRecords:
    """Rows that are found by what became of a record.

    Attributes:
        typed: of the tables of its type.
        owners: the first stored event of a key, by org and key.
        spans: offsets where the rows of a batch begin and end.
        rules: which rules ignored records of a batch.
        replays: outcomes, by the position where the record was first read from.
    """

    typed: RowsAt
    owners: Mapping[tuple[str, str], Row]
    spans: Mapping[RangeKey, tuple[int, int]]
    rules: Mapping[RangeKey, str]
    replays: RowsAt


def rows_at(questions: Questions, positions: Sequence[Position]) -> RowsAtPositions:
    """Raises the client's errors."""
    asked = at(positions)
    where = questions.text(_AT_POSITIONS)
    accepted, dead, quarantined, ignored, gaps, withdrawn = side_by_side(
        lambda: questions.ask("accepted.sql", asked, at_positions=where),
        partial(_rejected, questions, DLQ_TABLE.name, asked, where),
        partial(_rejected, questions, QUARANTINE_TABLE.name, asked, where),
        lambda: _ask_if_there(questions, "ignored_events", "ignored.sql", asked, at_positions=where),
        lambda: _ask_if_there(questions, "known_gaps", "gaps.sql", asked),
        lambda: _ask_if_there(questions, "withdrawn_positions", "withdrawn.sql", asked, at_positions=where),
    )
    return RowsAtPositions(*map(by_position, (accepted, [*dead, *quarantined], ignored, gaps, withdrawn)))


def rows_of(questions: Questions, records: Mapping[Position, TracedRecord], rows: RowsAtPositions) -> RowsOfRecords:
    """Raises the client's errors."""
    keys = sorted({record.claim.key for record in records.values() if record.claim is not None})
    sources = sorted({record.origin or position for position, record in records.items()})
    ignored = [each for each in records.values() if each.fate is Fate.IGNORED and not each.ignore_reason]
    spans, owners, typed, replays, rules = side_by_side(
        lambda: _spans(questions, records.values()),
        lambda: questions.ask("owners.sql", {"keys": keys}) if keys else [],
        lambda: _typed(questions, records, _tables_of(questions, records, rows)),
        lambda: replays_of(questions, sources),
        lambda: _rules(questions, ignored),
    )
    return RowsOfRecords(
        typed=by_position(typed),
        owners={(row["org"], row["dedup_key"]): row for row in owners},
        spans={_batch_of(row): (row["start"], row["stop"]) for row in spans},
        rules={_batch_of(row): " or ".join(row["reasons"]) for row in rules},
        replays=by_position(replays),
    )


def replays_of(questions: Questions, sources: Sequence[Position]) -> Rows:
    """What replays did with the records that were first read from there. Raises the client's errors."""
    if not {"replay_outcomes", "replay_runs"} <= set(questions.names):
        return []
    return questions.ask("replays.sql", at(sources), at_positions=questions.text(_AT_POSITIONS))


def range_key(record: TracedRecord, range_: TracedRange) -> RangeKey:
    return record.position.topic, record.position.partition, milliseconds(range_.batch_time)


def _batch_of(row: Row) -> RangeKey:
    return row["topic"], row["partition"], row["batch_ms"]


def _rejected(questions: Questions, table: str, asked: Mapping[str, object], where: str) -> Rows:
    traceparent = TRACEPARENT if TRACEPARENT in questions.columns(table) else "''"
    named = {**asked, "table_name": table}
    return questions.ask("rejected.sql", named, at_positions=where, table=table, traceparent=traceparent)


def _ask_if_there(questions: Questions, table: str, file: str, asked: Mapping[str, object], **parts: str) -> Rows:
    return questions.ask(file, asked, **parts) if table in questions.names else []


def _tables_of(
    questions: Questions, records: Mapping[Position, TracedRecord], rows: RowsAtPositions
) -> Sequence[StoredTable]:
    """The typed tables that may have rows of these records: all, if what was sent at one of them is not known."""
    known = [rows.accepted.get(position) or rows.rejected.get(position) for position in records]
    types = {row["event_type"] for some in known for row in some or ()}
    return questions.typed_of(types) if all(known) else questions.typed


def _typed(questions: Questions, records: Mapping[Position, TracedRecord], tables: Sequence[StoredTable]) -> Rows:
    where = questions.text(_AT_POSITIONS)
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
    return questions.ask_text(" UNION ALL ".join(texts), at(records)) if texts else []


def _spans(questions: Questions, records: Collection[TracedRecord]) -> Rows:
    asked = _batches(records)
    return questions.ask("ranges.sql", asked, in_batches=questions.text(_IN_BATCHES)) if asked else []


def _rules(questions: Questions, ignored: Collection[TracedRecord]) -> Rows:
    """Of ignored records that are not kept, the rules that their batches have counts of."""
    asked = _batches(ignored)
    if not asked or "ignored_event_counts" not in questions.names:
        return []
    return questions.ask("ignored_counts.sql", asked, in_batches=questions.text(_IN_BATCHES))


def _batches(records: Collection[TracedRecord]) -> dict[str, object]:
    """The parameters of ``in_batches.sql``; none without a batch."""
    times = sorted({milliseconds(record.range.batch_time) for record in records if record.range is not None})
    topics = sorted({record.position.topic for record in records if record.range is not None})
    return {"batches": times, "topics": topics} if times else {}
