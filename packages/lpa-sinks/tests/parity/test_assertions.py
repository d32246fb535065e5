"""Every assertion holds on a healthy database, and fails on one that is damaged for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final

import attrs
import pytest

from lpa_sinks.parity import Severity, assertions

from .conftest import FRESH, Stored

CONFIGS: Final = Path(__file__).parents[4] / "configs"
NOT_IN_SQL: Final = {78}
"""Archives are no tables: their reader finds gaps (tests/archive)."""


@final
@attrs.frozen
class Damage:
    """What is done to which tables and views, and what the assertion is to find then."""

    do: Callable[[Stored], None]
    tables: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    severity: Severity = Severity.FAIL


def fact(name: str, where: str = "1", severity: Severity = Severity.FAIL, **columns: str) -> Damage:
    """One fact is changed."""
    return Damage(lambda stored: stored.change(name, where, **columns), (f"{name}_versions",), severity=severity)


def facts(name: str, where: str = "1", severity: Severity = Severity.FAIL, **columns: str) -> Damage:
    """Many facts are changed."""
    return Damage(lambda stored: stored.change_all(name, where, **columns), (f"{name}_versions",), severity=severity)


def rows(table: str, sql: str, severity: Severity = Severity.FAIL) -> Damage:
    """A statement is run against a table; ``#`` stands for its name."""
    return Damage(lambda stored: stored.command(sql.replace("#", f"$.{table}")), (table,), severity=severity)


def view(
    name: str, where: str = "1", twice: bool = False, severity: Severity = Severity.FAIL, **columns: str
) -> Damage:
    """A view says something else."""
    return Damage(lambda stored: stored.view(name, where, twice, **columns), views=(name,), severity=severity)


def one(table: str) -> str:
    """One event of a table."""
    return f"raw_event_uid = (SELECT min(raw_event_uid) FROM $.{table})"


SESSIONS: Final = "fact_workflow_sessions"
SEGMENTS: Final = "fact_workflow_session_segments"
LATENCY: Final = "fact_workflow_latency_samples"
SAMPLES: Final = "fact_stream_status_samples"
EDGES: Final = "fact_stream_trace_edges"
SNAPSHOTS: Final = "dim_orchestrator_capability_snapshots"
ATTRIBUTED: Final = "orchestrator_address != '' AND ifNull(gpu_id, '') != ''"
TAIL: Final = "workflow_session_id = 'tail|tail'"


def _unkeyed(stored: Stored) -> None:
    """Key sessions as the reference does: by a start that moves."""
    stored.command(f"DROP TABLE $.{SESSIONS}_versions SYNC")
    stored.command(
        f"CREATE TABLE $.{SESSIONS}_versions AS $.kept_{SESSIONS}_versions "
        "ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (session_start_ts, workflow_session_id)"
    )
    stored.command(f"INSERT INTO $.{SESSIONS}_versions SELECT * FROM $.kept_{SESSIONS}_versions")
    stored.change(SESSIONS, session_start_ts="session_start_ts - INTERVAL 1 SECOND")


def _materialized_view(stored: Stored) -> None:
    stored.command(
        f"CREATE MATERIALIZED VIEW $.mv_doubling TO $.{SAMPLES}_versions AS "
        "SELECT event_timestamp AS sample_ts, stream_id AS workflow_session_id FROM $.ai_stream_status"
    )


