"""Which stored rows a statement looks at: conditions with their parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, final

import attrs

from lpa_core.lifecycle.signals import session_id
from lpa_core.sinks.sink import StoredRange
from lpa_core.tables.table import Column, Kind
from lpa_sinks.clickhouse.inline_rows import carried
from lpa_sinks.materialize.statements import SQL

_CALENDAR: Final = (-2_208_988_800_000, 10_413_791_999_999)
"""What DateTime64 holds: 1900 to 2299, epoch ms."""


class SessionKey(NamedTuple):
    """Whose a session is, and its ids as they are compared: without outer spaces.

    Where both ids are empty it names every session of the org that has neither.
    """

    org: str
    stream_id: str
    request_id: str

    @classmethod
    def of(cls, org: str, stream_id: str, request_id: str) -> SessionKey:
        return cls(org, stream_id.strip(" "), request_id.strip(" "))

    @property
    def has_ids(self) -> bool:
        return bool(self.stream_id or self.request_id)

    @property
    def name(self) -> SessionName:
        """Of the one session that it names, if it has an id."""
        return SessionName(self.org, session_id(self.stream_id, self.request_id, ""))


class SessionName(NamedTuple):
    """What facts name a session by. Orgs may have sessions of the same id."""

    org: str
    workflow_session_id: str


@final
@attrs.frozen(slots=True)
class TimeSpan:
    """Times, epoch ms, both ends among them."""

    earliest: int
    latest: int

    def wider(self, milliseconds: int) -> TimeSpan:
        return TimeSpan(self.earliest - milliseconds, self.latest + milliseconds)

    @classmethod
    def hull(cls, spans: Collection[TimeSpan]) -> TimeSpan:
        """From the earliest to the latest of some, at least one."""
        return cls(min(span.earliest for span in spans), max(span.latest for span in spans))


@final
@attrs.frozen(slots=True)
class Extent:
    """How many rows, and within which event times."""

    rows: int
    span: TimeSpan

    def __add__(self, other: Extent) -> Extent:
        return Extent(self.rows + other.rows, TimeSpan.hull([self.span, other.span]))


@final
@attrs.frozen(slots=True)
class RowFilter:
    """A condition on the leading columns of typed tables, and the parameters it is bound to."""

    condition: str
    parameters: Mapping[str, Any]

    def of_sessions(self, keys: Collection[SessionKey]) -> RowFilter:
        """Only rows of these sessions, at least one."""
        literal = carried(_KEYS, sorted(keys))
        return attrs.evolve(self, condition=self.condition + SQL.fill("of_sessions.sql", sessions=literal))


def of_ranges(ranges: Sequence[StoredRange]) -> RowFilter:
    """The rows that came by these ranges, at least one."""
    times = [each.batch_time for each in ranges]
    literal = carried(_RANGES, [(each.topic, each.partition, each.batch_time) for each in ranges])
    return RowFilter(SQL.fill("of_ranges.sql", ranges=literal), {"first": min(times), "last": max(times)})


def since(topic: str, batch_time: int) -> RowFilter:
    """The rows of a topic's ranges of this batch time, epoch ms, or later."""
    return RowFilter(SQL.text("since.sql"), {"topic": topic, "first": batch_time})


def between(span: TimeSpan) -> RowFilter:
    """The rows with an event time in the span."""
    earliest, latest = max(span.earliest, _CALENDAR[0]), min(span.latest, _CALENDAR[1])
    return RowFilter(SQL.text("between.sql"), {"earliest": earliest, "latest": latest})


_KEYS: Final = (Column("org", Kind.TEXT), Column("stream_id", Kind.TEXT), Column("request_id", Kind.TEXT))
_RANGES: Final = (Column("topic", Kind.TEXT), Column("partition", Kind.UINT32), Column("batch_time", Kind.INT64))
