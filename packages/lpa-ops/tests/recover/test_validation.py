"""What proves a recovery: derived data that disagree are named, and how old the newest event is."""

from __future__ import annotations

import re

import pytest
from clickhouse_connect.driver.client import Client

from lpa_core.settings.settings import Settings
from lpa_ops.recover.validation import ValidationResult, validate
from lpa_ops.testing.checked_database import CheckedDatabase
from lpa_sinks import schema


def found(client: Client, database: str) -> dict[str, ValidationResult]:
    return {check.name: check for check in validate(client, database, None, Settings())}


@pytest.mark.slow
def test_derived_data_that_disagree_are_named(day: CheckedDatabase) -> None:
    database = day.settings.clickhouse.database
    healthy = found(day.engine, database)
    assert {check.name: check.found for check in healthy.values() if check.good is False} == {}
    assert healthy["derived data agree"].good
    assert re.fullmatch(r"\d\d+ assertions hold over 24 h", healthy["derived data agree"].found)
    day.run(
        "INSERT INTO day.fact_workflow_session_segments_versions (workflow_session_id, segment_index, "
        "segment_start_ts, ingestion_timestamp, version) "
        "SELECT 'fault|fault', 0, max(event_timestamp), now64(3), 1 FROM day.streaming_events"
    )
    damaged = found(day.engine, database)
    day.run("DELETE FROM day.fact_workflow_session_segments_versions WHERE workflow_session_id = 'fault|fault'")
    assert damaged["derived data agree"] == ValidationResult(
        "derived data agree", None, "not yet: segments_reference_sessions"
    )


@pytest.mark.slow
def test_the_newest_event_tells_how_fresh_all_is(engine: Client, database: str) -> None:
    schema.apply(engine, database, ())
    empty = found(engine, database)
    for name in ("freshness", "derived data agree"):
        assert empty[name] == ValidationResult(name, None, "no event is stored")
    for minutes in (90, 30, 60):
        engine.command(
            f"INSERT INTO {database}.streaming_events (source_topic, source_offset, ingestion_timestamp) "
            f"SELECT 't', {minutes}, now64(3) - INTERVAL {minutes} MINUTE"
        )
    fresh = found(engine, database)["freshness"]
    assert fresh.good is None
    said = re.fullmatch(r"the newest event was stored ([\d.]+) minutes ago", fresh.found)
    assert said is not None
    assert 30 <= float(said[1]) < 35
