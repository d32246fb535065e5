"""Where the sink's rows are, for the contract suite."""

from __future__ import annotations

from typing import Any, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.tables.table import Kind, Table
from lpa_sinks.clickhouse.client import Endpoint
from lpa_sinks.clickhouse.retries import RetryPolicy
from lpa_sinks.sink.sink import ClickHouseSink
from lpa_sinks.testing.http_front import PASSWORD


@final
@attrs.frozen
class ClickHousePlace:
    """A database, looked at and changed through the embedded engine however the sink reaches it."""

    engine: Client
    endpoint: Endpoint
    retry: RetryPolicy = attrs.field(factory=lambda: RetryPolicy(seconds=0, unknown_attempts=1))

    def sink(self) -> ClickHouseSink:
        return ClickHouseSink(self.endpoint, PASSWORD, retry=self.retry)

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        values = [
            f"toUnixTimestamp64Milli({column.name})" if column.kind is Kind.TIMESTAMP else column.name
            for column in table.columns
        ]
        rows: list[tuple[Any, ...]] = self.query(f"SELECT {', '.join(values)} FROM {self.name(table)}")
        return rows

    def refuse(self, table: Table, text: str) -> None:
        self.change(table, f"ADD CONSTRAINT acceptable CHECK text != '{text}'")

    def drop_table(self, table: Table) -> None:
        self.engine.command(f"DROP TABLE IF EXISTS {self.name(table)} SYNC")

    def drop_column(self, table: Table, column: str) -> None:
        self.change(table, f"DROP COLUMN {column}")

    def change_type(self, table: Table, column: str) -> None:
        self.change(table, f"MODIFY COLUMN {column} UInt64")

    def change(self, table: Table, alteration: str) -> None:
        self.engine.command(f"ALTER TABLE {self.name(table)} {alteration}")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.engine.query(sql).result_rows]

    def name(self, table: Table) -> str:
        return f"{self.endpoint.database}.{table.name}"
