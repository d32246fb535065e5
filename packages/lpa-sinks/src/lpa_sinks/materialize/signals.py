"""Reads the signals of sessions from the typed tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any, Final, final

import attrs

from lpa_core.lifecycle.signals import Signal, SignalKind, edge_time, session_id
from lpa_core.sinks.sink import StoredRange
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.row_filter import Extent, RowFilter, SessionKey, SessionName, TimeSpan


@final
@attrs.define(slots=True)
class Signals:
    """Signals of one session. Times are epoch ms."""

    key: SessionKey
    ranges: dict[StoredRange, list[Signal]] = attrs.field(factory=dict[StoredRange, list[Signal]])
    """The range that brought them -> signals."""
    earliest: int = 1 << 62
    """Event time of the first row; that of a trace's step may be another."""
    latest: int = -(1 << 62)

    @property
    def found(self) -> Sequence[Signal]:
        return [*chain.from_iterable(self.ranges.values())]

    @property
    def ingested(self) -> int:
        """The latest batch time among them."""
        return max(range_.batch_time for range_ in self.ranges)

    @property
    def extent(self) -> Extent:
        return Extent(sum(map(len, self.ranges.values())), TimeSpan(self.earliest, self.latest))


_Column = Sequence[Any]

BySession = Mapping[SessionName, Signals]
"""Session -> its signals."""


def read(database: FactDatabase, rows: RowFilter) -> BySession:
    """The signals that these rows are. Raises the client's errors."""
    sessions: dict[SessionName, Signals] = {}
    sent: dict[tuple[str, str, str], Signals] = {}
    # Names are made once per session: without ids every event has its own.
    for file, (width, make) in _TABLES.items():
        stream_ids, request_ids, uids, ingested, happened, *rest = database.query(
            file, width, rows.parameters, rows=rows.condition
        )
        orgs, topics, partitions, *_ = rest
        signals = make(happened, stream_ids, request_ids, uids, *rest)
        ranges = map(StoredRange, topics, partitions, ingested)
        found = zip(signals, zip(orgs, stream_ids, request_ids, strict=True), uids, ranges, happened, strict=True)
        for signal, ids, uid, range_, time in found:
            session = sent.get(ids)
            if session is None:
                session = _session(sessions, ids, uid)
                if session.key.has_ids:
                    sent[ids] = session
            there = session.ranges.get(range_)
            if there is None:
                there = session.ranges[range_] = []
            there.append(signal)
            session.earliest = min(session.earliest, time)
            session.latest = max(session.latest, time)
    return sessions


def _session(sessions: dict[SessionName, Signals], ids: tuple[str, str, str], uid: str) -> Signals:
    """That of an event with this org and these ids; a new one if there is none."""
    org, stream_id, request_id = ids
    name = SessionName(org, session_id(stream_id, request_id, uid))
    session = sessions.get(name)
    if session is None:
        session = sessions[name] = Signals(SessionKey.of(*ids))
    return session


def _statuses(
    happened: _Column,
    stream_ids: _Column,
    request_ids: _Column,
    uids: _Column,
    orgs: _Column,
    topics: _Column,
    partitions: _Column,
    offsets: _Column,
    gateways: _Column,
    *rest: _Column,
) -> Iterator[Signal]:
    """``rest``: pipeline, wallet, URL, state, output and input frames per second, last error, start time."""
    nothing = repeat("")
    return map(
        Signal,
        repeat(SignalKind.STATUS),
        happened,
        happened,
        topics,
        partitions,
        offsets,
        orgs,
        stream_ids,
        request_ids,
        gateways,
        *rest,
        nothing,
        nothing,
        nothing,
        uids,
    )


def _traces(
    happened: _Column,
    stream_ids: _Column,
    request_ids: _Column,
    uids: _Column,
    orgs: _Column,
    topics: _Column,
    partitions: _Column,
    offsets: _Column,
    gateways: _Column,
    wallets: _Column,
    urls: _Column,
    trace_types: _Column,
    stepped: _Column,
) -> Iterator[Signal]:
    nothing = repeat("")
    return map(
        Signal,
        repeat(SignalKind.TRACE),
        map(edge_time, stepped, happened),
        happened,
        topics,
        partitions,
        offsets,
        orgs,
        stream_ids,
        request_ids,
        gateways,
        nothing,
        wallets,
        urls,
        nothing,
        repeat(0.0),
        repeat(0.0),
        repeat(None),
        repeat(None),
        trace_types,
        nothing,
        nothing,
        uids,
    )


def _ai_events(
    happened: _Column,
    stream_ids: _Column,
    request_ids: _Column,
    uids: _Column,
    orgs: _Column,
    topics: _Column,
    partitions: _Column,
    offsets: _Column,
    gateways: _Column,
    pipelines: _Column,
    wallets: _Column,
    urls: _Column,
    event_types: _Column,
    messages: _Column,
) -> Iterator[Signal]:
    nothing = repeat("")
    return map(
        Signal,
        repeat(SignalKind.AI_EVENT),
        happened,
        happened,
        topics,
        partitions,
        offsets,
        orgs,
        stream_ids,
        request_ids,
        gateways,
        pipelines,
        wallets,
        urls,
        nothing,
        repeat(0.0),
        repeat(0.0),
        repeat(None),
        repeat(None),
        nothing,
        event_types,
        messages,
        uids,
    )


_TABLES: Final[Mapping[str, tuple[int, Callable[..., Iterator[Signal]]]]] = {
    "status_signals.sql": (18, _statuses),
    "trace_signals.sql": (14, _traces),
    "ai_event_signals.sql": (15, _ai_events),
}
"""SQL file -> the number of its columns, and what makes signals of them: millions, so column by column."""
