"""The schema as SQL text: the built-in tables and views, and a table for each plugin's events.

The files of :data:`SCHEMA_FILES` are the source of truth for the built-in tables and views. A plugin's table is made
from its :class:`~lpa_core.tables.table.Table` by the template :data:`PLUGIN_TABLE_FILE`.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, final

import attrs

from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.row_layout import LEADING_COLUMNS
from lpa_core.tables.table import Column, Kind, Table
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.clickhouse.types import column_type

SQL: Final = SqlFiles("lpa_sinks.schema")

INGESTED_FILE: Final = "01-schema.sql"
"""Makes the tables that ingestion writes."""
SCHEMA_FILES: Final = (
    INGESTED_FILE,
    "02-facts.sql",
    "03-dimensions.sql",
    "04-views.sql",
    "05-replay.sql",
    "06-job-views.sql",
)
"""In the order in which they are run; ``configs/clickhouse-init`` holds the same."""
PLUGIN_TABLE_FILE: Final = "plugin_table.sql"
DEFAULT_DAYS: Final = 90
"""For which rows of a plugin's table are kept if it does not say."""
DEFAULT_DATABASE: Final = "livepeer_analytics"
"""The database that the SQL files name."""

WITHDRAWN_TABLE: Final = Table(
    "withdrawn_positions",
    (
        Column("table_name", Kind.LABEL),
        Column("source_topic", Kind.LABEL),
        Column("source_partition", Kind.UINT32),
        Column("source_offset", Kind.UINT64),
    ),
)
"""What was withdrawn from which table, kept for longer than any overtaken worker lives on."""

_CREATE: Final = re.compile(
    rf"^CREATE (?:TABLE|VIEW) IF NOT EXISTS {DEFAULT_DATABASE}\.(\w+)\n\((.*?)^\)(.*?);$", re.MULTILINE | re.DOTALL
)
_ENGINE: Final = re.compile(r"^ENGINE = (\w+)", re.MULTILINE)
_COLUMN: Final = re.compile(
    r"^ {4}(?!INDEX )(\w+) (.+?)(?: (DEFAULT|MATERIALIZED|ALIAS) .+?)?(?: COMMENT '[^']*')?,?$", re.MULTILINE
)
_SORTING_KEY: Final = re.compile(r"^ORDER BY (.*)$", re.MULTILINE)
VERSIONS: Final = "_versions"
ORG_KEY: Final = "org_key"
"""The column by which org is in the sorting key of a table of versions."""
ONLY_OF_VERSIONS: Final = frozenset({ORG_KEY, "is_deleted"})
"""Columns of a table of versions that the view of the latest ones does not show."""
_SETTING: Final = re.compile(r"(\w+_deduplication_\w+) = (\d+)")
_DAYS: Final = re.compile(r"\bTTL\b.*?(?:INTERVAL (\d+) DAY|toIntervalDay\((\d+)\))", re.DOTALL)
"""As the files say it, or as ClickHouse repeats it."""


@final
@attrs.frozen(slots=True)
class DeclaredTable:
    """A table, or a view that says its columns, as the DDL has it.

    ``file`` is the SQL file that makes it, ``engine`` is ``View`` for a view. ``columns`` maps each name to its type;
    ``derived`` names those that ClickHouse computes. ``settings`` has the table's deduplication windows. ``days`` says
    for how long rows are kept, None for ever. ``sorting_key`` is an expression, empty for a view.
    """

    name: str
    file: str
    engine: str
    columns: Mapping[str, str]
    derived: frozenset[str]
    settings: Mapping[str, int]
    days: int | None = None
    sorting_key: str = ""


def sql_file(name: str) -> str:
    """The text of one of this package's SQL files."""
    return SQL.text(name)


def statements(tables: Iterable[Table], database: str, files: Sequence[str] = SCHEMA_FILES) -> list[str]:
    """Every statement that makes the schema in ``database``, in order, each safe to run again.

    Args:
        tables: all tables that will be written; those that the schema files do not have get a statement of their own.
        files: some of :data:`SCHEMA_FILES`.

    Raises SinkMisconfigured if a plugin's table cannot be made.
    """
    sql = "\n".join([*map(sql_file, files), *(plugin_table(table) for table in plugin_tables(tables))])
    statements = re.split(r";\s*$", in_database(sql, database), flags=re.MULTILINE)
    return [statement.strip() for statement in statements if statement.strip()]


