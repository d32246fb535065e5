"""What tables hold, to compare two databases by: all columns but those that say when a row was written."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.client import Client

_TABLES = "SELECT name FROM system.tables WHERE database = {database:String} AND engine LIKE '%MergeTree'"
_ROWS = """
SELECT count(), groupBitXor(row_hash), sum(row_hash) FROM (
    SELECT sipHash64(formatRow('JSONEachRow', * EXCEPT (ingestion_timestamp))) AS row_hash
    FROM {database:Identifier}.{table:Identifier})
"""
_WITHOUT = {"withdrawn_positions", "schema_migrations"}


def content(client: Client, database: str = "livepeer_analytics") -> dict[str, tuple[Any, ...]]:
    """For each table how many rows it has, and checksums over them in whatever order."""
    found = client.query(_TABLES, parameters={"database": database}).result_rows
    tables = [name for (name,) in found if name not in _WITHOUT]
    return {
        table: tuple(client.query(_ROWS, parameters={"database": database, "table": table}).result_rows[0])
        for table in sorted(tables)
    }
