"""Reads the signals of sessions from the typed tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, final

import attrs

from lpa_core.lifecycle.signals import Signal, SignalKind, edge_time, session_id
from lpa_sinks.materialize.database import Database
from lpa_sinks.materialize.rows import Rows, SessionKey, Span


@final
@attrs.define(slots=True)
class Signals:
    """Signals of one session. Times are epoch ms."""

    key: SessionKey
    found: list[Signal] = attrs.field(factory=list[Signal])
    ingested: int = 0
    """The latest batch time among them."""
    earliest: int = 1 << 62
    """Event time of the first row; that of a trace's step may be another."""
    latest: int = -(1 << 62)

    @property
    def span(self) -> Span:
        """The event times of its rows."""
        return Span(self.earliest, self.latest)


BySession = Mapping[str, Signals]
"""Session id -> its signals."""


def read(database: Database, rows: Rows) -> BySession:
    """The signals that these rows are. Raises the client's errors."""
    sessions: dict[str, Signals] = {}
    for file, (width, make) in _TABLES.items():
        columns = database.query(file, width, rows.parameters, rows=rows.condition)
        stream_ids, request_ids, uids, ingested, happened = (columns[index] for index in (0, 1, 2, 7, 8))
        found = zip(make(columns), stream_ids, request_ids, uids, ingested, happened, strict=True)
        for signal, stream_id, request_id, uid, batch_time, time in found:
            name = session_id(stream_id, request_id, uid)
            session = sessions.get(name)
            if session is None:
                session = sessions[name] = Signals(SessionKey.of(stream_id, request_id))
            session.found.append(signal)
            session.ingested = max(session.ingested, batch_time)
            session.earliest = min(session.earliest, time)
            session.latest = max(session.latest, time)
    return sessions


def _statuses(columns: Sequence[Sequence[Any]]) -> Iterator[Signal]:
    for (
        stream_id,
        request_id,
        uid,
        org,
        topic,
        partition,
        offset,
        _,
        happened,
        gateway,
        pipeline,
        address,
        url,
        state,
        output_fps,
        input_fps,
        last_error,
        started,
    ) in zip(*columns, strict=True):
        yield Signal(
            kind=SignalKind.STATUS,
            signal_ts=happened,
            event_timestamp=happened,
            topic=topic,
            partition=partition,
            offset=offset,
            org=org,
            stream_id=stream_id,
            request_id=request_id,
            gateway=gateway,
            pipeline=pipeline,
            orchestrator_address=address,
            orchestrator_url=url,
            state=state,
            output_fps=output_fps,
            input_fps=input_fps,
            last_error=last_error,
            start_time=started,
            source_event_uid=uid,
        )


def _traces(columns: Sequence[Sequence[Any]]) -> Iterator[Signal]:
    for (
        stream_id,
        request_id,
        uid,
        org,
        topic,
        partition,
        offset,
        _,
        happened,
        gateway,
        address,
        url,
        trace_type,
        stepped,
    ) in zip(*columns, strict=True):
        yield Signal(
            kind=SignalKind.TRACE,
            signal_ts=edge_time(stepped, happened),
            event_timestamp=happened,
            topic=topic,
            partition=partition,
            offset=offset,
            org=org,
            stream_id=stream_id,
            request_id=request_id,
            gateway=gateway,
            orchestrator_address=address,
            orchestrator_url=url,
            trace_type=trace_type,
            source_event_uid=uid,
        )


def _ai_events(columns: Sequence[Sequence[Any]]) -> Iterator[Signal]:
    for (
        stream_id,
        request_id,
        uid,
        org,
        topic,
        partition,
        offset,
        _,
        happened,
        gateway,
        pipeline,
        event_type,
        message,
    ) in zip(*columns, strict=True):
        yield Signal(
            kind=SignalKind.AI_EVENT,
            signal_ts=happened,
            event_timestamp=happened,
            topic=topic,
            partition=partition,
            offset=offset,
            org=org,
            stream_id=stream_id,
            request_id=request_id,
            gateway=gateway,
            pipeline=pipeline,
            ai_event_type=event_type,
            message=message,
            source_event_uid=uid,
        )


_TABLES: Final = {
    "status_signals.sql": (18, _statuses),
    "trace_signals.sql": (14, _traces),
    "ai_event_signals.sql": (13, _ai_events),
}
"""SQL file -> the number of its columns, and what makes signals of its rows.

Each answers ids, uid, batch time and event time in the same columns.
"""
