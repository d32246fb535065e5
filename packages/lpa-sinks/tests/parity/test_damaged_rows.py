"""Assertions about stored rows fail where these are damaged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from lpa_sinks.parity import Severity
from lpa_sinks.testing.damage import Damage, DerivedDatabase, fact, facts, rows, view

SESSIONS: Final = "fact_workflow_sessions"
SEGMENTS: Final = "fact_workflow_session_segments"
LATENCY: Final = "fact_workflow_latency_samples"
SAMPLES: Final = "fact_stream_status_samples"
EDGES: Final = "fact_stream_trace_edges"
SNAPSHOTS: Final = "dim_orchestrator_capability_snapshots"
ATTRIBUTED: Final = "orchestrator_address != '' AND ifNull(gpu_id, '') != ''"
PLACES: Final = ("streaming_events_quarantine", "streaming_events_dlq", "streaming_events")
TAIL: Final = "workflow_session_id = 'tail|tail'"


def one(table: str) -> str:
    """One event of a table."""
    return f"raw_event_uid = (SELECT min(raw_event_uid) FROM $.{table})"


def _unkeyed(stored: DerivedDatabase) -> None:
    """Key sessions as the reference does: by a start that moves."""
    stored.command(f"DROP TABLE $.{SESSIONS}_versions SYNC")
    stored.command(
        f"CREATE TABLE $.{SESSIONS}_versions AS $.kept_{SESSIONS}_versions "
        "ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (session_start_ts, workflow_session_id)"
    )
    stored.command(f"INSERT INTO $.{SESSIONS}_versions SELECT * FROM $.kept_{SESSIONS}_versions")
    stored.change(SESSIONS, session_start_ts="session_start_ts - INTERVAL 1 SECOND")


DAMAGES: Final[dict[str, list[Damage]]] = {
    "raw_events_present": [rows("stream_trace_events", "TRUNCATE TABLE #")],
    "core_types_have_no_rejects": [],
    "core_events_match_typed_rows": [
        rows("ai_stream_status", f"ALTER TABLE # DELETE WHERE {one('ai_stream_status')}"),
        rows("stream_trace_events", "INSERT INTO # SELECT * FROM # LIMIT 1"),
        rows(
            "streaming_events",
            "ALTER TABLE # DELETE WHERE dedup_key = (SELECT min(raw_event_uid) FROM $.ai_stream_events)",
        ),
        *(
            rows(
                name,
                "INSERT INTO # (event_timestamp, raw_event_uid) "
                "SELECT event_timestamp, 'made up' FROM $.ai_stream_events LIMIT 1",
            )
            for name in ("signed_ticket_events", "stream_heartbeats", "stream_stats")
        ),
    ],
    "payments_and_discoveries_match_typed_rows": [
        rows("payment_events", f"ALTER TABLE # DELETE WHERE {one('payment_events')}"),
        rows("payment_events", "INSERT INTO # SELECT * FROM # LIMIT 1"),
        rows("discovery_results", f"ALTER TABLE # DELETE WHERE {one('discovery_results')}"),
        rows("discovery_results", "INSERT INTO # SELECT * REPLACE ('made up' AS raw_event_uid) FROM # LIMIT 1"),
        rows(
            "streaming_events",
            "ALTER TABLE # DELETE WHERE dedup_key = (SELECT min(raw_event_uid) FROM $.payment_events)",
        ),
    ],
    "capability_rows_come_from_stored_events": [
        rows(
            "network_capabilities_prices", "INSERT INTO # SELECT * REPLACE ('made up' AS raw_event_uid) FROM # LIMIT 1"
        )
    ],
    "network_capabilities_raw_and_typed_present": [rows("network_capabilities", "TRUNCATE TABLE #")],
    "accepted_events_reach_facts": [
        rows(f"{name}_versions", "TRUNCATE TABLE #") for name in (SAMPLES, EDGES, SESSIONS)
    ],
    "no_materialized_views": [],
    "capability_dimensions_project_typed_rows": [
        facts(SNAPSHOTS, is_deleted="1"),
        fact(SNAPSHOTS, "gpu_id IS NOT NULL", is_deleted="1"),
        fact(SNAPSHOTS, gpu_id="'another'"),
        fact("dim_orchestrator_capability_advertised_snapshots", is_deleted="1"),
        fact("dim_orchestrator_capability_model_constraints", is_deleted="1"),
        fact("dim_orchestrator_capability_prices", is_deleted="1"),
    ],
    "capability_prices_are_told_apart": [
        rows("network_capabilities_prices", "INSERT INTO # SELECT * REPLACE (7 AS price_per_unit) FROM # LIMIT 1")
    ],
    "status_samples_match_typed_rows": [
        fact(SAMPLES, is_deleted="1"),
        fact(SAMPLES, source_event_uid="'made up'"),
        fact(SAMPLES, workflow_session_id="'another'"),
    ],
    "trace_edges_match_typed_rows": [fact(EDGES, is_deleted="1"), fact(EDGES, source_event_uid="'made up'")],
    "ingest_samples_match_typed_rows": [
        fact("fact_stream_ingest_samples", is_deleted="1"),
        fact("fact_stream_ingest_samples", source_event_uid="'made up'"),
    ],
    "session_facts_present": [rows(f"{SESSIONS}_versions", "TRUNCATE TABLE #")],
    "session_versions_agree": [
        rows(
            f"{SESSIONS}_versions",
            "INSERT INTO # SELECT * REPLACE (known_stream + 1 AS known_stream) FROM # FINAL LIMIT 1",
        )
    ],
    "facts_are_read_once": [Damage(_unkeyed, (f"{SESSIONS}_versions",)), view(SEGMENTS, twice=True)],
    "sessions_have_an_identifier": [fact(SESSIONS, workflow_session_id="' '")],
    "swap_counts_agree": [fact(SESSIONS, swap_count="confirmed_swap_count + 1")],
    "sessions_use_canonical_orchestrators": [fact(SESSIONS, ATTRIBUTED, orchestrator_address="'0xproxy'")],
    "swapped_sessions_have_evidence": [
        fact(SESSIONS, "confirmed_swap_count = 0 AND inferred_orchestrator_change_count = 0", confirmed_swap_count="1")
    ],
    "param_updates_reference_sessions": [fact("fact_workflow_param_updates", workflow_session_id="'nobody'")],
    "session_pipelines_are_no_models": [
        fact(SESSIONS, "model_id != ''", pipeline="upper(assumeNotNull(model_id))"),
        fact(SESSIONS, pipeline="'M'", model_id="'m'", gpu_attribution_method="'none'"),
    ],
    "sessions_agree_with_segments": [fact(SESSIONS, ATTRIBUTED, model_id="'another'")],
    "sessions_agree_with_latency": [
        fact(LATENCY, pipeline="'another'"),
        fact(LATENCY, is_deleted="1"),
        fact(LATENCY, workflow_session_id="'nobody'"),
    ],
    "samples_agree_with_sessions": [
        facts(SAMPLES, pipeline="'another'"),
        fact(SAMPLES, "is_attributed", pipeline="'another'", severity=Severity.WARN),
    ],
    "samples_agree_with_segments": [
        fact(SAMPLES, "is_attributed", gpu_id="'another'"),
        fact(SAMPLES, "is_attributed", orchestrator_address="'0xother'"),
        facts(SEGMENTS, segment_start_ts="segment_start_ts + INTERVAL 1 DAY"),
        facts(SEGMENTS, is_deleted="1"),
    ],
    "latency_agrees_with_segments": [fact(LATENCY, ATTRIBUTED, gpu_id="'another'")],
    "proxies_stand_for_one_orchestrator": [
        fact(SNAPSHOTS, orchestrator_address="'0xother'"),
        fact(
            SNAPSHOTS,
            orchestrator_address="'0xother'",
            orchestrator_url="'elsewhere'",
            severity=Severity.WARN,
        ),
    ],
    "change_flags_agree_with_segments": [
        fact(SEGMENTS, "model_id != ''", segment_index="segment_index + 7", model_id="'another'"),
        fact(SEGMENTS, "pipeline != ''", segment_index="segment_index + 7", pipeline="'another'"),
    ],
    "attributed_sessions_have_labelled_edges": [
        facts(EDGES, pipeline="''"),
        facts(
            EDGES,
            f"workflow_session_id = (SELECT min(workflow_session_id) FROM $.{EDGES} WHERE is_attributed)",
            pipeline="''",
            severity=Severity.WARN,
        ),
    ],
    "segments_reference_sessions": [
        fact(SEGMENTS, workflow_session_id="'nobody'"),
        facts(SEGMENTS, TAIL, is_deleted="1", severity=Severity.WARN),
    ],
    "known_streams_stay_known": [fact(SESSIONS, "known_stream", known_stream="0")],
    "minute_rollup_matches_samples": [
        fact(SAMPLES, "is_attributed", output_fps="output_fps + 1"),
        fact(SAMPLES, "is_attributed", is_attributed="0"),
        fact("agg_stream_performance_1m", gateway="'another'"),
    ],
    "hour_rollup_matches_samples": [
        fact(SAMPLES, "is_attributed", output_fps="output_fps + 1"),
        fact(SAMPLES, TAIL, state="'ONLINE'"),
        fact("agg_session_performance_1h", is_deleted="1"),
    ],
    "quality_benchmark_matches_facts": [
        facts("agg_quality_benchmark_1d", output_fps_p50="output_fps_p50 * 2", severity=Severity.WARN),
        fact("agg_quality_benchmark_1d", is_deleted="1", severity=Severity.WARN),
        facts("agg_session_performance_1h", is_deleted="1", severity=Severity.WARN),
        facts(LATENCY, e2e_latency_ms="e2e_latency_ms * 2", severity=Severity.WARN),
    ],
    "samples_reference_sessions": [facts(SESSIONS, TAIL, is_deleted="1", severity=Severity.WARN)],
    "events_are_counted_once": [
        rows("payment_events", "INSERT INTO # SELECT * FROM # LIMIT 1"),
        rows("ai_stream_status", "INSERT INTO # SELECT * REPLACE (1 AS replay, 99999 AS source_offset) FROM # LIMIT 1"),
        rows(
            "ai_stream_status",
            "INSERT INTO # SELECT * REPLACE (99999 AS source_offset) FROM # LIMIT 1",
            severity=Severity.WARN,
        ),
    ],
    "records_are_accounted_for": [
        rows(
            "streaming_events_dlq",
            "INSERT INTO # SELECT * REPLACE ((SELECT min(source_offset) FROM $.streaming_events) AS source_offset) "
            "FROM # LIMIT 1",
        ),
        rows(
            "streaming_events",
            "ALTER TABLE # DELETE WHERE source_offset = (SELECT min(source_offset) + 5 FROM $.streaming_events)",
            severity=Severity.WARN,
        ),
    ],
}
CASES: Final = [(name, damage) for name, damages in DAMAGES.items() for damage in damages]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage"), CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def test_a_damage_is_found(stored: DerivedDatabase, name: str, damage: Damage) -> None:
    with stored.mended(damage.tables, damage.views):
        damage.do(stored)
        assert stored.ask(name).severity is damage.severity


def test_rejects_are_told_of(stored: DerivedDatabase) -> None:
    found = stored.ask("core_types_have_no_rejects")
    assert found.severity is Severity.INFO
    with stored.mended(["streaming_events_dlq"], []):
        stored.command("TRUNCATE TABLE $.streaming_events_dlq")
        assert stored.ask("core_types_have_no_rejects").severity is None


def _materialized_view(stored: DerivedDatabase) -> None:
    stored.command(
        f"CREATE MATERIALIZED VIEW $.mv_doubling TO $.{SAMPLES}_versions AS "
        "SELECT event_timestamp AS sample_ts, stream_id AS workflow_session_id FROM $.ai_stream_status"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lost", "gaps", "found"),
    [
        ([5], [], Severity.WARN),
        ([5], [(5, 6)], None),
        ([5], [(1_000_000, 1_000_001)], Severity.WARN),
        ([5, 6, 7], [(5, 7), (5, 7), (6, 8)], None),
        ([5, 15], [(5, 6), (5, 6)], Severity.WARN),
    ],
)
def test_failure_10_offsets_that_are_known_to_have_no_record_are_accounted_for(
    stored: DerivedDatabase, lost: list[int], gaps: list[tuple[int, int]], found: Severity | None
) -> None:
    """Offsets count from the first that is stored."""
    with stored.mended([*PLACES, "known_gaps"], []):
        stored.command("TRUNCATE TABLE $.known_gaps")
        first = "(SELECT min(source_offset) FROM $.streaming_events)"
        for table in PLACES:
            stored.command(f"ALTER TABLE $.{table} DELETE WHERE source_offset - {first} IN {lost}")
        for begin, end in gaps:
            stored.command(
                "INSERT INTO $.known_gaps (source_topic, source_partition, source_offset, next_offset) "
                f"SELECT any(source_topic), any(source_partition), {first} + {begin}, {first} + {end} "
                "FROM $.streaming_events"
            )
        assert stored.ask("records_are_accounted_for").severity is found


def test_a_record_that_replays_gave_up_lies_beside_its_dead_letter(stored: DerivedDatabase) -> None:
    with stored.mended(["streaming_events_quarantine"], []):
        for failure_class, found in (("REPLAY_EXHAUSTED", None), ("DUPLICATE", Severity.FAIL)):
            stored.command(
                "INSERT INTO $.streaming_events_quarantine "
                "(source_topic, source_partition, source_offset, failure_class) "
                f"SELECT source_topic, source_partition, source_offset, '{failure_class}' "
                "FROM $.streaming_events_dlq LIMIT 1"
            )
            assert stored.ask("records_are_accounted_for").severity is found


@pytest.mark.parametrize(("days", "found"), [(28, Severity.FAIL), (30, None)])
def test_rows_of_discoveries_expire_before_their_events(
    stored: DerivedDatabase, days: int, found: Severity | None
) -> None:
    with stored.mended(["streaming_events"], []):
        stored.command(
            "INSERT INTO $.streaming_events (type, dedup_key, timestamp, ingestion_timestamp) "
            "SELECT 'discovery_results', 'expired', toUnixTimestamp64Milli(at), at "
            f"FROM (SELECT now64(3, 'UTC') - INTERVAL {days} DAY AS at)"
        )
        assert stored.ask("payments_and_discoveries_match_typed_rows").severity is found


def test_a_materialized_view_fails(stored: DerivedDatabase) -> None:
    try:
        _materialized_view(stored)
        assert stored.ask("no_materialized_views").severity is Severity.FAIL
    finally:
        stored.command("DROP VIEW $.mv_doubling SYNC")


def test_facts_are_fresh_is_about_now(stored: DerivedDatabase) -> None:
    assert stored.ask("facts_are_fresh", end=datetime(2026, 2, 1, tzinfo=UTC)).severity is None
    assert stored.ask("facts_are_fresh").severity is Severity.FAIL
    with stored.mended([f"{SAMPLES}_versions", f"{SESSIONS}_versions"], []):
        stored.change(SAMPLES, sample_ts="now64(3)")
        stored.change(SESSIONS, session_start_ts="now64(3)")
        assert stored.ask("facts_are_fresh").severity is None
        stored.change(SESSIONS, session_start_ts="now64(3) - INTERVAL 20 MINUTE")
        assert stored.ask("facts_are_fresh").severity is Severity.WARN
