"""Each layout's values have the names of its columns, in their order."""

from __future__ import annotations

import pytest

from lpa_core.tables.row_layout import (
    DLQ_TABLE,
    LEADING_COLUMNS,
    QUARANTINE_TABLE,
    RAW_TABLE,
    LeadingValues,
    RawValues,
    RejectValues,
)
from lpa_core.tables.table import Column


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (LEADING_COLUMNS, LeadingValues._fields),
        (RAW_TABLE.columns, RawValues._fields),
        (DLQ_TABLE.columns, RejectValues._fields),
        (QUARANTINE_TABLE.columns, RejectValues._fields),
    ],
)
def test_values_are_named_as_their_columns(columns: tuple[Column, ...], names: tuple[str, ...]) -> None:
    assert tuple(column.name for column in columns) == names
