"""Which blocks a table remembers to have taken: forgotten where their rows were taken out, to be read again."""

from __future__ import annotations

from collections.abc import Collection

from clickhouse_connect.driver.client import Client

from lpa_ops.recover.statements import sql
from lpa_sinks.clickhouse.names import quoted


def detached(client: Client, database: str) -> list[tuple[str, str]]:
    """Tables and parts that somebody has detached. Raises the client's errors."""
    found = client.query(sql("detached_parts.sql", database), parameters={"database": database})
    return [(table, part) for table, part in found.result_rows]


def forget(client: Client, database: str, tables: Collection[str], but: Collection[tuple[str, str]]) -> None:
    """Have the tables take every block, whatever they had before: a file's blocks have the same tokens each time.

    Nothing but detaching a part makes a table forget the tokens of its rows for good. ``but`` are the parts that were
    detached before: interrupted, what else is detached is of the attempt before this one. Raises the client's errors.
    """
    _attach(client, database, tables, but)
    where = {"database": database, "tables": sorted(tables)}
    for table, id_ in client.query(sql("partitions_of_tables.sql", database), parameters=where).result_rows:
        _detach(client, database, table, id_)
        _attach(client, database, [table], but)


def _detach(client: Client, database: str, table: str, id_: str) -> None:
    client.command(f"ALTER TABLE {quoted(database)}.{quoted(table)} DETACH PARTITION ID '{id_}'")


def _attach(client: Client, database: str, tables: Collection[str], but: Collection[tuple[str, str]]) -> None:
    for table, part in detached(client, database):
        if table in tables and (table, part) not in but:
            client.command(f"ALTER TABLE {quoted(database)}.{quoted(table)} ATTACH PART '{part}'")
