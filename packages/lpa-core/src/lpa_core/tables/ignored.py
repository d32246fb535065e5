"""What is kept of ignored records (docs/spec/producers.md section 1): counts, and their bytes where settings say so."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple, final

import attrs

from lpa_core.tables.table import Column, Kind, Table


class IgnoredStore(StrEnum):
    """What is stored of ignored records beside their counts."""

    NONE = "none"
    REDACTED = "redacted"
    FULL = "full"


@final
@attrs.frozen(slots=True)
class KeptOfIgnored:
    """What is kept of ignored records beside their counts.

    Attributes:
        archived: their bytes are archived as received; else an archive has only position, time and reason of them.
    """

    store: IgnoredStore = IgnoredStore.NONE
    archived: bool = True


NOTHING_BUT_COUNTS: Final = KeptOfIgnored()

IGNORED_COUNTS_TABLE: Final = Table(
    name="ignored_event_counts",
    columns=(
        Column("ingestion_timestamp", Kind.TIMESTAMP),
        Column("source_topic", Kind.LABEL),
        Column("source_partition", Kind.UINT32),
        Column("source_offset", Kind.UINT64),
        Column("org", Kind.LABEL),
        Column("event_type", Kind.LABEL),
        Column("event_subtype", Kind.LABEL),
        Column("ignore_reason", Kind.LABEL),
        Column("records", Kind.UINT64),
        Column("bytes", Kind.UINT64),
    ),
    order_by=("org", "ignore_reason", "event_type", "event_subtype"),
)
"""One row for each reason, type and subtype in a range; ``source_offset`` is that of the first such record."""


class IgnoredCounts(NamedTuple):
    """A value for each column of :data:`IGNORED_COUNTS_TABLE`."""

    ingestion_timestamp: Any
    source_topic: Any
    source_partition: Any
    source_offset: Any
    org: Any
    event_type: Any
    event_subtype: Any
    ignore_reason: Any
    records: Any
    bytes: Any


IGNORED_EVENTS_TABLE: Final = Table(
    name="ignored_events",
    columns=(
        Column("event_id", Kind.TEXT),
        Column("event_type", Kind.LABEL),
        Column("event_subtype", Kind.LABEL),
        Column("ignore_reason", Kind.LABEL),
        Column("event_timestamp", Kind.TIMESTAMP, nullable=True),
        Column("org", Kind.LABEL),
        Column("gateway", Kind.TEXT),
        Column("source_topic", Kind.LABEL),
        Column("source_partition", Kind.UINT32),
        Column("source_offset", Kind.UINT64),
        Column("ingestion_timestamp", Kind.TIMESTAMP),
        Column("payload_sha256", Kind.TEXT),
        Column("payload", Kind.TEXT),
    ),
    order_by=("org", "ignore_reason", "event_type"),
)
"""Ignored records themselves; empty unless ``QUALITY_IGNORED_STORE`` says otherwise."""


class IgnoredEvent(NamedTuple):
    """A value for each column of :data:`IGNORED_EVENTS_TABLE`."""

    event_id: Any
    event_type: Any
    event_subtype: Any
    ignore_reason: Any
    event_timestamp: Any
    org: Any
    gateway: Any
    source_topic: Any
    source_partition: Any
    source_offset: Any
    ingestion_timestamp: Any
    payload_sha256: Any
    payload: Any
