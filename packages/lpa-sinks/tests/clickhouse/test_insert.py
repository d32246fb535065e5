"""How rows are encoded for ClickHouse."""

from __future__ import annotations

from typing import Any

import pytest
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.insert import InsertContext

from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.insert import fits, uncompressed
from lpa_sinks.clickhouse.types import column_type

_VALUES: dict[Kind, Any] = {
    Kind.TEXT: "text of a column",
    Kind.LABEL: "é",
    Kind.FLOAT32: 1.5,
    Kind.FLOAT64: -0.0,
    Kind.TIMESTAMP: 1_767_900_000_000,
}


@pytest.mark.parametrize("rows", [1, 2, 300, 70_000])
@pytest.mark.parametrize("nullable", [False, True])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_column_of_one_value_has_the_bytes_that_the_driver_gives_it(kind: Kind, nullable: bool, rows: int) -> None:
    column = Column("c", kind, nullable=nullable)
    value = _VALUES.get(kind, 200)
    for values in ([value] * rows, (value,) * rows, *([[None] * rows] if nullable else [])):
        assert bytes(uncompressed([column], [values])).endswith(driver(column, values))
        mixed = [*values[1:], "another" if isinstance(value, str) else type(value)(7), values[0]]
        assert bytes(uncompressed([column], [mixed])).endswith(driver(column, mixed))


def driver(column: Column, values: Any) -> bytes:
    encoded, context = bytearray(), InsertContext("", (), ())
    context.start_column(column.name)
    get_from_name(column_type(column)).write_column(values, encoded, context)
    return bytes(encoded)


def test_equal_values_that_differ_are_kept_apart() -> None:
    column = Column("c", Kind.FLOAT64)
    zero = 0.0
    assert bytes(uncompressed([column], [[zero, -0.0, zero]])).endswith(driver(column, [zero, -0.0, zero]))


@pytest.mark.parametrize(
    ("kind", "value"), [(Kind.UINT8, 256), (Kind.UINT32, None), (Kind.TEXT, 7), (Kind.TIMESTAMP, "now")]
)
def test_a_value_that_does_not_fit_is_refused_however_often_it_comes(kind: Kind, value: Any) -> None:
    for rows in (1, 2, 300):
        assert not fits(Column("c", kind), [value] * rows)
