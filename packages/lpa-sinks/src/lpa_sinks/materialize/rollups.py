"""Rollups and projections: rows that the server makes of rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from lpa_sinks.materialize.database import Database
from lpa_sinks.materialize.facts import named
from lpa_sinks.materialize.statements import PROJECTIONS

_MINUTES_AT_ONCE: Final = 1440
"""Bounds what one statement holds in memory: a day of samples."""
_HOUR: Final = 3600


def roll_up(database: Database, minutes: Collection[int], sessions: Collection[str]) -> None:
    """Make the rollups anew that status samples of these sessions, in these minutes, go into.

    Args:
        minutes: epoch seconds; none where no sample changed.

    Raises the client's errors.
    """
    ordered = sorted(minutes)
    for start in range(0, len(ordered), _MINUTES_AT_ONCE):
        some = ordered[start : start + _MINUTES_AT_ONCE]
        hours = sorted({minute // _HOUR * _HOUR for minute in some})
        database.command("roll_up_performance.sql", {"minutes": some, "hours": hours})
        database.command("roll_up_sessions.sql", {"hours": hours}, sessions=named(sessions))


def project(database: Database, table: str, first: int, last: int) -> None:
    """Project the rows of a typed table with batch times from ``first`` to ``last``, epoch ms, both among them.

    Raises the client's errors.
    """
    database.command(PROJECTIONS[table], {"from": first, "to": last + 1})
