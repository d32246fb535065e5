"""The tables of a database: which tell the positions their rows came from, and what they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.delivery.consumer_group import Partition
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.positions.set_aside_tables import is_set_aside
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)

_POSITION: Final = frozenset({"source_topic", "source_partition", "source_offset"})
_MERGING: Final = ("Replacing", "Summing", "Aggregating", "Collapsing", "Coalescing", "Graphite")
"""In the names of engines whose merges change rows."""
_SYNCHRONOUSLY: Final = {"lightweight_deletes_sync": 2, "mutations_sync": 2}


@final
@attrs.frozen(slots=True)
class Content:
    """Rows of a table, a checksum over all of their columns in whatever order, and when the oldest came, epoch s."""

    rows: int
    checksum: int
    oldest: int = 0


@final
@attrs.frozen
class StoredTable:
    """A table that holds rows of its own. ``columns`` are those that can be compared."""

    name: str
    target: str
    """Its name, qualified and quoted."""
    columns: Sequence[str]
    merging: bool
    """Whether merges change its rows."""

    @property
    def counted(self) -> str:
        """What rows are counted of: without those that a later version of the same row replaces."""
        return f"{self.target} FINAL" if self.merging else self.target

    @property
    def tells_positions(self) -> bool:
        return set(self.columns) >= _POSITION


def table_names(client: Client, database: str) -> dict[str, str]:
    """Engines of all tables of the MergeTree family by name. Raises the client's errors."""
    found = client.query(_SQL.text("merge_tree_tables.sql"), parameters={"database": database})
    return {str(name): str(engine) for name, engine in found.result_rows}


def stored_tables(client: Client, database: str) -> list[StoredTable]:
    """The tables of the MergeTree family, without those that a recovery set aside. Raises the client's errors."""
    where = {"database": database}
    columns: dict[str, list[str]] = defaultdict(list)
    for table, column in client.query(_SQL.text("stored_columns.sql"), parameters=where).result_rows:
        columns[table].append(column)
    return [
        StoredTable(
            name,
            f"{quoted(database)}.{_name(name)}",
            columns[name],
            any(kind in engine for kind in _MERGING),
        )
        for name, engine in table_names(client, database).items()
        if not is_set_aside(name)
    ]


def positions(client: Client, tables: Sequence[StoredTable]) -> dict[Partition, int]:
    """For each partition that any of the tables has rows of, the offset after the last. Raises the client's errors."""
    return {partition: span.behind for partition, span in stored_spans(client, tables).items()}


def stored_spans(client: Client, tables: Sequence[StoredTable]) -> dict[Partition, OffsetSpan]:
    """Like :func:`positions`, from the first offset that any of them has. Raises the client's errors."""
    found: dict[Partition, OffsetSpan] = {}
    for table in tables:
        if not table.tells_positions:
            continue
        query = _SQL.fill("positions.sql", table=table.target)
        for topic, number, first, behind in client.query(query).result_rows:
            partition = Partition(topic, number)
            known = found.get(partition, OffsetSpan(first, behind))
            found[partition] = OffsetSpan(min(known.first, first), max(known.behind, behind))
    return found


def content(client: Client, table: StoredTable, boundaries: Mapping[Partition, int]) -> Content:
    """What a table holds before the boundaries; all of it where it tells no positions. Raises the client's errors."""
    query = _SQL.fill(
        "content.sql",
        columns=", ".join(_name(column) for column in table.columns) or "1",
        oldest="toUnixTimestamp(min(ingestion_timestamp))" if "ingestion_timestamp" in table.columns else "0",
        table=table.counted,
        condition=_SQL.text("before_boundaries.sql") if table.tells_positions else "1",
    )
    parameters = _parameters(boundaries) if table.tells_positions else {}
    (row,) = client.query(query, parameters=parameters).result_rows
    return Content(*row)


def rows(client: Client, table: StoredTable) -> int:
    """How many rows a table has, counted as :func:`content` counts them. Raises the client's errors."""
    return int(client.query(f"SELECT count() FROM {table.counted}").result_rows[0][0])


def cut(client: Client, table: StoredTable, boundaries: Mapping[Partition, int]) -> int:
    """Delete what came from the boundaries on or from other partitions, and return how many rows that was.

    They are counted as :func:`content` counts them. Raises the client's errors.
    """
    if not table.tells_positions:
        return 0
    behind = f"NOT ({_SQL.text('before_boundaries.sql')})"
    parameters = _parameters(boundaries)

    def count(what: str) -> int:
        return int(client.query(f"SELECT count() FROM {what} WHERE {behind}", parameters=parameters).result_rows[0][0])

    # Deleting writes to every part of the table even where it finds nothing.
    if not count(table.target):
        return 0
    found = count(table.counted)
    client.command(f"DELETE FROM {table.target} WHERE {behind}", parameters=parameters, settings=_SYNCHRONOUSLY)
    return found


def _parameters(boundaries: Mapping[Partition, int]) -> dict[str, Any]:
    return {
        "topics": [partition.topic for partition in boundaries],
        "partitions": [partition.number for partition in boundaries],
        "offsets": list(boundaries.values()),
    }


def _name(identifier: str) -> str:
    """In backticks. Names come from the database itself, so any that it has is one."""
    escaped = identifier.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
