"""The one rule of what is missing.

A position is missing if no table has it and a consumer that reads committed records can still be given a record
there; or, where the topic no longer has it, unless it is known that nothing was there. Ends of transactions, aborted
and compacted records are gaps, and not missing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.delivery.consumer_group import Partition
from lpa_core.settings.settings import Settings
from lpa_core.tables.known_gaps import KNOWN_GAPS_TABLE, OffsetSpan
from lpa_ops.positions.checkpoints import checkpoints, sink_name
from lpa_ops.positions.input_topics import InputTopics
from lpa_ops.positions.statements import sql
from lpa_sinks.sink.known_gaps import in_gaps_query

Ask = Callable[[str, Mapping[str, Any]], Sequence[Sequence[Any]]]
"""Runs a query with parameters, and answers its rows."""

_READ_SECONDS: Final = 120.0
"""How long a command reads a topic to tell gaps from losses."""


@final
@attrs.frozen
class Missing:
    """Consecutive offsets that no table has, some of which should be in one.

    Attributes:
        span: the offsets.
        records: how many of them are missing: COUNTED at most of those that the topic holds.
        first: the first of these.
    """

    span: OffsetSpan
    records: int
    first: int


@final
class _Unaccounted(NamedTuple):
    """Offsets that are in no table and in no known gap; ``recorded``: who read across them wrote gaps down."""

    span: OffsetSpan
    recorded: bool


@final
class Positions:
    """Finds the missing positions of one database.

    ``topics`` are asked about what the tables do not say; None if all comes from files, which have no gaps. Methods
    raise what ``ask`` raises, BrokerError and BrokerUnavailable.
    """

    def __init__(self, ask: Ask, database: str, topics: InputTopics | None) -> None:
        self._ask, self._database, self._topics = ask, database, topics
        since = ask(sql("gaps_known_since.sql", database), {"database": database, "table": KNOWN_GAPS_TABLE.name})
        self._gaps_known_since: int | None = since[0][0] if since else None

    def missing(self, partition: Partition, asked: OffsetSpan, times: range | None = None) -> list[Missing]:
        """What is missing between the offsets, in order.

        ``times``: of records of the topic that count, epoch ms; None for any.
        """
        found = self._unaccounted(partition, asked)
        topics = self._topics
        there = topics.span(partition) if found and topics is not None and partition.topic in topics.names else None
        if there is None or topics is None:
            return [Missing(each.span, each.span.size, each.span.first) for each in found]
        held = [
            OffsetSpan(max(each.span.first, there.first), min(each.span.behind, there.behind))
            for each in found
            if each.span.behind > there.first and each.span.first < there.behind
        ]
        records = topics.records(partition, held, times) if held else []
        return list(_judged(found, records, there.first))

    def stored_through(self, partition: Partition, asked: OffsetSpan) -> int:
        """The offset before which nothing is missing, from the first that is asked for on."""
        missing = self.missing(partition, asked)
        return missing[0].first if missing else max(asked.first, asked.behind)

    def holds_nothing(self, partition: Partition, asked: OffsetSpan) -> bool:
        """Whether it is known that there was no record at any of the offsets; looks at known gaps and the topic."""
        if self._in_gaps(partition, asked) == asked.size:
            return True
        topics = self._topics
        there = topics.span(partition) if topics is not None and partition.topic in topics.names else None
        if there is None or topics is None or asked.first < there.first:
            return False
        return not topics.holds_any(partition, asked)

    def stored(self, partition: Partition, asked: OffsetSpan) -> int:
        """How many of the offsets are in a table."""
        return self._number(sql("stored.sql", self._database), partition, asked)

    def held(self, partition: Partition, asked: OffsetSpan) -> int | None:
        """How many records can be read from the topic at these offsets, COUNTED at most; None of any other topic."""
        if self._topics is None or partition.topic not in self._topics.names:
            return None
        return len(self._topics.records(partition, [asked]))

    def _unaccounted(self, partition: Partition, asked: OffsetSpan) -> list[_Unaccounted]:
        if self.stored(partition, asked) + self._in_gaps(partition, asked) == asked.size:
            return []
        written_down = self._gaps_known_since is not None
        text = sql("unaccounted.sql", self._database, with_gaps=written_down)
        rows = self._rows(text, partition, asked, gaps_known_since=self._gaps_known_since or 0)
        return [_Unaccounted(OffsetSpan(first, behind), written_down and bool(by)) for first, behind, by in rows]

    def _in_gaps(self, partition: Partition, asked: OffsetSpan) -> int:
        return 0 if self._gaps_known_since is None else self._number(in_gaps_query(self._database), partition, asked)

    def _number(self, text: str, partition: Partition, asked: OffsetSpan) -> int:
        if not asked.size:
            return 0
        ((number,),) = self._rows(text, partition, asked)
        return int(number or 0)

    def _rows(self, text: str, partition: Partition, asked: OffsetSpan, **more: Any) -> Sequence[Sequence[Any]]:
        where = {"topic": partition.topic, "partition": partition.number, **asked._asdict(), **more}
        return self._ask(text, where)


@contextmanager
def positions_of(client: Client, database: str, sink: str | None, settings: Settings) -> Iterator[Positions]:
    """Of the database that a command was given by ``sink``. Raises the client's errors, BackupError."""
    files = {each.topic for each in checkpoints(settings, sink_name(sink, settings)).values()}
    topics = InputTopics(settings, _READ_SECONDS, without=files)
    try:
        yield Positions(
            lambda text, where: client.query(text, parameters=dict(where)).result_rows,
            database,
            topics if topics.names else None,
        )
    finally:
        topics.close()


def _judged(found: Sequence[_Unaccounted], records: Sequence[int], low: int) -> Iterator[Missing]:
    """Args:
    records: the offsets of ``found`` at which the topic still has records, ascending.
    low: the first offset that the topic holds.
    """
    for span, recorded in found:
        gone = max(0, min(span.behind, low) - span.first) if recorded else 0
        begin, end = bisect_left(records, span.first), bisect_left(records, span.behind)
        if gone or begin < end:
            yield Missing(span, gone + end - begin, span.first if gone else records[begin])
