"""The rule as SQL text."""

from __future__ import annotations

from functools import cache
from typing import Final

from lpa_sinks.clickhouse.sql_files import SqlFiles

_SQL: Final = SqlFiles(__package__)


@cache
def dead_letters(since: str, asked: str = "1") -> str:
    """A query of the records that were dead-lettered from then on, with ``origin`` and ``state`` beside the columns.

    ``since`` is an SQL expression of a time. The text names the database ``livepeer_analytics``.

    Args:
        asked: the condition, on columns of dead letters, that the caller puts on the rows: events are looked for
            those only. Of other rows the ``state`` may be wrong.
    """
    return _SQL.fill("dead_letters.sql", since=since, asked=asked, letters=latest_attempts(since)).rstrip()


@cache
def latest_attempts(since: str) -> str:
    """The same records without their ``state``: to find it, all events since then are looked at."""
    return _SQL.fill("latest_attempts.sql", since=since).rstrip()
