"""A person's records in the tables: where they are, and how their rows go."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.delivery.consumer_group import Partition
from lpa_core.tables.ignored import IGNORED_COUNTS_TABLE, IGNORED_EVENTS_TABLE
from lpa_core.tables.known_gaps import OffsetSpan
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_ops.erase.selector import Selector
from lpa_ops.positions.doubled import ingested_tables
from lpa_ops.positions.stored_tables import StoredTable
from lpa_sinks.clickhouse.names import quoted
from lpa_sinks.clickhouse.sql_files import SqlFiles
from lpa_sinks.materialize.row_filter import RowFilter, SessionKey

_SQL: Final = SqlFiles(__package__)
_BODY: Final = "if(payload_encoding = 'base64', tryBase64Decode(payload_body), payload_body)"
_PAYLOADS: Final[Mapping[str, str]] = {
    RAW_TABLE.name: "raw_json",
    DLQ_TABLE.name: _BODY,
    QUARANTINE_TABLE.name: _BODY,
    IGNORED_EVENTS_TABLE.name: "payload",
}
"""Table -> where it has the text of a record."""
_AT_ONCE: Final = 500
"""Bounds the length of a statement's parameters, which travel in a URL."""

Spans = Mapping[Partition, Sequence[OffsetSpan]]
"""Records by their positions."""


@final
@attrs.define
class FoundRecords:
    """Positions of records."""

    offsets: dict[Partition, set[int]] = attrs.field(factory=lambda: defaultdict(set))

    def add(self, partition: Partition, offset: int) -> None:
        self.offsets[partition].add(offset)

    def add_spans(self, spans: Spans) -> None:
        for partition, some in spans.items():
            self.offsets[partition] |= {at for span in some for at in range(*span)}

    @property
    def spans(self) -> Spans:
        return {partition: spans_of(some) for partition, some in sorted(self.offsets.items())}


def spans_of(offsets: Iterable[int]) -> list[OffsetSpan]:
    """The offsets, those that follow each other together."""
    found: list[OffsetSpan] = []
    for offset in sorted(set(offsets)):
        if found and found[-1].behind == offset:
            found[-1] = OffsetSpan(found[-1].first, offset + 1)
        else:
            found.append(OffsetSpan(offset, offset + 1))
    return found


def find(client: Client, database: str, selector: Selector, found: FoundRecords) -> None:
    """Add the records that the selector takes, of every table with the text of records. Raises the client's errors."""
    for table in ingested_tables(client, database):
        if table.name in _PAYLOADS:
            query = _SQL.fill("candidates.sql", table=table.target, payload=_PAYLOADS[table.name])
            rows = client.query(query, parameters={"needles": selector.needles}).result_rows
            for topic, number, offset, payload in rows:
                if selector.takes(base64.b64decode(payload)):
                    found.add(Partition(topic, number), offset)


def row_filters(spans: Spans) -> Iterator[RowFilter]:
    """The rows made of these records, some at a time."""
    for where, bound in _conditions(spans):
        yield RowFilter(where, bound)


def sessions_of_facts(client: Client, database: str, selector: Selector) -> set[SessionKey]:
    """Sessions of the stream that have facts, even if retention took all their events. Raises the client's errors."""
    query = _SQL.fill("sessions_of_facts.sql", database=quoted(database))
    found = client.query(query, parameters={"streams": sorted(selector.texts)}).result_rows
    return {SessionKey.of(*key) for key in found}


def rows_at(client: Client, database: str, spans: Spans) -> dict[str, int]:
    """How many rows of these records each table has; none of it without any. Raises the client's errors."""
    counted = {
        table.name: sum(
            int(client.query(f"SELECT count() FROM {table.target} WHERE {where}", parameters=bound).result_rows[0][0])
            for where, bound in _conditions(spans)
        )
        for table in _tables(client, database)
    }
    return {name: rows for name, rows in sorted(counted.items()) if rows}


def remove(client: Client, database: str, spans: Spans) -> int:
    """Take the rows of these records out of all tables, and return how many there were. Raises the client's errors.

    Parts are written again without them when this returns.
    """
    removed = 0
    for table in _tables(client, database):
        for where, bound in _conditions(spans):
            rows = client.query(f"SELECT count() FROM {table.target} WHERE {where}", parameters=bound).result_rows[0][0]
            if rows:
                client.command(
                    f"ALTER TABLE {table.target} DELETE WHERE {where}", parameters=bound, settings={"mutations_sync": 2}
                )
            removed += int(rows)
    return removed


def _tables(client: Client, database: str) -> list[StoredTable]:
    """Without the counts of ignored records: one of them stands for many, and says nothing of any."""
    return [table for table in ingested_tables(client, database) if table.name != IGNORED_COUNTS_TABLE.name]


def _conditions(spans: Spans) -> Iterator[tuple[str, dict[str, Any]]]:
    """Conditions for rows at these positions, with their parameters."""
    where = _SQL.text("at_positions.sql")
    for (topic, number), some in spans.items():
        for start in range(0, len(some), _AT_ONCE):
            few = some[start : start + _AT_ONCE]
            yield (
                where,
                {
                    "topic": topic,
                    "partition": number,
                    "low": few[0].first,
                    "high": few[-1].behind,
                    "firsts": [span.first for span in few],
                    "behinds": [span.behind for span in few],
                },
            )
