"""What routes read from: the statements of the read API, within limits, with errors that its clients can use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, final

import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.errors import ConfigurationError, Unavailable
from lpa_ops.read_api.problem import ReadRefused
from lpa_sinks.clickhouse.errors import describe, is_not_there
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)
_TOO_LONG: Final = (159, 160)
"""TIMEOUT_EXCEEDED, TOO_SLOW."""
_RETRY_SECONDS: Final = {"Retry-After": "5"}

_log = structlog.get_logger("lpa.serve")


@final
class StoredRows:
    """The database that lpa writes (a :class:`lpa_ops.read_api.route.Database`). Several threads may use it."""

    def __init__(self, readers: Readers, database: str, seconds: int) -> None:
        """A statement may take ``seconds``."""
        self._readers, self._database = readers, database
        self._settings = {
            "readonly": 2,
            "max_execution_time": seconds,
            "join_use_nulls": 0,
            # A condition on the sorting key is the same for all versions of a row: it may come before they are merged.
            "optimize_move_to_prewhere_if_final": 1,
        }

    def rows(self, sql: str, parameters: Mapping[str, Any]) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        statement = _SQL.text(sql)

        def read(client: Client) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
            client.database = self._database
            result = client.query(statement, parameters=dict(parameters), settings=self._settings)
            return result.column_names, result.result_rows

        try:
            return self._readers.run(read)
        except ClickHouseError as error:
            if getattr(error, "code", None) in _TOO_LONG:
                raise _unavailable("this takes too long: ask for less at once") from None
            _log.error("a statement of the read API failed", statement=sql, reason=describe(error))
            if is_not_there(error):
                raise _unavailable(
                    "the database lacks a table or column that this version reads: run `lpa schema apply`"
                ) from None
        except (Unavailable, ConfigurationError) as error:
            _log.error("the database cannot be read", reason=str(error))
        raise _unavailable("the database cannot be read now: ask again, or see the log of lpa serve")


def _unavailable(detail: str) -> ReadRefused:
    return ReadRefused(HTTPStatus.SERVICE_UNAVAILABLE, detail, _RETRY_SECONDS)
