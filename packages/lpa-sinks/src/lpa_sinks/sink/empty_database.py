"""Whether a database holds any record: at all, or of a partition."""

from __future__ import annotations

from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_sinks.clickhouse.names import qualified
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)


def is_empty(client: Client, database: str) -> bool:
    """Whether no record is stored, accepted or rejected. Raises the client's errors."""
    ((rows,),) = client.query(_sql("any_row.sql", database)).result_rows
    return not rows


def holds(client: Client, database: str, topic: str, partition: int) -> bool:
    """Whether a record of the partition is stored, accepted or rejected. Raises the client's errors."""
    where = {"topic": topic, "partition": partition}
    ((rows,),) = client.query(_sql("any_row_of_partition.sql", database), parameters=where).result_rows
    return bool(rows)


def _sql(file: str, database: str) -> str:
    return _SQL.fill(
        file,
        raw=qualified(database, RAW_TABLE.name),
        dead_letters=qualified(database, DLQ_TABLE.name),
        quarantine=qualified(database, QUARANTINE_TABLE.name),
    )
