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
_IN_FILES: Final = "now() - INTERVAL 1 HOUR"
_TABLE: Final = f"{DATABASE_IN_FILES}.streaming_events_dlq"


@final
@attrs.frozen(slots=True)
class Answer:
    """Column names and rows of a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@final
@attrs.frozen(slots=True)
class Letters:
    """Which dead letters, or ignored records, are asked about.

    Attributes:
        since_ms: those that were stored from then on, epoch ms; None for the last hour.
        event_type: those of this type only; None for all.
    """

    since_ms: int | None = None
    event_type: str | None = None

    @property
    def since(self) -> str:
        """As SQL."""
        return _LAST_HOUR if self.since_ms is None else "fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')"

    @property
    def parameters(self) -> dict[str, object]:
        return {"since_ms": self.since_ms, "event_type": self.event_type}

    def of(self, state: str = "") -> str:
        """A query of them, with ``state`` beside the columns."""
        of_type = "event_type = {event_type:String}" if self.event_type is not None else ""
        where = " AND ".join(filter(None, (state, of_type)))
        return f"SELECT * FROM ({dead_letters(self.since)})" + (f" WHERE {where}" if where else "")


def failures_by_reason(client: Client, database: str, letters: Letters) -> Answer:
    """Dead letters that are not recovered, by class and reason, most frequent first."""
    return _ask_of_the_rest(client, "failures_by_reason.sql", database, letters)


def failures_in_detail(client: Client, database: str, letters: Letters) -> Answer:
    """The same by event type, class, reason and details, such as which field was missing; the 100 most frequent."""
    return _ask_of_the_rest(client, "failures_in_detail.sql", database, letters)


def latest_letters(client: Client, database: str, letters: Letters) -> Answer:
    """The last 20 dead letters that are not recovered, with what was sent."""
    return _ask_of_the_rest(client, "latest_letters.sql", database, letters)


def outcomes(client: Client, database: str, letters: Letters) -> dict[str, int]:
    """How many of the dead letters are ``recovered`` or ``given_up``."""
    text = _text("outcomes.sql").replace("$dead_letters", letters.of())
    (found,) = _answer(client, text, database, **letters.parameters).as_json()
    return found


def same_key_other_content(client: Client, database: str, letters: Letters) -> Answer:
    """Events quarantined whose key is stored with other content, by key and type; the 20 most."""
    of_type = " AND event_type = {event_type:String}" if letters.event_type is not None else ""
    asked = other_content(f"ingestion_timestamp >= {letters.since}{of_type}")
    return _answer(client, _text("other_content.sql").replace("$other_content", asked), database, **letters.parameters)


def ignored(client: Client, database: str, letters: Letters) -> Answer:
    """How many records were ignored, by reason, type and subtype; the 1,000 most frequent."""
    of_type = " AND event_type = {event_type:String}" if letters.event_type is not None else ""
    text = _text("ignored.sql").replace(_IN_FILES, f"{letters.since}{of_type}")
    return _answer(client, text, database, **letters.parameters)


def latest_sessions(client: Client, database: str, limit: int, org: str | None = None, sought: str = "") -> Answer:
    """The sessions of one org, or of all, that started last, at most so many.

    ``sought`` leaves those of this id, stream, request or orchestrator.
    """
    return _ask(client, "latest_sessions.sql", database, limit=limit, sought=sought, **_of(org))


def session_life(client: Client, database: str, session: str, org: str | None = None) -> dict[str, Answer]:
    """All about one session: ``session``, ``signals``, ``segments``, ``snapshots``.

    ``session`` only if there is none, or if several orgs have one of this id and ``org`` is None: then it has a row for
    each. Signals in a row that say the same are one row.
    """
    fact = _ask(client, "session.sql", database, session=session, **_of(org))
    if len(fact.rows) != 1:
        return {"session": fact}
    (found,) = fact.as_json()
    parts = {
        name: _ask(client, f"session_{name}.sql", database, session=session, org=found["org"])
        for name in ("signals", "segments", "snapshots")
    }
    return {"session": fact, **parts}


def _ask_of_the_rest(client: Client, file: str, database: str, letters: Letters) -> Answer:
    """A query about all dead letters, asked of those that are not recovered."""
    outstanding = "state != 'recovered'"
    rest = f"({letters.of(outstanding)})"
    text = _text(file).replace(_TABLE, rest).replace(_IN_FILES, letters.since)
    return _answer(client, text, database, **letters.parameters)


def _of(org: str | None) -> dict[str, object]:
    return {"of_all": int(org is None), "org": org or ""}


def _ask(client: Client, file: str, database: str, **parameters: object) -> Answer:
    return _answer(client, _text(file), database, **parameters)


def _text(file: str) -> str:
    return _SQL.text(file).rstrip().rstrip(";")


def _answer(client: Client, text: str, database: str, **parameters: object) -> Answer:
    # ``database`` is an identifier that the settings have checked.
    answer = client.query(text.replace(f"{DATABASE_IN_FILES}.", f"`{database}`."), parameters=parameters)
    return Answer(tuple(answer.column_names), tuple(tuple(row) for row in answer.result_rows))
