"""A database as statements need it: qualified names, and lists of keys as literals."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, Final, final

from clickhouse_connect.driver.client import Client

from lpa_core.sinks import StoredRange
from lpa_core.tables import Column, Kind
from lpa_sinks.clickhouse.insert import encode, insert, insert_settings, uncompressed
from lpa_sinks.schema.ddl import quoted

_RANGES: Final = (
    Column("topic", Kind.TEXT),
    Column("partition", Kind.UINT32),
    Column("batch_time", Kind.INT64),
)

_SYNCHRONOUSLY: Final = {"max_query_size": 1 << 30}


@final
class Database:
    """Statements of this package's SQL files against one database. One thread at a time."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._name = quoted(name)
        self._insert_settings = insert_settings(client)

    def query(self, file: str, parameters: Mapping[str, Any] | None = None, **parts: str) -> Sequence[Sequence[Any]]:
        """The columns that a SQL file answers, each as one sequence. Raises the client's errors."""
        answer = self._client.query(
            self._sql(file, **parts), parameters=dict(parameters or {}), settings=_SYNCHRONOUSLY, column_oriented=True
        )
        return answer.result_columns or [()] * len(answer.column_names)

    def command(self, file: str, parameters: Mapping[str, Any] | None = None, **parts: str) -> None:
        """Run a statement of a SQL file. Raises the client's errors."""
        self._client.command(
            self._sql(file, **parts), parameters=dict(parameters or {}), settings={**_SYNCHRONOUSLY, **_WHOLE}
        )

    def insert(self, table: str, columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> None:
        """Insert rows, given as one sequence per column, as one block. Raises the client's errors."""
        encoded = encode(self._client, columns, values)
        insert(self._client, f"{self._name}.{quoted(table)}", columns, encoded, self._insert_settings)

    def _sql(self, file: str, **parts: str) -> str:
        return Template(text(file)).substitute(database=self._name, **parts)


_WHOLE: Final = {"async_insert": 0}


@cache
def text(file: str) -> str:
    """One of this package's SQL files."""
    return files("lpa_sinks.materialize").joinpath("sql", file).read_text(encoding="utf-8")


def texts_literal(**columns: Iterable[str]) -> str:
    """Text columns of equal length as a Native block in base64: a table that a statement carries with it."""
    described = [Column(name, Kind.TEXT) for name in columns]
    return b64encode(uncompressed(described, [list(values) for values in columns.values()])).decode()


def ranges_literal(ranges: Sequence[StoredRange]) -> str:
    """Ranges as a table of topic, partition and batch time."""
    rows = [(each.topic, each.partition, each.batch_time) for each in ranges]
    return b64encode(uncompressed(_RANGES, list(zip(*rows, strict=True)))).decode()
