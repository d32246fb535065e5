"""The database that a replay reads dead letters from, looks stored events up in, and is written down in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.settings.settings import Settings
from lpa_core.sinks.sink import SinkMisconfigured
from lpa_core.tables.table import Table
from lpa_sinks import schema
from lpa_sinks.clickhouse import database
from lpa_sinks.clickhouse.insert import encode, insert, insert_settings
from lpa_sinks.clickhouse.names import qualified, quoted
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)

T = TypeVar("T")

_OWN_TABLES: Final = ("replay_runs", "replay_outcomes")


@final
@attrs.frozen
class ReplayDatabase:
    """A client of the database, and statements of this package with its tables' names filled in."""

    client: Client
    name: str

    def table(self, name: str) -> str:
        """Qualified and quoted. Raises SinkMisconfigured for what is not a name."""
        return qualified(self.name, name)

    def sql(self, file: str, **names: str) -> str:
        """A statement; ``$name`` stands for what is given, ``$database`` for the database."""
        return _SQL.fill(file, database=quoted(self.name), **names)

    def rows(self, what: str, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What a query answers. ``what`` is the action, for people. Raises SinkUnavailable, SinkMisconfigured."""
        return self.run(what, lambda: [tuple(row) for row in self.client.query(sql, parameters=parameters).result_rows])

    def run(self, what: str, action: Callable[[], T]) -> T:
        return AT_ONCE.run(f"{self.name}: {what}", action)

    def insert(self, table: Table, columns: list[list[Any]], token: str) -> None:
        """Insert rows, column by column, under a token: repeated, it adds nothing."""
        settings = {**insert_settings(self.client), "insert_deduplication_token": token}

        def write() -> None:
            block = encode(self.client, table.columns, columns)
            insert(self.client, self.table(table.name), table.columns, block, settings)

        self.run(f"write into {table.name}", write)

    def complete(self) -> None:
        """Make the tables, where those of replays are missing."""
        if self._missing(_OWN_TABLES):
            self.run("make the schema", lambda: schema.apply(self.client, self.name, ()))

    def require(self, *tables: str) -> None:
        """Raise SinkMisconfigured if one of the tables is missing."""
        missing = self._missing(tables)
        if missing:
            raise SinkMisconfigured(
                f"{self.name} has no table {', '.join(missing)}: `lpa schema apply` makes what is missing"
            )

    def _missing(self, tables: Sequence[str]) -> list[str]:
        there = {name for (name,) in self.rows("list the tables", _SQL.text("table_names.sql"), database=self.name)}
        return [table for table in tables if table not in there]


@contextmanager
def opened(sink: str | None, settings: Settings, *, make: bool = False) -> Iterator[ReplayDatabase]:
    """The database that ``sink`` names, by default the embedded one in the data folder.

    An embedded one gets the tables of replays where it lacks them; if there is none it is made if ``make`` says so.
    Raises SinkMisconfigured, SinkUnavailable.
    """
    with database.opened(sink, settings, make=make) as (client, name):
        found = ReplayDatabase(client, name)
        if is_embedded(sink, settings):
            found.complete()
        yield found


def is_embedded(sink: str | None, settings: Settings) -> bool:
    """Whether the database is a folder, which only one process at a time can have open."""
    return database.endpoint_of(sink, settings).path is not None
