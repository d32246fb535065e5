"""Writes facts, and buries what is no longer said of sessions that were folded again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, final

import attrs

from lpa_core.lifecycle.facts import (
    EdgeCoverage,
    Fact,
    Facts,
    LatencyFact,
    ParamUpdate,
    SegmentFact,
    SessionFact,
    StatusSample,
    TraceEdge,
    column_names,
    columns,
)
from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.inline_rows import carried
from lpa_sinks.clickhouse.types import column_type
from lpa_sinks.materialize.fact_database import FactDatabase
from lpa_sinks.materialize.row_filter import SessionName, TimeSpan
from lpa_sinks.schema.ddl import ORG_KEY, declared

_TIME_COLUMNS: Final[Mapping[type[Fact], str | None]] = {
    SegmentFact: None,
    LatencyFact: None,
    StatusSample: "sample_ts",
    TraceEdge: "edge_ts",
    EdgeCoverage: "signal_ts",
    ParamUpdate: "update_ts",
    SessionFact: None,
}
"""The facts in the order in which they are written, and by which time their rows are sorted; None: by session alone.

Sessions come last: who finds one finds all of it.
"""

_OWN: Final = (ORG_KEY, "ingestion_timestamp", "version", "is_deleted")
SPAN: Final = ("first_event_timestamp", "last_event_timestamp")

_SESSIONS: Final = (Column("org", Kind.TEXT), Column("workflow_session_id", Kind.TEXT))

_KINDS: Final = {
    column_type(Column("any", kind, nullable)): (kind, nullable)
    for kind in Kind
    for nullable in (False, True)
    if not (kind is Kind.LABEL and nullable)
}


@final
@attrs.frozen(slots=True)
class FoldedSession:
    """What is to be written of a session.

    Attributes:
        facts: all of its facts, or those that changed.
        ingested: latest batch time of what it is made of, epoch ms.
        stored: event times of the rows it is made of.
        url_wallet_mismatches: signals among what changed that name another wallet than those at their URL.
    """

    facts: Facts
    ingested: int
    stored: TimeSpan
    url_wallet_mismatches: int = 0


@final
@attrs.define(slots=True)
class _Rows:
    facts: list[Fact] = attrs.field(factory=list[Fact])
    ingested: list[int] = attrs.field(factory=list[int])
    spans: list[TimeSpan] = attrs.field(factory=list[TimeSpan])


def write(database: FactDatabase, sessions: Iterable[FoldedSession], version: int) -> None:
    """Write the sessions' facts as of ``version``. Raises the client's errors."""
    tables = {kind: _Rows() for kind in _TIME_COLUMNS}
    for session in sessions:
        for fact in _all(session.facts):
            rows = tables[type(fact)]
            rows.facts.append(fact)
            rows.ingested.append(session.ingested)
            if type(fact) is SessionFact:
                rows.spans.append(session.stored)
    for kind, rows in tables.items():
        if rows.facts:
            said = columns(rows.facts)
            values: list[Sequence[Any]] = [
                *said,
                said[column_names(kind).index("org")],
                rows.ingested,
                [version] * len(rows.facts),
                [0] * len(rows.facts),
            ]
            if kind is SessionFact:
                values += [[span.earliest for span in rows.spans], [span.latest for span in rows.spans]]
            database.insert(f"{kind.table}_versions", _columns(kind), values)


def buried_minutes(
    database: FactDatabase, sessions: Collection[SessionName], version: int, times: TimeSpan
) -> set[int]:
    """The minutes (epoch seconds) of status samples that :func:`bury` would bury. Raises the client's errors."""
    (minutes,) = database.query(
        "buried_minutes.sql",
        1,
        {"version": version, "first": times.earliest, "last": times.latest},
        sessions=named(sessions),
        hours=_hours("sample_ts"),
    )
    return set(minutes)


def bury(database: FactDatabase, sessions: Collection[SessionName], version: int, times: TimeSpan) -> None:
    """Bury the rows of these sessions that are older than ``version``: it says all there is of them.

    Args:
        times: every row of them lies within, epoch ms.

    Raises the client's errors.
    """
    for kind, time_column in _TIME_COLUMNS.items():
        names = (*column_names(kind), ORG_KEY, "ingestion_timestamp")
        parameters = {"version": version}
        if time_column:
            parameters |= {"first": times.earliest, "last": times.latest}
        database.command(
            "bury.sql",
            parameters,
            table=f"{kind.table}_versions",
            columns=", ".join(names),
            sessions=named(sessions),
            hours=_hours(time_column) if time_column else "1",
        )


def named(sessions: Iterable[SessionName]) -> str:
    """Sessions as a table for a statement."""
    return carried(_SESSIONS, [*sessions])


def _hours(time_column: str) -> str:
    """A condition that finds its rows by the sorting key."""
    return (
        f"toStartOfHour({time_column}) BETWEEN toStartOfHour(fromUnixTimestamp64Milli({{first:Int64}}, 'UTC'))"
        " AND toStartOfHour(fromUnixTimestamp64Milli({last:Int64}, 'UTC'))"
    )


def _all(facts: Facts) -> Iterable[Fact]:
    yield from facts.segments
    if facts.latency is not None:
        yield facts.latency
    yield from facts.status_samples
    yield from facts.trace_edges
    yield from facts.coverage
    yield from facts.param_updates
    if facts.session is not None:
        yield facts.session


@cache
def _columns(kind: type[Fact]) -> Sequence[Column]:
    """The columns of a fact's table that are written."""
    return written_columns(kind, *_OWN, *(SPAN if kind is SessionFact else ()))


def written_columns(kind: type[Fact], *more: str) -> Sequence[Column]:
    """The columns of a fact and ``more`` of its table, with the types that the DDL gives them."""
    types = declared([])[f"{kind.table}_versions"].columns
    return [Column(name, *_KINDS[types[name]]) for name in (*column_names(kind), *more)]
