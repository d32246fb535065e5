"""The tables that ingestion writes into, whatever event types there are."""

from __future__ import annotations

from typing import Final

from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE, IGNORED_EVENTS_TABLE
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE

INGESTED_TABLES: Final = (
    KNOWN_GAPS_TABLE,
    IGNORED_COUNTS_TABLE,
    IGNORED_EVENTS_TABLE,
    RAW_TABLE,
    DLQ_TABLE,
    QUARANTINE_TABLE,
)
