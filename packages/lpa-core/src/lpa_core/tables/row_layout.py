"""Which columns lpa fills itself, in which order: of every typed row, of a raw row, and of a reject's row.

Each layout has its columns and beside them a tuple with the same names in the same order. Code that makes rows or
blocks gives each value by its name.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from lpa_core.tables.table import Column, Kind, Table

LEADING_COLUMNS: Final = (
    Column("event_timestamp", Kind.TIMESTAMP),
    Column("raw_event_uid", Kind.TEXT),
    Column("org", Kind.LABEL),
    Column("source_topic", Kind.LABEL),
    Column("source_partition", Kind.UINT32),
    Column("source_offset", Kind.UINT64),
    Column("ingestion_timestamp", Kind.TIMESTAMP),
    Column("replay", Kind.UINT8),
)
"""Columns that every typed row begins with: which event it is of, where that came from and when."""


class LeadingValues(NamedTuple):
    """A value, or a column of values, for each of :data:`LEADING_COLUMNS`."""

    event_timestamp: Any
    raw_event_uid: Any
    org: Any
    source_topic: Any
    source_partition: Any
    source_offset: Any
    ingestion_timestamp: Any
    replay: Any


RAW_TABLE: Final = Table(
    name="streaming_events",
    columns=(
        Column("id", Kind.TEXT),
        Column("type", Kind.LABEL),
        Column("timestamp", Kind.INT64),
        Column("gateway", Kind.TEXT),
        Column("version", Kind.LABEL),
        Column("raw_json", Kind.TEXT),
        Column("dedup_key", Kind.TEXT),
        Column("dedup_strategy", Kind.LABEL),
        Column("org", Kind.LABEL),
        Column("source_topic", Kind.LABEL),
        Column("source_partition", Kind.UINT32),
        Column("source_offset", Kind.UINT64),
        Column("source_record_timestamp", Kind.TIMESTAMP),
        Column("ingestion_timestamp", Kind.TIMESTAMP),
        Column("replay", Kind.UINT8),
        Column("replay_id", Kind.TEXT),
        Column("replay_attempt", Kind.UINT16),
    ),
    order_by=("type",),
)
"""One row for each accepted event, with the original text."""


class RawValues(NamedTuple):
    """A value, or a column of values, for each column of :data:`RAW_TABLE`."""

    id: Any
    type: Any
    timestamp: Any
    gateway: Any
    version: Any
    raw_json: Any
    dedup_key: Any
    dedup_strategy: Any
    org: Any
    source_topic: Any
    source_partition: Any
    source_offset: Any
    source_record_timestamp: Any
    ingestion_timestamp: Any
    replay: Any
    replay_id: Any
    replay_attempt: Any


def _reject_table(name: str) -> Table:
    return Table(
        name=name,
        columns=(
            Column("schema_version", Kind.LABEL),
            Column("source_topic", Kind.TEXT),
            Column("source_partition", Kind.UINT32),
            Column("source_offset", Kind.UINT64),
            Column("source_record_timestamp", Kind.TIMESTAMP),
            Column("failure_stage", Kind.LABEL),
            Column("failure_class", Kind.LABEL),
            Column("failure_reason", Kind.TEXT),
            Column("failure_details", Kind.TEXT),
            Column("event_id", Kind.TEXT),
            Column("event_type", Kind.LABEL),
            Column("event_version", Kind.TEXT, nullable=True),
            Column("event_timestamp", Kind.TIMESTAMP, nullable=True),
            Column("orchestrator", Kind.TEXT, nullable=True),
            Column("broadcaster", Kind.TEXT, nullable=True),
            Column("region", Kind.TEXT, nullable=True),
            Column("payload_encoding", Kind.LABEL),
            Column("payload_body", Kind.TEXT),
            Column("payload_canonical_json", Kind.TEXT, nullable=True),
            Column("payload_size", Kind.UINT64),
            Column("payload_sha256", Kind.TEXT),
            Column("payload_truncated", Kind.UINT8),
            Column("dedup_key", Kind.TEXT, nullable=True),
            Column("dedup_strategy", Kind.TEXT, nullable=True),
            Column("replay", Kind.UINT8),
            Column("replay_id", Kind.TEXT, nullable=True),
            Column("attempt", Kind.UINT16),
            Column("ingestion_timestamp", Kind.TIMESTAMP),
            Column("org", Kind.LABEL),
            Column("traceparent", Kind.TEXT),
        ),
        order_by=("failure_class", "event_type", "source_topic", "source_partition", "source_offset"),
    )


DLQ_TABLE: Final = _reject_table("streaming_events_dlq")
QUARANTINE_TABLE: Final = _reject_table("streaming_events_quarantine")


class RejectValues(NamedTuple):
    """A value for each column of :data:`DLQ_TABLE` and :data:`QUARANTINE_TABLE`."""

    schema_version: str
    source_topic: str
    source_partition: int
    source_offset: int
    source_record_timestamp: int
    failure_stage: str
    failure_class: str
    failure_reason: str
    failure_details: str
    event_id: str
    event_type: str
    event_version: str | None
    event_timestamp: int | None
    orchestrator: str | None
    broadcaster: str | None
    region: str | None
    payload_encoding: str
    payload_body: str
    payload_canonical_json: str | None
    payload_size: int
    payload_sha256: str
    payload_truncated: int
    dedup_key: str | None
    dedup_strategy: str | None
    replay: int
    replay_id: str | None
    attempt: int
    ingestion_timestamp: int
    org: str
    traceparent: str
