"""Rollups and projections: rows that the server makes of rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from lpa_sinks.materialize.database import Database
from lpa_sinks.materialize.statements import PROJECTIONS, ROLLUPS

_HOURS_AT_ONCE: Final = 24
"""Bounds what one statement holds in memory: a day of samples."""
_HOUR: Final = 3600


def roll_up(database: Database, minutes: Collection[int]) -> None:
    """Make the rollups anew for the hours of these minutes (epoch seconds). Raises the client's errors."""
    hours = sorted({minute // _HOUR * _HOUR for minute in minutes})
    for start in range(0, len(hours), _HOURS_AT_ONCE):
        for name in ROLLUPS:
            database.command(name, {"hours": hours[start : start + _HOURS_AT_ONCE]})


def project(database: Database, table: str, first: int, last: int) -> None:
    """Project the rows of a typed table with batch times from ``first`` to ``last``, epoch ms, both among them.

    Raises the client's errors.
    """
    database.command(PROJECTIONS[table], {"from": first, "to": last + 1})
