"""Makes the schema in a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_core.tables.table import Table
from lpa_sinks.schema.ddl import SCHEMA_FILES, sql_file, statements

_CREATES: Final = re.compile(r"CREATE (?:TABLE|VIEW) IF NOT EXISTS \S+?\.`?(\w+)")


def apply(client: Client, database: str, tables: Iterable[Table], files: Sequence[str] = SCHEMA_FILES) -> list[str]:
    """Create the database, tables and views that are missing, and answer their names.

    ``files`` limits it to what some of :data:`~lpa_sinks.schema.ddl.SCHEMA_FILES` make, and to plugins' tables.
    What is there already is left as it is, also where it has drifted: :func:`lpa_sinks.schema.check.check` tells.
    Raises SinkMisconfigured if a plugin's table cannot be made, and the client's errors.
    """
    to_run = statements(tables, database, files)
    before = object_names(client, database)
    for statement in to_run:
        made = _CREATES.search(statement)
        if made is None or made[1] not in before:
            client.command(statement)
    return sorted(object_names(client, database) - before)


def object_names(client: Client, database: str) -> set[str]:
    """The tables and views that a database has; none if there is no such database. Raises the client's errors."""
    found = client.query(sql_file("object_names.sql"), parameters={"database": database})
    return {name for (name,) in found.result_rows}
