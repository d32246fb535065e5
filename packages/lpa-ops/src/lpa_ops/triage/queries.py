"""The two triage queries of the operations guide, from their .sql files."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final, final

import attrs
from clickhouse_connect.driver.client import Client

DATABASE_IN_FILES: Final = "livepeer_analytics"


@final
@attrs.frozen(slots=True)
class Answer:
    """Column names and rows of a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def failures_by_reason(client: Client, database: str) -> Answer:
    """Dead letters of the last hour by class and reason, most frequent first."""
    return _ask(client, "failures_by_reason.sql", database)


def latest_failures(client: Client, database: str) -> Answer:
    """The last 20 dead letters of the last hour, with what was sent."""
    return _ask(client, "latest_failures.sql", database)


def _ask(client: Client, file: str, database: str) -> Answer:
    # The files hold the guide's text word for word; ``database`` is an identifier that the settings have checked.
    text = (files(__package__) / "sql" / file).read_text().replace(f"{DATABASE_IN_FILES}.", f"`{database}`.")
    answer = client.query(text.rstrip().rstrip(";"))
    return Answer(tuple(answer.column_names), tuple(tuple(row) for row in answer.result_rows))
