"""The raw table: one row per accepted event, with the original text."""

from __future__ import annotations

from typing import Final

from lpa_core.tables import Column, Kind, Table

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
