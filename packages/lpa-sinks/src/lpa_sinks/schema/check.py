"""Finds where event models, DDL and live tables disagree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.tables.ingested import INGESTED_TABLES
from lpa_core.tables.table import Table
from lpa_sinks.clickhouse.types import column_type
from lpa_sinks.schema.ddl import (
    ORG_KEY,
    WITHDRAWN_TABLE,
    DeclaredTable,
    declared,
    deduplication_settings,
    definition_of,
    materialized,
    retention_days,
    sql_file,
)

_REPLICATED: Final = ("Replicated", "Shared")
"""Beginnings of the names of engines that read the replicated family of deduplication settings."""


class DriftKind(StrEnum):
    MISSING_TABLE = "missing table"
    MISSING_COLUMN = "missing column"
    EXTRA_COLUMN = "extra column"
    TYPE = "type"
    ENGINE = "engine"
    DEDUPLICATION = "deduplication"
    RETENTION = "retention"
    SORTING_KEY = "sorting key"


@final
@attrs.frozen(slots=True)
class Drift:
    """One disagreement. ``place`` is the schema file or the database, ``column`` the column's or setting's name."""

    table: str
    kind: DriftKind
    place: str
    column: str = ""
    expected: str = ""
    found: str = ""
    stops_writing: bool = False

    @property
    def is_live(self) -> bool:
        """Whether a database has drifted, and not the schema files from the rows of this version."""
        return not self.place.endswith(".sql")

    @property
    def remedy(self) -> str:
        """What to do about it, for the live tables: a command, or a statement for a person to run."""
        alter = f"ALTER TABLE {self.place}.{self.table}"
        match self.kind:
            case DriftKind.MISSING_TABLE:
                return "`lpa schema apply` makes it"
            case DriftKind.MISSING_COLUMN:
                if self.column == ORG_KEY:
                    return "`lpa schema apply` adds it, to the sorting key too"
                definition = definition_of(self.table, self.column)
                statement = f"run {alter} ADD COLUMN {definition}" if definition else ""
                if self.stops_writing:
                    return "`lpa schema apply` adds it" + (f" or {statement}" if statement else "")
                pending = "`lpa schema apply` adds it if `lpa schema plan` shows a pending migration"
                return f"{pending}, else {statement}" if statement else pending
            case DriftKind.EXTRA_COLUMN:
                return f"nothing if you added it; if it is not needed, run {alter} DROP COLUMN {self.column}"
            case DriftKind.TYPE:
                kept = f"`lpa backup create`, then run {alter} MODIFY COLUMN"
                return f"{kept} {definition_of(self.table, self.column) or f'{self.column} {self.expected}'}"
            case DriftKind.DEDUPLICATION:
                return f"run {alter} MODIFY SETTING {self.column} = {self.expected.removeprefix('at least ')}"
            case DriftKind.RETENTION:
                return "nothing if you set it; if not, change the TTL to the one that `lpa schema show` prints"
            case DriftKind.SORTING_KEY:
                rebuilt = "then `lpa materialize rebuild` where orgs are stored"
                return f"run {alter} DROP COLUMN {self.column}, then `lpa schema apply`, {rebuilt}"
            case DriftKind.ENGINE:
                aside = f"{self.place}.{self.table}_before"
                return (
                    f"run RENAME TABLE {self.place}.{self.table} TO {aside}, then `lpa schema apply`, then INSERT INTO "
                    f"{self.place}.{self.table} SELECT * FROM {aside}"
                )

    def __str__(self) -> str:
        match self.kind:
            case DriftKind.MISSING_TABLE:
                what = "the table is missing"
            case DriftKind.MISSING_COLUMN:
                what = f"column {self.column} {self.expected} is missing"
            case DriftKind.EXTRA_COLUMN:
                what = f"column {self.column} {self.found} is not expected"
            case DriftKind.TYPE:
                what = f"column {self.column} is {self.found}, expected {self.expected}"
            case DriftKind.ENGINE:
                what = f"the engine is {self.found}, expected {self.expected}"
            case DriftKind.DEDUPLICATION:
                what = f"{self.column} is {self.found}, expected {self.expected}: repeated inserts may be stored twice"
            case DriftKind.RETENTION:
                what = f"rows are kept for {self.found} days, expected {self.expected}: older ones are deleted"
            case DriftKind.SORTING_KEY:
                what = (
                    f"{self.column} is not in the sorting key, expected {self.expected}: orgs replace each other's rows"
                )
        return f"{self.table} in {self.place}: {what}"


def check(client: Client, database: str, tables: Sequence[Table]) -> list[Drift]:
    """Compare each table's columns with the DDL, and the DDL with the live tables; empty if all agree."""
    return [*check_declared(tables), *check_live(client, database, tables)]


