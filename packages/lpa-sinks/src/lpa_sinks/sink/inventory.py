"""Which positions of partitions the tables of a database hold."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from lpa_core.sinks.sink import RowsOfRange, SinkUnavailable, StoredOffsets
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_core.tables.table import Table
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.sink.completion import inserts_under_way

_SQL: Final = SqlFiles(__package__)

_PATIENCE_SECONDS: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 0.2


def stored_offsets(
    client: Client, tables: Iterable[str], topic: str, first: Mapping[int, int]
) -> dict[int, StoredOffsets]:
    """For each partition with rows at or beyond the offset in ``first``: the offsets of these rows.

    One statement for all tables and partitions. Raises the client's errors.

    Args:
        tables: their names, qualified and quoted.
    """
    if not first:
        return {}
    of_each = "\nUNION ALL\n".join(_SQL.fill("stored_offsets.sql", table=table) for table in tables)
    where: dict[str, Any] = {
        "topic": topic,
        "least": min(first.values()),
        "partitions": list(first),
        "first": list(first.values()),
    }
    found = client.query(
        f"SELECT source_partition, min(lowest), max(highest) FROM ({of_each}) GROUP BY source_partition",
        parameters=where,
    ).result_rows
    return {partition: StoredOffsets(lowest, highest) for partition, lowest, highest in found}


def stored_rows(
    client: Client, tables: Mapping[str, str], gaps: str, topic: str, partition: int, first: int, end: int
) -> RowsOfRange:
    """What is stored of the offsets from ``first`` on and before ``end``. Raises the client's errors.

    Args:
        tables: by their names, the same qualified and quoted.
        gaps: the table of known gaps, qualified and quoted.
    """
    where = {"topic": topic, "partition": partition, "first": first, "end": end}
    of_each = "\nUNION ALL\n".join(
        _SQL.fill("stored_rows.sql", table=table, name=name) for name, table in tables.items()
    )
    found: dict[str, dict[int, int]] = {}
    for name, offset, batch_time in client.query(of_each, parameters=where).result_rows:
        found.setdefault(name, {})[offset] = batch_time
    spans = client.query(_SQL.fill("stored_gaps.sql", table=gaps), parameters=where).result_rows
    return RowsOfRange(found, [OffsetSpan(*span) for span in spans])


def newest_batch_time(client: Client, tables: Iterable[str]) -> int:
    """The latest ingestion time in any of the tables, epoch ms; 0 if they are empty. Raises the client's errors."""
    of_each = "\nUNION ALL\n".join(_SQL.fill("newest_batch_time.sql", table=table) for table in tables)
    ((newest,),) = client.query(f"SELECT max(newest) FROM ({of_each})").result_rows
    return max(0, int(newest))


def wait_for_inserts(client: Client, tables: Sequence[Table], topic: str, partitions: Iterable[int]) -> None:
    """Return once the server that answers inserts no rows of these partitions, such as those of a dead worker.

    Raises SinkUnavailable if it still does after some seconds, and the client's errors.
    """
    inserts = [(table, topic, partition) for table in tables for partition in partitions]
    until = time.monotonic() + _PATIENCE_SECONDS
    while inserts_under_way(client, inserts):
        if time.monotonic() > until:
            raise SinkUnavailable(f"inserts of {topic} by another worker are still running")
        time.sleep(_LOOK_AGAIN_SECONDS)
