"""What tables hold, to compare two databases by: all columns but those that say when a row was written.

Derived tables keep versions of their rows: of these, the views that show the newest.
"""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.client import Client

_TABLES = """
SELECT table, groupArrayIf(name, name NOT IN ('ingestion_timestamp', 'version') AND type NOT LIKE '%AggregateFunction%')
FROM system.columns
WHERE database = {database:String} AND default_kind IN ('', 'DEFAULT')
GROUP BY table
HAVING has(groupArray(name), 'source_offset') OR match(table, '^(fact|agg)_.*') AND NOT endsWith(table, '_versions')
"""
_ROWS = """
SELECT count(), groupBitXor(row_hash), sum(row_hash) FROM (
    SELECT sipHash64(formatRow('JSONEachRow', {columns})) AS row_hash
    FROM `{database}`.`{table}`)
"""
_WITHOUT = {"known_gaps", "withdrawn_positions"}


def content(client: Client, database: str = "livepeer_analytics", kind: str = "") -> dict[str, tuple[Any, ...]]:
    """For each table how many rows it has, and checksums over them in whatever order; ``kind``: how names begin."""
    found = client.query(_TABLES, parameters={"database": database}).result_rows
    return {
        table: tuple(client.query(_rows(database, table, columns)).result_rows[0])
        for table, columns in sorted(found)
        if table.startswith(kind) and table not in _WITHOUT
    }


def _rows(database: str, table: str, columns: list[str]) -> str:
    return _ROWS.format(columns=", ".join(f"`{column}`" for column in columns), database=database, table=table)