def check_declared(tables: Iterable[Table]) -> list[Drift]:
    """Where the columns that rows carry and the DDL's own disagree."""
    tables = tuple(tables)
    ddl = declared(tables)
    found: list[Drift] = []
    for table in tables:
        expected = {column.name: column_type(column) for column in table.columns}
        written = {n: type_ for n, type_ in ddl[table.name].columns.items() if n not in ddl[table.name].derived}
        found += _columns(table.name, ddl[table.name].file, expected, written, needed=expected)
    return found


def check_live(client: Client, database: str, tables: Sequence[Table]) -> list[Drift]:
    """Where the DDL and the live tables disagree, for the tables given, the sink's own, and what is made of them.

    A Distributed table hands the token on: its own deduplication is not judged.
    """
    needed = {table.name: table.column_names for table in [*tables, WITHDRAWN_TABLE, *INGESTED_TABLES]}
    ddl = declared(tables)
    names = [*needed, *(each.name for each in materialized())]
    live = _live_tables(client, database, names)
    found: list[Drift] = []
    for name in names:
        expected, actual = ddl[name], live.get(name)
        if actual is None:
            found.append(Drift(name, DriftKind.MISSING_TABLE, database, stops_writing=name in needed))
            continue
        found += _columns(name, database, expected.columns, actual.columns, needed=needed.get(name, ()))
        found += _engine(database, expected, actual, stops_writing=name in needed)
        found += _sorting_key(database, expected, actual)
        found += _deduplication(database, expected, actual, written_by_ingestion=name in needed)
        found += _retention(database, expected, actual)
    return found


@final
@attrs.frozen(slots=True)
class _LiveTable:
    engine: str
    columns: Mapping[str, str]
    settings: Mapping[str, int]
    """The deduplication settings in force."""
    days: int | None
    """For which rows are kept; None if it does not say."""
    has_org_in_key: bool


def _live_tables(client: Client, database: str, names: Sequence[str]) -> Mapping[str, _LiveTable]:
    where = {"database": database, "tables": names}
    defaults = {name: int(value) for name, value in client.query(sql_file("default_settings.sql")).result_rows}
    columns: dict[str, dict[str, str]] = {name: {} for name in names}
    for table, column, type_ in client.query(sql_file("live_columns.sql"), parameters=where).result_rows:
        columns[table][column] = type_
    return {
        name: _LiveTable(
            engine,
            columns[name],
            {**defaults, **deduplication_settings(engine_full)},
            retention_days(engine_full),
            ORG_KEY in engine_full,
        )
        for name, engine, engine_full in client.query(sql_file("live_tables.sql"), parameters=where).result_rows
    }


def _columns(
    table: str, place: str, expected: Mapping[str, str], actual: Mapping[str, str], needed: Iterable[str]
) -> Iterator[Drift]:
    needed = frozenset(needed)
    for name, type_ in expected.items():
        if name not in actual:
            yield Drift(table, DriftKind.MISSING_COLUMN, place, name, type_, stops_writing=name in needed)
        elif actual[name] != type_:
            yield Drift(table, DriftKind.TYPE, place, name, type_, actual[name], stops_writing=name in needed)
    for name, type_ in actual.items():
        if name not in expected:
            yield Drift(table, DriftKind.EXTRA_COLUMN, place, name, found=type_)


def _engine(database: str, expected: DeclaredTable, actual: _LiveTable, stops_writing: bool) -> Iterator[Drift]:
    """A table may be replicated or distributed where the DDL has it plain."""
    if actual.engine != "Distributed" and not actual.engine.endswith(expected.engine):
        yield Drift(expected.name, DriftKind.ENGINE, database, "engine", expected.engine, actual.engine, stops_writing)


def _sorting_key(database: str, expected: DeclaredTable, actual: _LiveTable) -> Iterator[Drift]:
    """A column that was added alone cannot enter the key any more. Another engine is a drift of its own."""
    judged = ORG_KEY in expected.sorting_key and ORG_KEY in actual.columns and actual.engine.endswith(expected.engine)
    if judged and not actual.has_org_in_key:
        yield Drift(expected.name, DriftKind.SORTING_KEY, database, ORG_KEY, expected.sorting_key)


def _deduplication(
    database: str, expected: DeclaredTable, actual: _LiveTable, written_by_ingestion: bool
) -> Iterator[Drift]:
    if not actual.engine.endswith("MergeTree"):
        return
    family = "replicated_" if actual.engine.startswith(_REPLICATED) else "non_replicated_"
    for name, wanted in expected.settings.items():
        found = actual.settings.get(name, 0)
        if name.startswith(family) and found < wanted:
            stops_writing = written_by_ingestion and not found
            at_least = f"at least {wanted}"
            yield Drift(expected.name, DriftKind.DEDUPLICATION, database, name, at_least, str(found), stops_writing)


def _retention(database: str, expected: DeclaredTable, actual: _LiveTable) -> Iterator[Drift]:
    """Rows that are kept for longer do no harm. What is derived may rest on rows that go too early."""
    if expected.days is not None and actual.days is not None and actual.days < expected.days:
        days = str(expected.days), str(actual.days)
        yield Drift(expected.name, DriftKind.RETENTION, database, "TTL", *days)
