"""What is missing: no table has it, and it is no gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.delivery.consumer_group import Partition
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_ops.positions.missing import Missing, Positions
from lpa_sinks import schema

TOPIC = "events"
HERE = Partition(TOPIC, 0)
ALL = OffsetSpan(0, 100)


@attrs.define
class Topic:
    """What a topic holds, and which questions it was asked."""

    span_: OffsetSpan | None
    held: Sequence[int] = ()
    asked: list[OffsetSpan] = attrs.field(factory=list)
    names: frozenset[str] = frozenset({TOPIC})

    def span(self, partition: Partition) -> OffsetSpan | None:
        return self.span_

    def records(self, partition: Partition, spans: Sequence[OffsetSpan], times: range | None = None) -> list[int]:
        self.asked += spans
        return [offset for offset in self.held if any(span.first <= offset < span.behind for span in spans)]

    def holds_any(self, partition: Partition, span: OffsetSpan) -> bool:
        return bool(self.records(partition, [span]))


@attrs.frozen
class Tables:
    client: Client
    database: str

    def store(self, offsets: Sequence[int], table: str = "streaming_events", **more: Any) -> None:
        columns = ["source_topic", "source_partition", "source_offset", *more]
        rows = [[TOPIC, 0, offset, *more.values()] for offset in offsets]
        self.client.insert(f"{self.database}.{table}", rows, columns)

    def gap(self, first: int, behind: int) -> None:
        self.store([first], "known_gaps", next_offset=behind, reason="no_record")

    def missing(self, topic: Topic | None, asked: OffsetSpan = ALL) -> list[Missing]:
        return self.of(topic).missing(HERE, asked)

    def of(self, topic: Topic | None) -> Positions:
        def ask(text: str, where: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
            return self.client.query(text, parameters=dict(where)).result_rows

        return Positions(ask, self.database, topic)  # type: ignore[arg-type]


@pytest.fixture
def tables(engine: Client, database: str) -> Tables:
    """0 to 99 are stored, in three tables, but 20, 40 to 44, and 99."""
    schema.apply(engine, database, ())
    found = Tables(engine, database)
    rest = [offset for offset in range(100) if offset not in (20, 99) and not 40 <= offset < 45]
    found.store(rest[:50])
    found.store(rest[50:60], "streaming_events_dlq")
    found.store(rest[60:], "streaming_events_quarantine")
    return found


def test_failure_10_one_rule_of_what_is_missing(tables: Tables) -> None:
    spans = [OffsetSpan(20, 21), OffsetSpan(40, 45), OffsetSpan(99, 100)]
    assert tables.missing(None) == [Missing(each, each.size, each.first) for each in spans], "files have no gaps"
    topic = Topic(OffsetSpan(0, 100))
    assert tables.missing(topic) == [], "no reader is given a record there"
    assert topic.asked == spans, "only the gaps were read"
    assert tables.missing(Topic(OffsetSpan(0, 100), held=[3, 42, 43])) == [Missing(spans[1], 2, 42)]
    assert tables.missing(Topic(OffsetSpan(0, 43), held=[42, 43])) == [Missing(spans[1], 1, 42)], (
        "43 cannot be read yet"
    )
    assert tables.missing(Topic(None)) == tables.missing(None), "there is no such partition"

    # The topic no longer has them: only what was written down is known.
    emptied = Topic(OffsetSpan(100, 100))
    assert [each.span for each in tables.missing(emptied)] == spans
    assert not tables.of(emptied).holds_nothing(HERE, spans[1])
    tables.gap(20, 21)
    tables.gap(40, 44)
    assert [(each.span, each.first) for each in tables.missing(emptied)] == [(OffsetSpan(44, 45), 44), (spans[2], 99)]
    tables.gap(41, 45)  # seen twice, across each other
    assert tables.of(emptied).holds_nothing(HERE, spans[1])
    assert tables.of(emptied).stored_through(HERE, ALL) == 99
    tables.gap(99, 120)
    assert tables.missing(emptied) == []
    assert topic.asked == spans

    # Data of before there was such a table: nobody can know.
    tables.client.command(f"DROP TABLE {tables.database}.known_gaps SYNC")
    assert tables.missing(emptied) == []
    assert tables.missing(Topic(OffsetSpan(43, 100), held=[44])) == [Missing(spans[1], 1, 44)]


def test_failure_10_rows_of_before_gaps_were_written_down_prove_no_loss(tables: Tables) -> None:
    tables.client.command(f"TRUNCATE TABLE {tables.database}.streaming_events")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    tables.store([0, 1, 3], ingestion_timestamp=yesterday)
    tables.store([5])
    emptied = Topic(OffsetSpan(100, 100))
    assert [each.span for each in tables.missing(emptied, OffsetSpan(0, 6))] == [OffsetSpan(4, 5)]
