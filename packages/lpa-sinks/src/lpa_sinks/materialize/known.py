"""Sessions and where their rows lie: those that have facts, and those that have signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import final

import attrs

from lpa_core.lifecycle.signals import session_id
from lpa_sinks.materialize.database import Database
from lpa_sinks.materialize.facts import named
from lpa_sinks.materialize.rows import Rows, SessionKey, Span


@final
@attrs.frozen(slots=True)
class KnownSession:
    """A session that has facts.

    Attributes:
        stored: event times of the typed rows that they were made of.
        derived: times of its samples, edges and other facts.
    """

    name: str
    stored: Span
    derived: Span


def known_sessions(database: Database, keys: Iterable[SessionKey]) -> Mapping[SessionKey, KnownSession]:
    """Those of the sessions that have facts; of the key without ids, none. Raises the client's errors."""
    names = {session_id(*key, ""): key for key in keys if any(key)}
    if not names:
        return {}
    columns = database.query("known_sessions.sql", 5, sessions=named(names))
    return {
        names[name]: KnownSession(name, Span(earliest, latest), Span(started, ended))
        for name, earliest, latest, started, ended in zip(*columns, strict=True)
    }


def touched_sessions(database: Database, rows: Rows) -> Mapping[SessionKey, Span]:
    """The sessions of which these rows are signals, earliest first, and the event times of the rows.

    Raises the client's errors.
    """
    columns = database.query("sessions_of.sql", 4, rows.parameters, rows=rows.condition)
    return {
        SessionKey(stream, request): Span(earliest, latest)
        for stream, request, earliest, latest in zip(*columns, strict=True)
    }
