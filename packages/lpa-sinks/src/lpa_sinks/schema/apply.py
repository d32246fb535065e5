"""Makes the schema in a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_core.counted import counted
from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.table import Column, Kind, Table
from lpa_sinks.clickhouse.types import column_type
from lpa_sinks.schema.ddl import (
    SCHEMA_FILES,
    SQL,
    VERSIONS,
    WITHDRAWN_TABLE,
    declared,
    definition_of,
    in_database,
    retention_days,
    sql_file,
    statements,
    time_to_live,
)
from lpa_sinks.schema.migrations import remember_baseline

_CREATES: Final = re.compile(r"CREATE (?:TABLE|VIEW) IF NOT EXISTS \S+?\.`?(\w+)")


def apply(client: Client, database: str, tables: Iterable[Table], files: Sequence[str] = SCHEMA_FILES) -> list[str]:
    """Create the database, tables, views and columns that rows have and that are missing, and return their names.

    ``files`` limits it to what some of :data:`~lpa_sinks.schema.ddl.SCHEMA_FILES` make, and to plugins' tables.
    Everything else that is there already is left as it is, also if it has drifted:
    :func:`lpa_sinks.schema.check.check` tells. In rows that are there, a new column is null, 0 or empty. The view that
    shows the latest versions of rows shows a new column of theirs.

    A database that has none of the schema yet remembers the migrations of this version: the files hold what they make.

    Raises SinkMisconfigured if a plugin's table cannot be made, and the client's errors.
    """
    tables = [*tables]
    to_run = statements(tables, database, files)
    before = object_names(client, database)
    for statement in to_run:
        made = _CREATES.search(statement)
        if made is None or made[1] not in before:
            client.command(statement)
    written = {table.name: table for table in (*tables, WITHDRAWN_TABLE, *INGESTED_TABLES, *_derived(files))}
    there = [table for name, table in written.items() if name in before]
    added = _add_columns(client, database, there)
    _show_columns(client, database, {name.partition(".")[0] for name in added})
    kept = _keep(client, database, there)
    new = object_names(client, database) - before
    if before.isdisjoint(declared(())):
        remember_baseline(client, database)
    return sorted([*new, *added, *kept])


def planned(client: Client, database: str, tables: Iterable[Table]) -> list[str]:
    """What :func:`apply` would make or change in a database: a line for each table, column and retention.

    One line if there is nothing of the schema yet. Raises the client's errors.
    """
    tables = [*tables]
    names = object_names(client, database)
    wanted = declared(tables)
    if names.isdisjoint(wanted):
        return [f"no table is there, of {len(wanted)} tables and views"]
    written = [*tables, WITHDRAWN_TABLE, *INGESTED_TABLES, *_derived(SCHEMA_FILES)]
    there = [table for table in written if table.name in names]
    missing = [name for name in wanted if name not in names]
    missing += [f"{table.name}.{column.name}" for table, _, column in _lacking(client, database, there)]
    kept = [_told(client, database, table, days) for table, days in _kept_otherwise(client, database, there)]
    return [*(f"{name} is missing" for name in sorted(missing)), *kept]


def _add_columns(client: Client, database: str, tables: Sequence[Table]) -> list[str]:
    """Add the columns that tables lack. A Distributed table stays: those below it come first."""
    added, known = [], declared(())
    for table, before, column in _lacking(client, database, tables):
        defined = definition_of(table.name, column.name) or f"{column.name} {column_type(column)}"
        statement = SQL.fill("add_column.sql", table=table.name, column=defined, before=before.name)
        key = known[table.name].sorting_key if table.name in known else ""
        if re.search(rf"\b{column.name}\b", key):  # never without the key: a column that is there cannot enter it
            statement += SQL.fill("extend_key.sql", key=key)
        client.command(in_database(statement, database))
        added.append(f"{table.name}.{column.name}")
    return added


def _lacking(client: Client, database: str, tables: Sequence[Table]) -> list[tuple[Table, Column, Column]]:
    """Each column that a table lacks, with the table and the column before it."""
    where = {"database": database, "tables": [table.name for table in tables]}
    if not tables:
        return []
    engines = {
        name: engine for name, engine, _ in client.query(sql_file("live_tables.sql"), parameters=where).result_rows
    }
    columns = client.query(sql_file("live_columns.sql"), parameters=where).result_rows
    there = {(table, column) for table, column, _ in columns}
    return [
        (table, before, column)
        for table in tables
        if engines[table.name].endswith("MergeTree")
        for before, column in pairwise(table.columns)
        if (table.name, column.name) not in there
    ]


def _keep(client: Client, database: str, tables: Sequence[Table]) -> list[str]:
    """Change how long tables keep their rows, where they say it themselves."""
    told: list[str] = []
    for table, days in _kept_otherwise(client, database, tables):
        told.append(_told(client, database, table, days))
        statement = SQL.fill("modify_ttl.sql", table=table.name, ttl=time_to_live(table))
        client.command(in_database(statement, database))
    return told


def _kept_otherwise(client: Client, database: str, tables: Sequence[Table]) -> list[tuple[Table, int]]:
    """Tables that say themselves how long they keep their rows, and the days in force, if these are others."""
    told = [table for table in tables if table.keep_days is not None]
    if not told:
        return []
    where = {"database": database, "tables": [table.name for table in told]}
    engines = {
        name: engine for name, _, engine in client.query(sql_file("live_tables.sql"), parameters=where).result_rows
    }
    days = {name: found for name, engine in engines.items() if (found := retention_days(engine))}
    return [(table, days[table.name]) for table in told if days.get(table.name, table.keep_days) != table.keep_days]


def _told(client: Client, database: str, table: Table, days: int) -> str:
    """What becomes of the table's rows, with those that a shorter retention deletes at once."""
    told = f"{table.name}: rows are kept for {table.keep_days} days instead of {days}"
    if table.keep_days is None or table.keep_days > days:
        return told
    statement = SQL.fill("expired_rows.sql", table=table.name, ttl=time_to_live(table))
    ((rows,),) = client.query(in_database(statement, database)).result_rows
    return f"{told}, which deletes {counted(rows, 'row')} that {'is' if rows == 1 else 'are'} older"


def _derived(files: Sequence[str]) -> list[Table]:
    """The tables of these files that derivation writes, by the columns that it writes."""
    return [
        Table(each.name, tuple(Column(name, Kind.TEXT) for name in each.columns if name not in each.derived))
        for each in declared(()).values()
        if each.name.endswith(VERSIONS) and each.file in files
    ]


def _show_columns(client: Client, database: str, tables: set[str]) -> None:
    """Define the views of these tables' latest versions as the files do. Raises the client's errors."""
    views = {table.removesuffix(VERSIONS) for table in tables if table.endswith(VERSIONS)}
    for statement in statements((), database) if views else ():
        made = _CREATES.search(statement)
        if made is not None and made[1] in views:
            client.command(statement.replace("CREATE VIEW IF NOT EXISTS", "CREATE OR REPLACE VIEW", 1))


def object_names(client: Client, database: str) -> set[str]:
    """The tables and views that a database has; none if there is no such database. Raises the client's errors."""
    found = client.query(sql_file("object_names.sql"), parameters={"database": database})
    return {name for (name,) in found.result_rows}
