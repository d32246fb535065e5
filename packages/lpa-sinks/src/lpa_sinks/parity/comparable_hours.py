"""The whole hours that parity can be asked about: views are hourly, and the newest hour is still being derived."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from clickhouse_connect.driver.client import Client

from lpa_core.settings.settings import Settings
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.schema.ddl import in_database

_SQL: Final = SqlFiles(__package__, "queries")

HOUR_MS: Final = 3_600_000


def settled_hours(settings: Settings, since_ms: int, now_ms: int) -> tuple[datetime, datetime]:
    """Begin and end of the whole hours from ``since_ms`` on that are over and derived; none if the end is first.

    Derived is what ``HEALTH_FRESHNESS_MINUTES`` gives the facts time for.
    """
    margin = int(min(settings.health.freshness_minutes.warning * 60_000, now_ms))
    return _whole_hour(since_ms + HOUR_MS - 1), _whole_hour(now_ms - margin)


def end_of_events(client: Client, database: str, end: datetime) -> datetime | None:
    """The end of the newest hour before ``end`` that has an event; None if there is none.

    Raises the client's errors and SinkMisconfigured.
    """
    query = in_database(_SQL.text("newest_hour.sql"), database)
    ((events, ended),) = client.query(query, parameters={"end": end.strftime("%Y-%m-%d %H:%M:%S")}).result_rows
    return datetime.fromtimestamp(ended, UTC) if events else None


def _whole_hour(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms // HOUR_MS * HOUR_MS // 1000, UTC)
