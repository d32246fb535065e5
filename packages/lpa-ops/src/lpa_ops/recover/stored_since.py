"""Whether records came in while a recovery was under way."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.positions.stored_tables import stored_tables
from lpa_ops.recover.statements import sql_of


def stored_since(client: Client, database: str, since_ms: int) -> int:
    """How many records were stored, accepted or rejected, after ``since_ms`` (epoch ms). Raises the client's errors."""
    places = {RAW_TABLE.name, DLQ_TABLE.name, QUARANTINE_TABLE.name}
    return sum(
        int(client.query(sql_of("stored_since.sql", table.target), parameters={"since": since_ms}).result_rows[0][0])
        for table in stored_tables(client, database)
        if table.name in places
    )
