"""One database, and the statements of this package's SQL files against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from clickhouse_connect.driver.client import Client

from lpa_core.tables.table import Column
from lpa_sinks.clickhouse.inline_rows import SETTINGS
from lpa_sinks.clickhouse.insert import encode, insert, insert_settings
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.materialize.statements import SQL


@final
class FactDatabase:
    """One thread at a time. Every method raises the client's errors."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = quoted(name)
        self._insert_settings = insert_settings(client)

    def query(
        self, file: str, width: int, parameters: Mapping[str, Any] | None = None, **parts: str
    ) -> Sequence[Sequence[Any]]:
        """The columns that a statement answers, ``width`` of them. ``parts`` stand for its ``$`` names."""
        answer = self._client.query(
            self._sql(file, **parts), parameters=dict(parameters or {}), settings=SETTINGS, column_oriented=True
        )
        return answer.result_columns or [()] * width  # without rows it answers no columns either

    def command(self, file: str, parameters: Mapping[str, Any] | None = None, **parts: str) -> None:
        """Run a statement that answers nothing."""
        self._client.command(
            self._sql(file, **parts), parameters=dict(parameters or {}), settings={**SETTINGS, "async_insert": 0}
        )

    def insert(self, table: str, columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> None:
        """Insert rows, given as one sequence per column, as one block."""
        encoded = encode(self._client, columns, values)
        insert(self._client, f"{self._name}.{quoted(table)}", columns, encoded, self._insert_settings)

    def _sql(self, file: str, **parts: str) -> str:
        return SQL.fill(file, database=self._name, **parts)
