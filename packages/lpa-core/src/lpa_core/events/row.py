"""What a row of a typed table is, and what makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lpa_core.events.envelope import Envelope
from lpa_core.events.times import DiscardedTime
from lpa_core.tables import Column, Kind, Table

Row = tuple[Any, ...]
"""The values of one row of a typed table, without the leading columns."""

MakeRows = Callable[[Envelope, Any, list[DiscardedTime]], tuple[tuple[Table, Row], ...]]
"""``make(envelope, data, discarded)``: an event's rows. Times that are not believed are left out and noted."""

LEADING_COLUMNS = (
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


def own_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a typed table that a row has values for."""
    return table.columns[len(LEADING_COLUMNS) :]
