"""The database that pages read, within limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, final

from clickhouse_connect.driver.client import Client

from lpa_ops.trace.questions import Questions
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.readers import Readers
from lpa_sinks.clickhouse.retries import AT_ONCE
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.schema.ddl import DEFAULT_DATABASE

_SQL: Final = SqlFiles(__package__)

_TABLES_SECONDS: Final = 60

T = TypeVar("T")


@final
class ConsoleDatabase:
    """Several threads may use it. Reads of the embedded database go through the process that has it open."""

    def __init__(self, readers: Readers, name: str, seconds: int) -> None:
        """A statement of ``rows`` may take ``seconds``."""
        self.name = name
        self._readers, self._seconds = readers, seconds
        self._questions: Questions | None = None
        self._known_at = 0.0

    def rows(self, file: str, parts: Mapping[str, str] | None = None, **parameters: object) -> list[dict[str, Any]]:
        """The rows of a SQL file below ``console/sql``, with bound parameters.

        Args:
            parts: SQL for each ``$name`` in the file.

        Raises SinkUnavailable, SinkMisconfigured.
        """
        return self._rows(_SQL.fill(file, **(parts or {})), parameters)

    def rows_of_each(self, file: str, parts: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """The rows of a SQL file, filled with each of the parts in turn."""
        return self._rows(" UNION ALL ".join(_SQL.fill(file, **each) for each in parts), {}) if parts else []

    def _rows(self, text: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        statement = text.replace(f"{DEFAULT_DATABASE}.", f"{quoted(self.name)}.")
        settings = {"readonly": 2, "max_execution_time": self._seconds}

        def read(client: Client) -> list[dict[str, Any]]:
            answer = client.query(statement, parameters={"database": self.name, **parameters}, settings=settings)
            return [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]

        return self.run(read)

    def questions(self) -> Questions:
        """What a trace can ask. Which tables there are is looked up once a minute: that takes a tenth of a trace.

        Raises as ``run``.
        """
        known, now = self._questions, time.monotonic()
        if known is None or not known.has_events or now - self._known_at > _TABLES_SECONDS:
            known = Questions.of(self, self.name)
            self._questions, self._known_at = known, now
        return known

    def run(self, action: Callable[[Client], T]) -> T:
        """What the action reads with a client. Raises UsageError, SinkUnavailable, SinkMisconfigured."""
        return AT_ONCE.run(f"{self.name}: read", lambda: self._readers.run(action))
