"""One block, one INSERT: how rows are encoded and with which settings they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.insert import InsertContext
from clickhouse_connect.driver.transform import NativeTransform

from lpa_core.tables import Column
from lpa_sinks.clickhouse.types import column_type

_SETTINGS: Final[Mapping[str, int | str]] = {
    # The answer comes after the rows are stored, and the token is looked at (26.2 turned the first on by default).
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_insert": "enable",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # A block is inserted whole or not at all, under its one token, however large it is.
    "use_strict_insert_block_limits": 0,
    # Wrong clocks spread a block over many months; error 252 would look as if waiting helped.
    "max_partitions_per_insert_block": 0,
}


def insert_settings(client: Client) -> dict[str, int | str]:
    """The settings of every insert, as far as this ClickHouse knows them."""
    return {name: value for name, value in _SETTINGS.items() if name in client.server_settings}


def insert(
    client: Client,
    into: str,
    columns: Sequence[Column],
    data: Sequence[Sequence[Any]],
    settings: Mapping[str, int | str],
) -> None:
    """Insert rows, given as one sequence of values per column, by a single INSERT of a single block.

    Args:
        into: the table's name, qualified and quoted.

    Raises the client's errors, and TypeError, ValueError and the like where a value does not fit its column.
    """
    client.data_insert(_context(into, columns, data, dict(settings)))


def fits(column: Column, values: Sequence[Any]) -> bool:
    """Whether all the values can be encoded for the column; ClickHouse is not asked."""
    context = _context("", [column], [values], {})
    for _ in NativeTransform.build_insert(context):
        pass
    return context.insert_exception is None


def _context(
    into: str, columns: Sequence[Column], data: Sequence[Sequence[Any]], settings: dict[str, int | str]
) -> InsertContext:
    return InsertContext(
        table=into,
        column_names=[column.name for column in columns],
        # The types are known, so that no insert has to ask for them first.
        column_types=[get_from_name(column_type(column)) for column in columns],
        data=data,
        column_oriented=True,
        settings=settings,
        block_size=len(data[0]),
    )
