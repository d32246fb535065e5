"""Rejects that ClickHouse itself refuses, of a file: stored reduced."""

from __future__ import annotations

from contextlib import closing

from lpa_core.dedup.memory import MemoryDedupStore
from lpa_core.delivery.checkpoint import MemoryCheckpoint
from lpa_core.delivery.source_worker import SourceLimits, SourceWorker
from lpa_core.events.registry import BUILTIN_EVENT_TYPES
from lpa_core.pipeline.pipeline import Pipeline
from lpa_core.tables.row_layout import DLQ_TABLE, QUARANTINE_TABLE, RAW_TABLE
from lpa_core.testing.doubles import MemorySource
from lpa_sinks.testing.places import ClickHousePlace

PIPELINE = Pipeline(BUILTIN_EVENT_TYPES)
TABLES = (*PIPELINE.tables, RAW_TABLE, DLQ_TABLE, QUARANTINE_TABLE)


def test_failure_01_rejects_that_clickhouse_refuses_are_reduced(embedded: ClickHousePlace) -> None:
    with closing(embedded.sink()) as sink:
        sink.open(TABLES)
        try:
            for table in (DLQ_TABLE, RAW_TABLE):
                body = "payload_body" if table is DLQ_TABLE else "raw_json"
                embedded.change(table, f"ADD CONSTRAINT good CHECK position({body}, 'bad') = 0")
            event = b'{"id":"%d","type":"stream_trace","timestamp":1767900000000,"data":%s}'
            data = b'{"stream_id":"%s","request_id":"r","type":"t"}'
            values = [
                event % (1, data % b"s"),
                b'{"type":"bad"}',
                event % (2, data % b"bad"),
                b"nope",
                event % (3, data % b"s"),
            ]
            report = SourceWorker(
                MemorySource("reduced", values),
                PIPELINE,
                MemoryDedupStore(1000),
                [sink],
                MemoryCheckpoint(),
                limits=SourceLimits(100, 1 << 20),
            ).run()
            assert (report.read, report.accepted) == (5, 2)
            assert embedded.query(
                "SELECT source_offset, failure_reason, payload_truncated, payload_size, empty(payload_body) "
                f"FROM {embedded.name(DLQ_TABLE)} WHERE source_topic = 'reduced' ORDER BY source_offset"
            ) == [
                (1, "missing_timestamp", 1, 14, 1),
                (2, "sink_write_failed", 1, len(values[2]), 1),
                (3, "json_parse_error", 0, 4, 0),
            ]
        finally:
            for table in TABLES:
                embedded.drop_table(table)
