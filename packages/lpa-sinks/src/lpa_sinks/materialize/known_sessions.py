"""Sessions and where their rows lie: those that have facts, and those that have signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import final

import attrs

from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.facts import named
from lpa_sinks.materialize.row_filter import Extent, RowFilter, SessionKey, SessionName, TimeSpan


@final
@attrs.frozen(slots=True)
class KnownSession:
    """A session that has facts.

    Attributes:
        stored: the typed rows that they were made of.
        derived: times of its samples, edges and other facts.
    """

    name: SessionName
    stored: Extent
    derived: TimeSpan


def known_sessions(database: FactDatabase, keys: Iterable[SessionKey]) -> Mapping[SessionKey, KnownSession]:
    """Those of the sessions that have facts; of keys without ids, none. Raises the client's errors."""
    names = {key.name: key for key in keys if key.has_ids}
    if not names:
        return {}
    columns = database.query("known_sessions.sql", 7, sessions=named(names))
    found = (
        KnownSession(SessionName(org, name), Extent(rows, TimeSpan(earliest, latest)), TimeSpan(started, ended))
        for org, name, earliest, latest, rows, started, ended in zip(*columns, strict=True)
    )
    return {names[each.name]: each for each in found}


def touched_sessions(database: FactDatabase, rows: RowFilter) -> Mapping[SessionKey, Extent]:
    """The sessions of which these rows are signals, earliest first, and how many rows of each and when.

    Raises the client's errors.
    """
    columns = database.query("sessions_of.sql", 6, rows.parameters, rows=rows.condition)
    return {
        SessionKey(org, stream, request): Extent(count, TimeSpan(earliest, latest))
        for org, stream, request, earliest, latest, count in zip(*columns, strict=True)
    }
