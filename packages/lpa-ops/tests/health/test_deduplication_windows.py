"""Entries of a table's deduplication window are counted over the retry horizon, by what an insert takes of them."""

from __future__ import annotations

from typing import Any, Final

import pytest

from lpa_core.settings.thresholds import State
from lpa_ops.health.checks import deduplication_windows
from lpa_ops.health.database import HealthDatabase
from lpa_ops.testing.checked_database import HOUR_MS, CheckedDatabase

MINUTE_MS: Final = 60_000
JANUARY: Final = 1_767_900_000_000
FEBRUARY: Final = 1_770_000_000_000


def insert(
    day: CheckedDatabase, at_ms: int, inserts: int, topic: str = "t", partition: int = 0, sent_ms: int = JANUARY
) -> None:
    """Each insert is of two rows."""
    day.run(
        "INSERT INTO day.streaming_events (source_topic, source_partition, timestamp, ingestion_timestamp) "
        f"SELECT '{topic}', {partition}, {sent_ms}, fromUnixTimestamp64Milli({at_ms} + intDiv(number, 2), 'UTC') "
        f"FROM numbers({2 * inserts})"
    )


@pytest.fixture
def busy(bare: CheckedDatabase) -> CheckedDatabase:
    start = (bare.now_ms - HOUR_MS) // (30 * MINUTE_MS) * 30 * MINUTE_MS
    insert(bare, start, 3)
    insert(bare, start, 2, sent_ms=FEBRUARY)
    insert(bare, start, 1, topic="u")
    for partition in (1, 2, 3):
        insert(bare, start + 15 * MINUTE_MS, 1, partition=partition)
    insert(bare, bare.now_ms - 25 * HOUR_MS, 9)
    insert(bare, bare.now_ms + 1, 9)
    return bare


def set_window(day: CheckedDatabase, table: str, entries: int, kind: str = "non_replicated") -> None:
    day.run(f"ALTER TABLE day.{table} MODIFY SETTING {kind}_deduplication_window = {entries}")


def test_the_busiest_span_is_compared_with_the_smallest_window(busy: CheckedDatabase) -> None:
    set_window(busy, "streaming_events_quarantine", 12)
    for table, entries, kind in (
        ("streaming_events", 24, "non_replicated"),
        ("streaming_events_dlq", 3, "replicated"),
        ("ai_stream_status", 2, "non_replicated"),
    ):
        set_window(busy, table, entries, kind)
    found = busy(deduplication_windows.CHECK, retry_horizon_minutes=10).finding
    assert found.detail == (
        "6 entries in the busiest 10 minutes, from 2 partitions; streaming_events_quarantine remembers 12"
    )
    assert (found.state, found.value) == (State.OK, 0.5)
    set_window(busy, "streaming_events", 5)
    found = busy(deduplication_windows.CHECK, retry_horizon_minutes=10).finding
    assert found.detail.endswith("from 2 partitions; streaming_events remembers 5")
    assert (found.state, found.value) == (State.CRITICAL, 1.2)


@pytest.fixture
def replicated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are taken for replicated ones, which the embedded engine cannot have."""
    ask = HealthDatabase.ask

    def asked(database: HealthDatabase, file: str, **parameters: Any) -> list[dict[str, Any]]:
        rows = ask(database, file, **parameters)
        return [{**row, "replicated": 1} for row in rows] if file == "windows.sql" else rows

    monkeypatch.setattr(HealthDatabase, "ask", asked)


@pytest.mark.usefixtures("replicated")
def test_replicated_tables_have_a_window_of_their_own_and_a_time(busy: CheckedDatabase) -> None:
    set_window(busy, "streaming_events", 12, "replicated")
    set_window(busy, "streaming_events_dlq", 3)
    found = busy(deduplication_windows.CHECK, retry_horizon_minutes=10).finding
    assert (found.state, found.value) == (State.OK, 0.5)
    busy.run("ALTER TABLE day.streaming_events_dlq MODIFY SETTING replicated_deduplication_window_seconds = 600")
    assert busy(deduplication_windows.CHECK, retry_horizon_minutes=10).finding.state is State.OK
    found = busy(deduplication_windows.CHECK, retry_horizon_minutes=11).finding
    assert (found.state, found.detail) == (
        State.CRITICAL,
        "tokens are remembered for 600 s only, though inserts may be repeated for 11 minutes",
    )


def test_a_longer_horizon_has_more_entries(busy: CheckedDatabase) -> None:
    found = busy(deduplication_windows.CHECK, retry_horizon_minutes=30).finding
    assert found.detail.startswith("9 entries in the busiest 30 minutes, from 5 partitions; ")


def test_a_window_in_which_nothing_came_is_not_judged(bare: CheckedDatabase) -> None:
    insert(bare, bare.now_ms - 25 * HOUR_MS, 9)
    found = bare(deduplication_windows.CHECK).finding
    assert (found.state, found.detail) == (State.NOT_APPLICABLE, "nothing was inserted in the window")