def in_database(sql: str, database: str) -> str:
    """SQL of this package's files, of the database instead of :data:`DEFAULT_DATABASE`.

    Raises SinkMisconfigured if the name is none.
    """
    if database == DEFAULT_DATABASE:
        return sql
    name = quoted(database)
    sql = sql.replace(f"'{DEFAULT_DATABASE}'", f"'{database}'")
    return re.sub(rf"\b{DEFAULT_DATABASE}\b", name, sql)


def declared(tables: Iterable[Table]) -> Mapping[str, DeclaredTable]:
    """The built-in tables and views, and the tables of plugins, by name."""
    plugins = [_read(PLUGIN_TABLE_FILE, plugin_table(table)) for table in plugin_tables(tables)]
    return dict(ChainMap(*plugins, dict(_builtin())))


def materialized() -> list[DeclaredTable]:
    """The tables and views that are made from stored rows; ingestion writes none of them."""
    return [each for each in _builtin().values() if each.file != INGESTED_FILE]


@cache
def _builtin() -> Mapping[str, DeclaredTable]:
    return dict(ChainMap(*(_read(name, sql_file(name)) for name in SCHEMA_FILES)))


def definition_of(table: str, column: str) -> str:
    """The column as a file defines it, its name first; empty if none does, such as in a plugin's table."""
    found = re.search(rf"EXISTS \S+\.{table}\n\((.*?)^\)", _builtin_sql(), re.MULTILINE | re.DOTALL)
    line = re.search(rf"^    ({column} .+?),?$", found[1], re.MULTILINE) if found else None
    return line[1] if line else ""


@cache
def _builtin_sql() -> str:
    return "\n".join(map(sql_file, SCHEMA_FILES))


def _read(file: str, sql: str) -> dict[str, DeclaredTable]:
    """The tables of SQL that is written as this package's files are: a column a line, four spaces before it."""
    found = {}
    for name, body, rest in (create.groups() for create in _CREATE.finditer(sql)):
        columns = _COLUMN.findall(body)
        engine, key = _ENGINE.search(rest), _SORTING_KEY.search(rest)
        found[name] = DeclaredTable(
            name,
            file,
            engine=engine[1] if engine else "View",
            columns={column: type_ for column, type_, _ in columns},
            derived=frozenset(column for column, _, default in columns if default in ("MATERIALIZED", "ALIAS")),
            settings=deduplication_settings(rest),
            days=retention_days(rest),
            sorting_key=key[1] if engine and key else "",
        )
        if name.endswith(VERSIONS):
            current = _current(found[name])
            found[current.name] = current
    return found


def _current(versions: DeclaredTable) -> DeclaredTable:
    """The view that shows the latest version of each row."""
    columns = {name: type_ for name, type_ in versions.columns.items() if name not in ONLY_OF_VERSIONS}
    name = versions.name.removesuffix(VERSIONS)
    return DeclaredTable(name, versions.file, "View", columns, derived=frozenset(), settings={})


def deduplication_settings(engine: str) -> Mapping[str, int]:
    """The deduplication windows that an ENGINE clause sets."""
    return {setting: int(value) for setting, value in _SETTING.findall(engine)}


def retention_days(engine: str) -> int | None:
    """For how many days an ENGINE clause keeps rows; None if it does not say so in days."""
    found = _DAYS.search(engine)
    return int(found[1] or found[2]) if found else None


def plugin_tables(tables: Iterable[Table]) -> list[Table]:
    """Those of the tables that the schema files do not have."""
    return [table for table in tables if table.name not in _builtin()]


def plugin_table(table: Table) -> str:
    """The statement that makes a plugin's table. Raises SinkMisconfigured if it cannot be made."""
    if table.columns[: len(LEADING_COLUMNS)] != LEADING_COLUMNS:
        raise SinkMisconfigured(
            f"table {table.name} does not begin with the leading columns: declare it with "
            "lpa_core.events.event_type.typed_table"
        )
    for name in (table.name, *table.column_names):
        quoted(name)
    return SQL.fill(
        PLUGIN_TABLE_FILE,
        table=table.name,
        columns=",\n    ".join(map(_plugin_column, table.columns)),
        order=", ".join(dict.fromkeys(["event_date", *table.order_by, "event_timestamp"])),
        ttl=time_to_live(table),
    )


def time_to_live(table: Table) -> str:
    """The TTL expression of a plugin's table."""
    return SQL.fill("plugin_ttl.sql", days=str(table.keep_days or DEFAULT_DAYS)).strip()


def _plugin_column(column: Column) -> str:
    comment = f" COMMENT '{column.note}'" if column.note else ""
    return f"{column.name} {column_type(column)}{comment}"
