"""What a row of a typed table is, and what makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lpa_core.events.envelope import Envelope
from lpa_core.events.times import DiscardedTime
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import Column, Table

Row = tuple[Any, ...]
"""The values of one row of a typed table, without the leading columns."""

MakeRows = Callable[[Envelope, Any, list[DiscardedTime]], tuple[tuple[Table, Row], ...]]
"""``make(envelope, data, discarded)``: an event's rows. Times that are not believed are left out and noted."""


def own_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a typed table that a row has values for."""
    return table.columns[len(LEADING_COLUMNS) :]
