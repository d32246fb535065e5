"""All tables that ingestion writes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from lpa_core.plugins.context import AppContext
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.tables.table import Table


def written_tables(context: AppContext) -> Sequence[Table]:
    """All tables that are written, those of plugins among them."""
    event_types = context.plugins.event_types()
    return [RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE, *chain.from_iterable(each.tables for each in event_types)]
