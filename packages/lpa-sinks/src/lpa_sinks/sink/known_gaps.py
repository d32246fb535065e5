"""Which offsets a database knows to have no records."""

from __future__ import annotations

from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_sinks.clickhouse.names import qualified
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)


def in_gaps_query(database: str) -> str:
    """Asks how many of the offsets from ``first`` up to ``behind`` of ``topic`` and ``partition`` are in known gaps."""
    return _SQL.fill("in_gaps.sql", gaps=qualified(database, KNOWN_GAPS_TABLE.name))


def is_gap(client: Client, database: str, topic: str, partition: int, span: OffsetSpan) -> bool:
    """Whether none of the offsets had a record. Raises the client's errors."""
    where = {"topic": topic, "partition": partition, "first": span.first, "behind": span.behind}
    ((offsets,),) = client.query(in_gaps_query(database), parameters=where).result_rows
    return int(offsets or 0) == span.size
