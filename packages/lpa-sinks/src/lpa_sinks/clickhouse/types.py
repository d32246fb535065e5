"""The ClickHouse type of a column, said once: the DDL, the check of live tables and inserts all ask here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lpa_core.tables.table import Column, Kind

_TYPES: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "String",
    Kind.LABEL: "String",
    Kind.INT32: "Int32",
    Kind.INT64: "Int64",
    Kind.UINT8: "UInt8",
    Kind.UINT16: "UInt16",
    Kind.UINT32: "UInt32",
    Kind.UINT64: "UInt64",
    Kind.FLOAT32: "Float32",
    Kind.FLOAT64: "Float64",
    Kind.TIMESTAMP: "DateTime64(3, 'UTC')",
}


def column_type(column: Column) -> str:
    """The type's name as ClickHouse itself writes it in ``system.columns``."""
    name = _TYPES[column.kind]
    if column.nullable:
        name = f"Nullable({name})"
    return f"LowCardinality({name})" if column.kind is Kind.LABEL else name