DAMAGES: Final[dict[str, list[Damage]]] = {
    "raw_events_present": [rows("stream_trace_events", "TRUNCATE TABLE #")],
    "core_types_have_no_rejects": [],
    "core_events_match_typed_rows": [
        rows("ai_stream_status", f"ALTER TABLE # DELETE WHERE {one('ai_stream_status')}"),
        rows("stream_trace_events", "INSERT INTO # SELECT * FROM # LIMIT 1"),
        rows("streaming_events", "ALTER TABLE # DELETE WHERE dedup_key = (SELECT min(raw_event_uid) FROM $.ai_stream_events)"),
    ],
    "capability_rows_come_from_stored_events": [
        rows("network_capabilities_prices", "INSERT INTO # SELECT * REPLACE ('made up' AS raw_event_uid) FROM # LIMIT 1")
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
        fact(SESSIONS, "orchestrator_address = ''", pipeline="'M'", model_id="'m'"),
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
            SNAPSHOTS, orchestrator_address="'0xother'", orchestrator_url="'elsewhere'", severity=Severity.WARN,
        ),
    ],  # fmt: skip
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
    "gpu_metrics_cover_healthy_sessions": [view("v_api_gpu_metrics", "known_sessions = 0")],
    "demand_has_every_session_hour": [view("v_api_network_demand", "status_samples = 0")],
    "gpu_metrics_match_facts": [
        view("v_api_gpu_metrics", avg_output_fps="avg_output_fps + 1"),
        view("v_api_gpu_metrics", "status_samples > 10"),
        facts("agg_session_performance_1h", sample_count="sample_count + 1"),
    ],
    "network_demand_matches_facts": [
        view("v_api_network_demand", served_sessions="served_sessions + 1"),
        view("v_api_network_demand", total_minutes="total_minutes * 2"),
        view("v_api_network_demand", success_ratio="success_ratio / 2"),
        view("v_api_network_demand", pipeline="concat(pipeline, '!')"),
    ],
    "view_keys_are_unique": [
        view(name, twice=True)
        for name in (
            "v_api_network_demand", "v_api_network_demand_by_gpu", "v_api_gpu_metrics", "v_api_sla_compliance",
            "v_api_jitter_5m",
        )
    ],  # fmt: skip
    "network_demand_success_ratios_valid": [
        view("v_api_network_demand", success_ratio="startup_success_ratio + 0.5"),
        view("v_api_network_demand", startup_success_ratio="startup_success_ratio - 2"),
        view("v_api_network_demand", success_ratio="NULL"),
    ],
    "network_demand_penalizes_failures": [view("v_api_network_demand", success_ratio="if(known_sessions > 0, 1, NULL)")],
    "network_demand_conserves_totals": [
        view("v_api_network_demand", status_samples="status_samples + 1"),
        view("v_api_network_demand", known_sessions="known_sessions * 2"),
        view("v_api_network_demand", fee_payment_eth="fee_payment_eth + 1"),
        view("v_api_network_demand", "gateway != ''"),
    ],
    "gpu_metrics_conserve_sessions": [view("v_api_gpu_metrics", known_sessions="known_sessions * 2")],
    "sla_matches_facts": [
        view("v_api_sla_compliance", known_sessions="known_sessions + 1"),
        view("v_api_sla_compliance", sla_score="sla_score * 0.99"),
        view("v_api_sla_compliance", "zero_output_fps_sessions = 0"),
        view("v_terminal_tails", "0"),
    ],
    "view_row_counts_are_in_order": [
        Damage(
            lambda stored: (stored.view("v_api_gpu_metrics", "0"), stored.view("v_api_sla_compliance", "0"), None)[-1],
            views=("v_api_gpu_metrics", "v_api_sla_compliance"),
            severity=Severity.WARN,
        )
    ],
    "samples_reference_sessions": [facts(SESSIONS, TAIL, is_deleted="1", severity=Severity.WARN)],
    "sla_ratios_in_bounds": [
        view("v_api_sla_compliance", no_swap_ratio="-0.1"),
        view("v_api_sla_compliance", sla_score="101"),
        view("v_api_sla_compliance", success_ratio="startup_success_ratio + 0.1"),
        view("v_api_sla_compliance", health_completeness_ratio="1.2"),
    ],
    "terminal_tails_are_filtered": [view("v_terminal_tails", "0")],
    "failures_within_an_hour_are_shown": [
        view("v_api_sla_compliance", "zero_output_fps_sessions = 0"),
        view("v_api_gpu_metrics", "zero_output_fps_sessions = 0"),
    ],
    "active_hours_without_output_are_shown": [
        view("v_api_sla_compliance", "zero_output_fps_sessions = 0"),
        view("v_api_gpu_metrics", "zero_output_fps_sessions = 0"),
    ],
    "pipelines_missing_most": [view("v_api_gpu_metrics", pipeline="''", severity=Severity.INFO)],
    "views_read_no_typed_tables": [
        Damage(
            lambda stored: stored.command(
                "CREATE OR REPLACE VIEW $.v_api_session_identity AS SELECT stream_id FROM $.ai_stream_status"
            ),
            views=("v_api_session_identity",),
        )
    ],
    "api_views_present": [
        Damage(lambda stored: stored.command("DROP VIEW $.v_api_gpu_metrics"), views=("v_api_gpu_metrics",))
    ],
    "gpu_metrics_keys_are_set": [view("v_api_gpu_metrics", pipeline="''", model_id="NULL")],
    "pipelines_are_covered": [view("v_api_sla_compliance", pipeline="''")],
    "gpu_metrics_rates_agree": [
        view("v_api_gpu_metrics", failure_rate="failure_rate + 0.1"),
        view("v_api_gpu_metrics", swap_rate="swap_rate + 0.1"),
    ],
    "gpu_metrics_latencies_are_no_less_than_zero": [
        view("v_api_gpu_metrics", e2e_latency_ms="-1"),
        view("v_api_gpu_metrics", startup_time_ms="NULL"),
    ],
    "views_are_hourly": [view("v_api_network_demand", window_start="window_start + INTERVAL 1 MINUTE")],
    "view_columns_present": [
        Damage(
            lambda stored: stored.command("CREATE OR REPLACE VIEW $.v_api_network_demand AS SELECT now() AS window_start"),
            views=("v_api_network_demand",),
        )
    ],
    "capacity_is_in_bounds": [view("v_api_network_demand_by_gpu", capacity_rate="1.6")],
    "network_demand_by_gpu_matches_facts": [
        view("v_api_network_demand_by_gpu", known_sessions="known_sessions + 1"),
        view("v_api_network_demand_by_gpu", "status_samples > 10"),
    ],
    "network_demand_counts_are_plausible": [
        view("v_api_network_demand", total_streams="total_sessions + 1"),
        view("v_api_network_demand", fee_payment_eth="-1"),
        view("v_api_network_demand", unexcused_sessions="known_sessions + 1"),
        view("v_api_network_demand", swapped_sessions="swapped_sessions + 1"),
    ],
    "network_demand_is_served_or_not": [
        view("v_api_network_demand", unserved_sessions="unserved_sessions + 1"),
        view("v_api_network_demand", total_demand_sessions="total_demand_sessions + 1"),
    ],
    "network_demand_pipelines_are_no_models": [
        view("v_api_network_demand", pipeline="upper(model_id)")
    ],
    "network_demand_pipelines_are_filled_in": [view("v_api_network_demand", pipeline="''")],
    "network_demand_thin_rows": [view("v_api_network_demand", status_samples="0", severity=Severity.INFO)],
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
}  # fmt: skip

