"""Asks a database the questions of a trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.job_events import lpa_event_types
from lpa_core.records import Position
from lpa_core.tables.row_layout import RAW_TABLE
from lpa_ops.positions.doubled import PLACES, ingested_tables
from lpa_ops.positions.stored_tables import StoredTable
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.schema.apply import object_names

SQL: Final = SqlFiles(__package__)
_UNTYPED: Final = (*PLACES, "ignored_events", "ignored_event_counts")
_TYPE_OF_TABLE: Final[Mapping[str, str]] = {
    table.name: event_type.name
    for event_type in (*BUILTIN_EVENT_TYPES, *lpa_event_types())
    for table in event_type.tables
}
"""Of lpa's own tables. Others may have rows of any type: the plugin that declared them may be gone."""

_AT_ONCE: Final = 2
"""So many statements of one reader the process that holds an embedded database runs at once."""

Row = Mapping[str, Any]
T = TypeVar("T")


class Reads(Protocol):
    """Where clients come from. Several threads may use it."""

    def run(self, action: Callable[[Client], T], /) -> T:
        """What the action reads with a client."""
        ...


@final
@attrs.frozen
class Questions:
    """What a database with these tables can be asked. Every method raises the client's errors.

    Attributes:
        names: of all tables and views; a database that an earlier version made lacks some.
        ingested: tables with rows made of records.
    """

    reads: Reads
    database: str
    names: Collection[str]
    ingested: Sequence[StoredTable]

    @classmethod
    def of(cls, reads: Reads, database: str) -> Questions:
        names = reads.run(lambda client: object_names(client, database))
        return cls(reads, database, names, reads.run(lambda client: ingested_tables(client, database)))

    @property
    def typed(self) -> list[StoredTable]:
        """Tables with a row or more for each event of a type."""
        return [table for table in self.ingested if table.name not in _UNTYPED]

    def typed_of(self, event_types: Collection[str]) -> list[StoredTable]:
        """The typed tables that may have rows of events of these types: a table is a good part of what asking costs."""
        return [table for table in self.typed if _TYPE_OF_TABLE.get(table.name) in (None, *event_types)]

    def columns(self, table: str) -> Collection[str]:
        """Those of a table with rows made of records; none if there is no such table."""
        return next((each.columns for each in self.ingested if each.name == table), ())

    @property
    def has_events(self) -> bool:
        """Whether anything was ever ingested there."""
        return RAW_TABLE.name in self.names

    def ask(self, file: str, parameters: Mapping[str, object], **parts: str) -> list[dict[str, Any]]:
        """The rows of a file's query, a dictionary each."""
        return self.ask_text(self.text(file, **parts), parameters)

    def ask_text(self, text: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        answer = self.reads.run(lambda client: client.query(text, parameters=dict(parameters)))
        return [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]

    def text(self, file: str, **parts: str) -> str:
        # All parts are names that the database itself told, or fragments of SQL files.
        return SQL.fill(file, database=quoted(self.database), **parts).rstrip()


def side_by_side(*asks: Callable[[], T]) -> list[T]:
    """What each answers, two at a time: the longest come first. Raises what the first of them raises that fails."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(lambda ask: ask(), asks))


def at(positions: Iterable[Position]) -> dict[str, object]:
    """The parameters of ``at_positions.sql``."""
    some = list(positions)
    return {
        "topics": [each.topic for each in some],
        "partitions": [each.partition for each in some],
        "offsets": [each.offset for each in some],
    }


def position_of_row(row: Row) -> Position:
    return Position(row["topic"], row["partition"], row["offset"])


def by_position(rows: Iterable[Row]) -> Mapping[Position, list[Row]]:
    found: dict[Position, list[Row]] = {}
    for row in rows:
        found.setdefault(position_of_row(row), []).append(row)
    return found


def utc(time: datetime) -> datetime:
    """The time, which ClickHouse's client may give without a zone."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def utc_or_none(time: datetime | None) -> datetime | None:
    return None if time is None else utc(time)


def milliseconds(time: datetime) -> int:
    """Epoch ms of a time, without the rounding of a float."""
    whole = utc(time) - datetime(1970, 1, 1, tzinfo=UTC)
    return (whole.days * 86_400 + whole.seconds) * 1_000 + whole.microseconds // 1_000
