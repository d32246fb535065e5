"""What the tables make of rows: derived columns, expiry, views."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.events.face_value import unparsed
from lpa_core.events.model import MAX_EPOCH_MS, MIN_EPOCH_MS
from lpa_core.tables.table import Kind, Table
from lpa_sinks.clickhouse.types import column_type
from lpa_sinks.schema import apply

Query = Callable[[str], list[tuple[Any, ...]]]

DAY: Final = 86_400_000
NOW: Final = time.time_ns() // 1_000_000


Insert = Callable[..., None]


@pytest.fixture(scope="module")
def applied(engine: Client, tables: Sequence[Table]) -> Iterator[str]:
    """One database for all of these tests, since none changes a table."""
    apply(engine, "tables", tables)
    yield "tables"
    engine.command("DROP DATABASE tables SYNC")


@pytest.fixture
def insert(engine: Client, applied: str, tables: Sequence[Table]) -> Iterator[Insert]:
    """Inserts one row; columns that are not given are empty, zero or null, times are now."""
    by_name = {table.name: table for table in tables}
    empty: dict[Kind, Any] = {Kind.TEXT: "", Kind.LABEL: "", Kind.TIMESTAMP: NOW, Kind.FLOAT32: 0.0, Kind.FLOAT64: 0.0}
    written = set()

    def insert_row(table: str, **values: Any) -> None:
        columns = by_name[table].columns
        row = [values.pop(c.name, None if c.nullable else empty.get(c.kind, 0)) for c in columns]
        assert not values, f"unknown columns {values}"
        written.add(table)
        engine.insert(
            f"{applied}.{table}",
            [row],
            column_names=[column.name for column in columns],
            column_type_names=[column_type(column) for column in columns],
        )

    yield insert_row
    for table in written:
        engine.command(f"TRUNCATE TABLE {applied}.{table} SYNC")


def test_every_table_takes_a_row(insert: Insert, query: Query, applied: str, tables: Sequence[Table]) -> None:
    for table in tables:
        insert(table.name)
        assert query(f"SELECT count() FROM {applied}.{table.name}") == [(1,)]
        assert query(f"SELECT count() FROM {applied}.raw_{table.name}") == [(1,)]


@pytest.mark.parametrize(
    ("milliseconds", "time_and_date"),
    [
        (MIN_EPOCH_MS, ("1900-01-01 00:00:00.000", "1900-01-01", 190001)),
        (-1, ("1969-12-31 23:59:59.999", "1969-12-31", 196912)),
        (0, ("1970-01-01 00:00:00.000", "1970-01-01", 197001)),
        (1_767_830_400_123, ("2026-01-08 00:00:00.123", "2026-01-08", 202601)),
        (5_680_281_600_000, ("2150-01-01 00:00:00.000", "2150-01-01", 215001)),
        (MAX_EPOCH_MS, ("2299-12-31 23:59:59.999", "2299-12-31", 229912)),
    ],
)
def test_dates_do_not_wrap(
    insert: Insert, query: Query, applied: str, milliseconds: int, time_and_date: tuple[str, str, int]
) -> None:
    insert("streaming_events", timestamp=milliseconds)
    insert("ai_stream_events", event_timestamp=milliseconds)
    for table in ("streaming_events", "ai_stream_events"):
        sql = f"SELECT toString(event_timestamp), toString(event_date), toYYYYMM(event_date) FROM {applied}.{table}"
        assert query(sql) == [time_and_date]


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("2402400000000000 WEI", 2_402_400_000_000_000),
        ("2402400000000000", 2_402_400_000_000_000),
        ("7WEI", 7),
        ("7 wei", 7),
        ("9" * 77, 10**77 - 1),
        ("9" * 90, 0),
        ("", 0),
        ("free", 0),
        ("-5 WEI", 0),
        ("2.5 WEI", 0),
        ("2e15", 0),
        ("7 ETH", 7 * 10**18),
        ("77", 77),
        ("0 ETH", 0),
        ("0.000000100000000000", 100_000_000_000),
        ("0.01 ETH", 10**16),
        ("1 eth", 10**18),
        ("0.012345678901234567 ETH", 12_345_678_901_234_567),
        ("9" * 59 + " ETH", (10**59 - 1) * 10**18),
        ("9" * 60 + " ETH", 0),
        ("1.5 WEI", 0),
        ("1e16", 0),
        ("-1 WEI", 0),
        ("5 LPT", 0),
    ],
)
def test_face_value_in_wei(insert: Insert, query: Query, applied: str, text: str, wei: int) -> None:
    insert("payment_events", face_value=text)
    assert query(f"SELECT face_value_wei FROM {applied}.payment_events") == [(wei,)]
    assert query(f"SELECT face_value_wei FROM {applied}.raw_payment_events") == [(wei,)]
    assert unparsed([text]) == (wei == 0 and text != "0 ETH"), "the counter and the schema agree"


@pytest.mark.parametrize(
    ("face_value", "win_prob", "num_tickets", "wei"),
    [
        ("2402400000000000 WEI", "0.0009990010", "2", 4_800_000_004_800),
        ("0.01 ETH", "0.0009990010", "1", 9_990_010_000_000),
        ("3", "1", "2", 6),
        ("3", "1.0000000001", "2", 0),
        ("3", "0", "2", 0),
        ("3", "often", "2", 0),
        ("3", "1", "two", 0),
        ("5 LPT", "1", "2", 0),
        (str(10**57), "1", str(2**32 - 1), 10**57 * (2**32 - 1)),
        (str(10**57 + 1), "1", "1", 0),
    ],
)
def test_what_tickets_are_worth(
    insert: Insert, query: Query, applied: str, face_value: str, win_prob: str, num_tickets: str, wei: int
) -> None:
    insert("payment_events", face_value=face_value, win_prob=win_prob, num_tickets=num_tickets)
    assert query(f"SELECT expected_fee_wei FROM {applied}.payment_events") == [(wei,)]
    assert query(f"SELECT expected_fee_wei FROM {applied}.raw_payment_events") == [(wei,)]


@pytest.mark.parametrize(
    ("price", "wei"),
    [("1635.021 wei/pixel", 1635.021), (" 7 wei/pixel", 7.0), ("7 wei/second", None), ("7", None), ("", None)],
)
def test_a_price_is_in_wei_a_pixel(insert: Insert, query: Query, applied: str, price: str, wei: float | None) -> None:
    insert("payment_events", price=price)
    assert query(f"SELECT price_wei_per_pixel FROM {applied}.payment_events") == [(wei,)]


@pytest.mark.parametrize(("fee", "wei"), [("250", 250), (" 7 ", 7), ("-3", 0), ("2.5", 0), ("", 0), ("9" * 78, 0)])
def test_the_fee_of_a_signed_ticket_in_wei(insert: Insert, query: Query, applied: str, fee: str, wei: int) -> None:
    insert("signed_ticket_events", computed_fee=fee)
    for table in ("signed_ticket_events", "raw_signed_ticket_events"):
        assert query(f"SELECT fee_wei FROM {applied}.{table}") == [(wei,)]


def test_round_trips_are_told_in_milliseconds(insert: Insert, query: Query, applied: str) -> None:
    insert("stream_ingest_metrics", video_rtt=2_500_000, audio_rtt=500_000)
    for table in ("stream_ingest_metrics", "raw_stream_ingest_metrics"):
        assert query(f"SELECT video_rtt_ms, audio_rtt_ms FROM {applied}.{table}") == [(2.5, 0.5)]


def test_data_is_read_from_the_original_text(insert: Insert, query: Query, applied: str) -> None:
    insert("streaming_events", raw_json='{"id":"a","other":{"data":1},"data":{"b":[1,"x",null]}}', dedup_key="a key")
    for table in ("streaming_events", "raw_streaming_events"):
        sql = f"SELECT data, raw_event_uid FROM {applied}.{table}"
        assert query(sql) == [('{"b":[1,"x",null]}', "a key")]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"data":{"a":1},"id":"x","data":{"b":2}}', '{"b":2}'),
        (r'{"data":{"a":1},"d\u0061ta":{"b":2}}', '{"b":2}'),
        (r'{"d\u0061ta":{"a":1},"data":[3]}', "[3]"),
        ('{"data":{"a":1},"Data":{"b":2},"DATA":3}', '{"a":1}'),
        ('{"data":{"a":1},"other":{"data":4}}', '{"a":1}'),
        ('{"data":{"a":1},"data":null}', "null"),
        ('{"id":"x"}', ""),
        ("[1]", ""),
        ("no JSON", ""),
    ],
)
def test_failure_07_the_last_data_of_a_record_is_its_data(
    insert: Insert, query: Query, applied: str, text: str, data: str
) -> None:
    insert("streaming_events", raw_json=text)
    for table in ("streaming_events", "raw_streaming_events"):
        assert query(f"SELECT data, raw_json FROM {applied}.{table}") == [(data, text)]


def test_hour_of_a_status(insert: Insert, query: Query, applied: str) -> None:
    insert("ai_stream_status", event_timestamp=1_767_830_400_000 + 13 * 3_600_000)
    assert query(f"SELECT event_hour FROM {applied}.ai_stream_status") == [(13,)]
    assert query(f"SELECT event_hour FROM {applied}.raw_ai_stream_status") == [(13,)]


@pytest.mark.parametrize(
    ("event_timestamp", "record_timestamp", "date"),
    [(None, 0, "1970-01-01"), (MIN_EPOCH_MS, 0, "1900-01-01"), (MAX_EPOCH_MS, 0, "2299-12-31")],
)
@pytest.mark.parametrize("table", ["streaming_events_dlq", "streaming_events_quarantine"])
def test_date_of_a_reject(
    insert: Insert,
    query: Query,
    applied: str,
    table: str,
    event_timestamp: int | None,
    record_timestamp: int,
    date: str,
) -> None:
    insert(table, event_timestamp=event_timestamp, source_record_timestamp=record_timestamp)
    assert query(f"SELECT toString(event_date) FROM {applied}.{table}") == [(date,)]


DAYS: Final = {
    "streaming_events": 90,
    "streaming_events_dlq": 30,
    "streaming_events_quarantine": 7,
    "ai_stream_status": 90,
    "stream_ingest_metrics": 90,
    "stream_trace_events": 90,
    "network_capabilities": 90,
    "network_capabilities_advertised": 180,
    "network_capabilities_model_constraints": 180,
    "network_capabilities_prices": 180,
    "ai_stream_events": 90,
    "discovery_results": 30,
    "payment_events": 90,
    "signed_ticket_events": 90,
    "stream_heartbeats": 90,
    "stream_stats": 90,
}
"""How long each table keeps its rows (docs/spec/tables.md section 2, docs/spec/producers.md section 3)."""


@pytest.mark.slow
def test_rows_expire_by_the_later_of_event_and_arrival(
    insert: Insert, engine: Client, query: Query, applied: str, tables: Sequence[Table]
) -> None:
    for table in tables:
        days = DAYS[table.name]
        event_time = "timestamp" if table.name == "streaming_events" else "event_timestamp"
        expected = []
        for label, event, arrival in [
            ("1900, arrived now", MIN_EPOCH_MS, NOW),
            ("1970, arrived now", 0, NOW),
            ("long ago, arrived now", NOW - 10 * days * DAY, NOW),
            ("both almost too old", NOW - (days - 1) * DAY, NOW - (days - 1) * DAY),
            ("both too old", NOW - (days + 1) * DAY, NOW - (days + 1) * DAY),
            ("1900, arrival too old", MIN_EPOCH_MS, NOW - (days + 1) * DAY),
            ("2299, arrived now", MAX_EPOCH_MS, NOW),
        ]:
            uid = "dedup_key" if table.name.startswith("streaming_events") else "raw_event_uid"
            insert(table.name, **{uid: label, event_time: event, "ingestion_timestamp": arrival})
            if "too old" not in label or "almost" in label:
                expected.append((label,))
        engine.command(f"OPTIMIZE TABLE {applied}.{table.name} FINAL")
        assert query(f"SELECT {uid} FROM {applied}.{table.name} ORDER BY 1") == sorted(expected), table.name


def test_an_event_ahead_of_its_arrival_stays(insert: Insert, engine: Client, query: Query, applied: str) -> None:
    insert("payment_events", event_timestamp=NOW + 10 * DAY, ingestion_timestamp=NOW - 95 * DAY)
    engine.command(f"OPTIMIZE TABLE {applied}.payment_events FINAL")
    assert query(f"SELECT count() FROM {applied}.payment_events") == [(1,)]


def test_views_find_the_original_text_of_the_very_event(insert: Insert, query: Query, applied: str) -> None:
    for offset in (1, 2):  # a key that comes again after its time to live is an event of its own
        place = {"source_topic": "events", "source_partition": 3, "source_offset": offset}
        insert("streaming_events", dedup_key="again", raw_json=f"text {offset}", **place)
        insert("ai_stream_events", raw_event_uid="again", message=f"message {offset}", **place)
    insert("ai_stream_events", raw_event_uid="gone", message="message 3", source_topic="events", source_offset=3)
    assert query(f"SELECT message, raw_json FROM {applied}.raw_ai_stream_events ORDER BY message") == [
        ("message 1", "text 1"),
        ("message 2", "text 2"),
        ("message 3", ""),
    ]


def test_views_do_not_multiply_rows(insert: Insert, query: Query, applied: str) -> None:
    for _ in range(2):
        insert("streaming_events", dedup_key="k", raw_json="text", source_topic="events", source_offset=1)
    insert("discovery_results", raw_event_uid="k", source_topic="events", source_offset=1)
    assert query(f"SELECT raw_json FROM {applied}.raw_discovery_results") == [("text",)]


def test_triage_queries_run(query: Query, insert: Insert, applied: str) -> None:
    insert("streaming_events_dlq", failure_class="SCHEMA_INVALID", failure_reason="missing_type", payload_body="{}")
    recent = f"FROM {applied}.streaming_events_dlq WHERE ingestion_timestamp >= now() - INTERVAL 1 HOUR"
    assert query(
        f"SELECT failure_class, failure_reason, count() AS total {recent} "
        "GROUP BY failure_class, failure_reason ORDER BY total DESC"
    ) == [("SCHEMA_INVALID", "missing_type", 1)]
    assert query(
        "SELECT event_id, event_type, failure_class, failure_reason, payload_body "
        f"{recent} ORDER BY ingestion_timestamp DESC LIMIT 20"
    ) == [("", "", "SCHEMA_INVALID", "missing_type", "{}")]
