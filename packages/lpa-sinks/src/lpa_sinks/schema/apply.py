"""Makes the schema in a database."""

from __future__ import annotations

from collections.abc import Iterable

from clickhouse_connect.driver.client import Client

from lpa_core.tables import Table
from lpa_sinks.schema.ddl import sql_file, statements


def apply(client: Client, database: str, tables: Iterable[Table]) -> list[str]:
    """Create the database, tables and views that are missing, and answer their names.

    What is there already is left as it is, also where it has drifted: :func:`lpa_sinks.schema.check.check` tells.
    Raises SinkMisconfigured where a plugin's table cannot be made, and the client's errors.
    """
    to_run = statements(tables, database)
    before = _names(client, database)
    for statement in to_run:
        client.command(statement)
    return sorted(_names(client, database) - before)


def _names(client: Client, database: str) -> set[str]:
    found = client.query(sql_file("object_names.sql"), parameters={"database": database})
    return {name for (name,) in found.result_rows}
