"""How rows are encoded, and with which settings and tokens they are sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.common import write_leb128
from clickhouse_connect.driver.compression import get_compressor
from clickhouse_connect.driver.insert import InsertContext

from lpa_core.tables.table import Block, Column, Kind, Table
from lpa_sinks.clickhouse.types import column_type

_SETTINGS: Final[Mapping[str, int | str]] = {
    # The answer comes after the rows are stored, and the token is looked at (26.2 turned the first on by default).
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_insert": "enable",
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # A block is inserted whole or not at all, under its one token, no matter how large it is.
    "use_strict_insert_block_limits": 0,
    # Wrong clocks spread a block over many months; error 252 would look as if waiting helped.
    "max_partitions_per_insert_block": 0,
    # A block is one stream: for more threads there is nothing to do, and making them is a quarter of a small insert.
    "max_threads": 1,
}


def insert_settings(client: Client) -> dict[str, int | str]:
    """Those settings of every insert that this ClickHouse knows."""
    return {name: value for name, value in _SETTINGS.items() if name in client.server_settings}


def token_of_all(blocks: Iterable[Block]) -> str:
    """Names blocks that are inserted together."""
    return f"together:{hashlib.sha256(' '.join(block.token for block in blocks).encode()).hexdigest()}"


def encode(client: Client, columns: Sequence[Column], data: Sequence[Sequence[Any]]) -> bytes:
    """Rows, given as one sequence of values per column, as one block in ClickHouse's Native format.

    Compressed as the client sends it. Raises TypeError, ValueError and the like where a value does not fit its column.
    """
    block = uncompressed(columns, data)
    compressor = get_compressor(client.write_compression)
    compressed = compressor.compress_block(block)
    return bytes(compressed) + (compressor.flush() or b"")  # type: ignore[no-untyped-call]  # untyped in the library


def uncompressed(columns: Sequence[Column], data: Sequence[Sequence[Any]]) -> bytearray:
    """Like :func:`encode`, not compressed."""
    block = bytearray()
    write_leb128(len(columns), block)
    write_leb128(len(data[0]), block)
    for column, values in zip(columns, data, strict=True):
        _encode_column(column, values, block)
    return block


def insert(
    client: Client, into: str, columns: Sequence[Column], encoded: bytes, settings: Mapping[str, int | str]
) -> None:
    """Insert encoded rows by a single INSERT of a single block.

    Args:
        into: the table's name, qualified and quoted.

    Raises the client's errors.
    """
    client.raw_insert(
        into,
        [column.name for column in columns],
        encoded,
        settings=dict(settings),
        fmt="Native",
        compression=client.write_compression,
    )


def insert_nothing(client: Client, table: Table, into: str) -> None:
    """Insert no row, for the sake of the answer. Raises the client's errors."""
    client.raw_insert(into, [table.columns[0].name], b"", fmt="Native")


def fits(column: Column, values: Sequence[Any]) -> bool:
    """Whether all the values can be encoded for the column; ClickHouse is not asked."""
    try:
        _encode_column(column, values, bytearray())
    except Exception:  # whatever kind of error the client's types raise at a value
        return False
    return True


def _encode_column(column: Column, values: Sequence[Any], block: bytearray) -> None:
    kind = _kind(column_type(column))
    for text in (column.name.encode(), kind.insert_name.encode()):
        write_leb128(len(text), block)
        block += text
    # An InsertContext given the rows would refer to itself, and keep them until the garbage collector comes by.
    context = InsertContext("", (), ())
    context.start_column(column.name)
    if _is_one_value(column, values):
        _write_repeated(kind, values, block, context)
    else:
        kind.write_column(values, block, context)


def _is_one_value(column: Column, values: Sequence[Any]) -> bool:
    """Whether all values are the same, as in the columns that say where a block comes from."""
    # 0.0 is equal to -0.0, and not the same.
    if len(values) < 2 or values[0] is not values[-1] or column.kind in (Kind.FLOAT32, Kind.FLOAT64):
        return False
    return values.count(values[0]) == len(values)


def _write_repeated(kind: ClickHouseType, values: Sequence[Any], block: bytearray, context: InsertContext) -> None:
    """The same bytes as of a column that is encoded value by value."""
    kind.write_column_prefix(block)
    one, count = bytearray(), len(values)
    kind.write_column_data(values[:1], one, context)
    if kind.low_card:  # the dictionary, how many values there are (8 bytes), and for each its place in the dictionary
        block += one[:-9] + count.to_bytes(8, "little") + one[-1:] * count
    elif kind.nullable:  # for each whether it is null, then the values
        block += one[:1] * count + one[1:] * count
    else:
        block += one * count


_kind = cache(get_from_name)
