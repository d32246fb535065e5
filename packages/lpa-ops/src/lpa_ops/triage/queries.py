"""The queries of triage, from their .sql files."""

from __future__ import annotations

from typing import Any, Final, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_ops.dead_letters.statement import dead_letters
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.sink.other_content import other_content

_SQL: Final = SqlFiles(__package__)

DATABASE_IN_FILES: Final = "livepeer_analytics"
_LAST_HOUR: Final = "now64(3, 'UTC') - INTERVAL 1 HOUR"
_TABLE: Final = f"{DATABASE_IN_FILES}.streaming_events_dlq"


@final
@attrs.frozen(slots=True)
class Answer:
    """Column names and rows of a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def failures_by_reason(client: Client, database: str) -> Answer:
    """Dead letters of the last hour that are not recovered, by class and reason, most frequent first."""
    return _ask_of_the_rest(client, "failures_by_reason.sql", database)


def failures_in_detail(client: Client, database: str) -> Answer:
    """The same by event type, class, reason and details, such as which field was missing; the 100 most frequent."""
    return _ask_of_the_rest(client, "failures_in_detail.sql", database)


def latest_letters(client: Client, database: str) -> Answer:
    """The last 20 dead letters of the last hour that are not recovered, with what was sent."""
    return _ask_of_the_rest(client, "latest_letters.sql", database)


def outcomes(client: Client, database: str) -> dict[str, int]:
    """How many of the dead letters of the last hour are ``recovered`` or ``given_up``."""
    (found,) = _ask(client, "outcomes.sql", database).as_json()
    return found


def same_key_other_content(client: Client, database: str) -> Answer:
    """Events quarantined in the last hour whose key is stored with other content, by key and type; the 20 most."""
    asked = other_content(f"ingestion_timestamp >= {_LAST_HOUR}")
    return _answer(client, _text("other_content.sql").replace("$other_content", asked), database)


def latest_sessions(client: Client, database: str, limit: int) -> Answer:
    """The sessions that started last, at most so many."""
    return _ask(client, "latest_sessions.sql", database, limit=limit)


def session_life(client: Client, database: str, session: str) -> dict[str, Answer]:
    """All about one session: ``session`` (no row if there is none), ``signals``, ``segments``, ``snapshots``.

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


def _ask_of_the_rest(client: Client, file: str, database: str) -> Answer:
    """A query about all dead letters, asked of those that are not recovered."""
    rest = f"(SELECT * FROM ({dead_letters(_LAST_HOUR)}) WHERE state != 'recovered')"
    return _answer(client, _text(file).replace(_TABLE, rest), database)


def _ask(client: Client, file: str, database: str, **parameters: object) -> Answer:
    return _answer(client, _text(file).replace("$dead_letters", dead_letters(_LAST_HOUR)), database, **parameters)


def _text(file: str) -> str:
    return _SQL.text(file).rstrip().rstrip(";")


def _answer(client: Client, text: str, database: str, **parameters: object) -> Answer:
    # ``database`` is an identifier that the settings have checked.
    answer = client.query(text.replace(f"{DATABASE_IN_FILES}.", f"`{database}`."), parameters=parameters)
    return Answer(tuple(answer.column_names), tuple(tuple(row) for row in answer.result_rows))
