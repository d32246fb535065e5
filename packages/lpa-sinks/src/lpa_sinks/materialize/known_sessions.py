"""Sessions and where their rows lie: those that have facts, and those that have signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import final

import attrs

from lpa_core.lifecycle.signals import session_id
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.facts import named
from lpa_sinks.materialize.row_filter import Extent, RowFilter, SessionKey, TimeSpan


@final
@attrs.frozen(slots=True)
class KnownSession:
    """A session that has facts.

    Attributes:
        stored: the typed rows that they were made of.
        derived: times of its samples, edges and other facts.
    """

    name: str
    stored: Extent
    derived: TimeSpan


def known_sessions(database: FactDatabase, keys: Iterable[SessionKey]) -> Mapping[SessionKey, KnownSession]:
    """Those of the sessions that have facts; of the key without ids, none. Raises the client's errors."""
    names = {session_id(*key, ""): key for key in keys if any(key)}
    if not names:
        return {}
    columns = database.query("known_sessions.sql", 6, sessions=named(names))
    return {
        names[name]: KnownSession(name, Extent(rows, TimeSpan(earliest, latest)), TimeSpan(started, ended))
        for name, earliest, latest, rows, started, ended in zip(*columns, strict=True)
    }


def touched_sessions(database: FactDatabase, rows: RowFilter) -> Mapping[SessionKey, Extent]:
    """The sessions of which these rows are signals, earliest first, and how many rows of each and when.

    Raises the client's errors.
    """
    columns = database.query("sessions_of.sql", 5, rows.parameters, rows=rows.condition)
    return {
        SessionKey(stream, request): Extent(count, TimeSpan(earliest, latest))
        for stream, request, earliest, latest, count in zip(*columns, strict=True)
    }
