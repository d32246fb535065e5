"""Rollups and projections: rows that the server makes of rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import Final, final

import attrs

from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.facts import FoldedSession, named
from lpa_sinks.materialize.row_filter import RowFilter, SessionName
from lpa_sinks.materialize.statements import PROJECTIONS

_HOUR: Final = 3600
_HOURS_AT_ONCE: Final = 6
"""Bounds what one statement holds in memory: the samples of so many hours."""
_MINUTE_MS: Final = 60_000
_LAST_DATETIME: Final = 2**32 - 1
"""Epoch seconds of the last DateTime: toStartOfHour gives it for any later time."""


@final
@attrs.define(slots=True)
class ChangedSamples:
    """Where status samples changed since they were rolled up: hour -> minutes in it, and hour -> sessions.

    Hours and minutes are epoch seconds.
    """

    minutes: dict[int, set[int]] = attrs.field(factory=dict[int, set[int]])
    sessions: dict[int, set[SessionName]] = attrs.field(factory=dict[int, set[SessionName]])

    @classmethod
    def of(cls, folded: Iterable[FoldedSession]) -> ChangedSamples:
        changed = cls()
        for session in folded:
            samples = session.facts.status_samples
            if samples:
                minutes = {sample.sample_ts // _MINUTE_MS * 60 for sample in samples}
                changed.add(minutes, (SessionName(samples[0].org, samples[0].workflow_session_id),))
        return changed

    def add(self, minutes: Iterable[int], sessions: Collection[SessionName]) -> None:
        """Any of the sessions may have changed in any of the minutes."""
        hours = set[int]()
        for minute in minutes:
            hour = minute // _HOUR * _HOUR
            hours.add(hour)
            self.minutes.setdefault(hour, set()).add(minute)
        for hour in hours:
            self.sessions.setdefault(hour, set()).update(sessions)

    def include(self, other: ChangedSamples) -> None:
        for hour, minutes in other.minutes.items():
            self.minutes.setdefault(hour, set()).update(minutes)
            self.sessions.setdefault(hour, set()).update(other.sessions[hour])


def roll_up(database: FactDatabase, changed: ChangedSamples, before: float = math.inf) -> None:
    """Rebuild the rollups that changed samples go into, and forget that they changed.

    Args:
        before: epoch seconds; hours that end later are left for another time.

    Raises the client's errors.
    """
    hours = sorted(hour for hour in changed.minutes if hour + _HOUR <= before)
    for start in range(0, len(hours), _HOURS_AT_ONCE):
        some = hours[start : start + _HOURS_AT_ONCE]
        minutes = sorted(minute * 1000 for hour in some for minute in changed.minutes[hour])
        sessions = set[SessionName]().union(*(changed.sessions[hour] for hour in some))
        # The sorting key takes times before 1970 and after 2106 as the first and the last of these years.
        sorted_by = sorted({min(max(hour, 0), _LAST_DATETIME) for hour in some})
        database.command("roll_up_performance.sql", {"minutes": minutes, "sorted_by": sorted_by})
        hours_ms = [hour * 1000 for hour in some]
        database.command("roll_up_sessions.sql", {"hours": hours_ms, "sorted_by": sorted_by}, sessions=named(sessions))
        for hour in some:
            del changed.minutes[hour], changed.sessions[hour]


def project_stored(database: FactDatabase, rows: RowFilter) -> Sequence[str]:
    """Project these rows of every table that has some.

    Returns which tables have, those of jobs among them. Raises the client's errors.
    """
    tables, first, last = database.query("stored_spans.sql", 3, rows.parameters, rows=rows.condition)
    for table, earliest, latest in zip(tables, first, last, strict=True):
        if table in PROJECTIONS:
            project(database, table, earliest, latest)
    return tables


def project(database: FactDatabase, table: str, first: int, last: int) -> None:
    """Project the rows of a typed table with batch times from ``first`` to ``last``, epoch ms, both among them.

    Raises the client's errors.
    """
    database.command(PROJECTIONS[table], {"from": first, "to": last + 1})