CASES: Final = [(name, damage) for name, damages in DAMAGES.items() for damage in damages]


def test_the_files_that_are_shown_are_those_that_are_run() -> None:
    shown = {path.stem: path.read_text() for path in (CONFIGS / "assertions").glob("*.sql")}
    assert shown == {assertion.name: assertion.text for assertion in assertions()}


def test_every_invariant_is_covered() -> None:
    covered = {number for assertion in assertions() for number in assertion.covers}
    assert covered | NOT_IN_SQL == set(range(1, 80))
    assert not covered & NOT_IN_SQL


def test_every_assertion_is_damaged_for() -> None:
    assert {*DAMAGES, FRESH} == {assertion.name for assertion in assertions()}


@pytest.mark.parametrize("name", sorted({*DAMAGES} - {"core_types_have_no_rejects", "network_demand_thin_rows"}))
def test_holds_on_a_healthy_database(stored: Stored, name: str) -> None:
    assert stored.ask(name).rows == []


def test_rejects_are_told_of(stored: Stored) -> None:
    found = stored.ask("core_types_have_no_rejects")
    assert found.severity is Severity.INFO
    with stored.mended(["streaming_events_dlq"], []):
        stored.command("TRUNCATE TABLE $.streaming_events_dlq")
        assert stored.ask("core_types_have_no_rejects").severity is None


def test_a_materialized_view_fails(stored: Stored) -> None:
    try:
        _materialized_view(stored)
        assert stored.ask("no_materialized_views").severity is Severity.FAIL
    finally:
        stored.command("DROP VIEW $.mv_doubling SYNC")


@pytest.mark.parametrize(("name", "damage"), CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def test_a_damage_is_found(stored: Stored, name: str, damage: Damage) -> None:
    with stored.mended(damage.tables, damage.views):
        damage.do(stored)
        assert stored.ask(name).severity is damage.severity
    if name != "network_demand_thin_rows":
        assert stored.ask(name).severity is None


def test_facts_are_fresh_is_about_now(stored: Stored) -> None:
    assert stored.ask(FRESH, end=datetime(2026, 2, 1, tzinfo=UTC)).severity is None
    assert stored.ask(FRESH).severity is Severity.FAIL
    with stored.mended([f"{SAMPLES}_versions", f"{SESSIONS}_versions"], []):
        stored.change(SAMPLES, sample_ts="now64(3)")
        stored.change(SESSIONS, session_start_ts="now64(3)")
        assert stored.ask(FRESH).severity is None
        stored.change(SESSIONS, session_start_ts="now64(3) - INTERVAL 20 MINUTE")
        assert stored.ask(FRESH).severity is Severity.WARN
