"""Whether a database holds anything of any record: at all, or of a partition."""

from __future__ import annotations

from typing import Any, Final

from clickhouse_connect.driver.client import Client

from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE
from lpa_sinks.clickhouse.names import qualified
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)


def is_empty(client: Client, database: str) -> bool:
    """Whether nothing is known of any record, be it accepted, rejected or ignored. Raises the client's errors."""
    return not _any_row(client, database, "any_row.sql")


def holds(client: Client, database: str, topic: str, partition: int) -> bool:
    """Whether anything is known of a record of the partition, as above. Raises the client's errors."""
    return _any_row(client, database, "any_row_of_partition.sql", topic=topic, partition=partition)


def _any_row(client: Client, database: str, file: str, **where: Any) -> bool:
    # Gaps alone are no sign of records: a topic has them where transactions end. A table that came with a later version
    # may be missing: then nothing is in it.
    names = [table.name for table in INGESTED_TABLES if table is not KNOWN_GAPS_TABLE]
    there = client.query(_SQL.text("tables_there.sql"), parameters={"database": database, "names": names}).result_rows
    of_each = "\nUNION ALL\n".join(_SQL.fill(file, table=qualified(database, name)) for (name,) in there)
    return bool(of_each) and bool(client.query(of_each, parameters=where).result_rows)
