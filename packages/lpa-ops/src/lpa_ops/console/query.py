"""The query box: one statement that reads, within limits that it cannot lift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.errors import UsageError
from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest
from lpa_sinks.clickhouse.client import Endpoint, connect
from lpa_sinks.clickhouse.errors import describe
from lpa_sinks.clickhouse.plain_values import plain
from lpa_sinks.clickhouse.read_only import QueryResult, ask, require_limits, require_reading, worded
from lpa_sinks.clickhouse.read_socket import read_client
from lpa_sinks.clickhouse.retries import AT_ONCE

MOST_ROWS: Final = 1_000
_LIMITS: Final = {"readonly": 1, "max_memory_usage": 1 << 30, "max_threads": 2, "max_result_bytes": 1 << 26}
"""With ``readonly`` 2 a statement's SETTINGS would lift the limits, and table functions read files and servers."""

_BEYOND_LIMITS: Final = (159, 160, 241, 307, 396)
"""TIMEOUT_EXCEEDED, TOO_SLOW, MEMORY_LIMIT_EXCEEDED, TOO_MANY_BYTES, TOO_MANY_ROWS_OR_BYTES."""


@final
class QueryBox:
    """Asks with a client of its own for each statement, which can only read.

    An embedded database is asked over its read socket, also if this process offers it: the socket makes every session
    read-only.
    """

    def __init__(self, endpoint: Endpoint, password: str, seconds: int) -> None:
        self._endpoint, self._password, self._seconds = endpoint, password, seconds

    def ask(self, sql: str) -> QueryResult:
        """The rows of a statement, at most :data:`MOST_ROWS`.

        Raises UsageError if it does not read or cannot be run, SinkUnavailable, SinkMisconfigured.
        """
        require_reading(sql)
        require_limits(sql)
        database = self._endpoint.database

        def asked() -> QueryResult:
            try:
                with self._client() as client:
                    return ask(client, database, sql, MOST_ROWS, self._seconds, _LIMITS)
            except ClickHouseError as error:
                if getattr(error, "code", None) in _BEYOND_LIMITS:
                    raise UsageError(f"the query takes more than it may: {describe(error)}: ask for less") from None
                raise

        return AT_ONCE.run(f"{database}: query", worded(asked))

    @contextmanager
    def _client(self) -> Iterator[Client]:
        path = self._endpoint.path
        if path is None:
            client = connect(self._endpoint, self._password, self._seconds + 5)
        else:
            client = read_client(path, self._seconds + 5)
        try:
            yield client
        finally:
            client.close()


def _read(sources: ConsoleSources, request: PageRequest) -> Mapping[str, Any]:
    # Somebody has to offer the read socket of an embedded database.
    sources.database.run(lambda client: client.command("SELECT 1"))
    answer = sources.query(request.text("sql"))
    return {
        "columns": answer.columns,
        "rows": [[plain(value) for value in row] for row in answer.rows],
        "more": answer.more,
        "most": MOST_ROWS,
    }


PAGES: Final = (ConsolePage("query", "Query", "query.html", _read, posted=True),)
