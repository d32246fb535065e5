"""The queries of triage, from their .sql files: the two of the operations guide, and those about sessions."""

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


def latest_sessions(client: Client, database: str, limit: int) -> Answer:
    """The sessions that started last, at most so many."""
    return _ask(client, "latest_sessions.sql", database, limit=limit)


def session_life(client: Client, database: str, session: str) -> dict[str, Answer]:
    """All about one session: ``session`` (no row where there is none), ``signals``, ``segments``, ``snapshots``.

    Signals in a row that say the same are one row.
    """
    fact = _ask(client, "session.sql", database, session=session)
    if not fact.rows:
        return {"session": fact}
    parts = {
        name: _ask(client, f"session_{name}.sql", database, session=session)
        for name in ("signals", "segments", "snapshots")
    }
    return {"session": fact, **parts}


def _ask(client: Client, file: str, database: str, **parameters: object) -> Answer:
    # The files hold the guide's text word for word; ``database`` is an identifier that the settings have checked.
    text = (files(__package__) / "sql" / file).read_text().replace(f"{DATABASE_IN_FILES}.", f"`{database}`.")
    answer = client.query(text.rstrip().rstrip(";"), parameters=parameters)
    return Answer(tuple(answer.column_names), tuple(tuple(row) for row in answer.result_rows))
