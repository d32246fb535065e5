"""The SQL of recoveries, from its files."""

from __future__ import annotations

from typing import Final

from lpa_ops.positions.statements import filled_in
from lpa_sinks.clickhouse.sql_files import SqlFiles

SQL: Final = SqlFiles(__package__)


def sql(name: str, database: str) -> str:
    """The text of a file, filled in."""
    return filled_in(SQL.text(name), database)


def sql_of(name: str, table: str) -> str:
    """The text of a file, for a table; its name qualified and quoted."""
    return SQL.fill(name, table=table)
