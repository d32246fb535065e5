"""Assertions about views fail where these say something else."""

from __future__ import annotations

from typing import Final

import pytest

from lpa_sinks.parity import Severity
from lpa_sinks.testing.damage import Damage, DerivedDatabase, facts, view

DAMAGES: Final[dict[str, list[Damage]]] = {
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
            "v_api_network_demand",
            "v_api_network_demand_by_gpu",
            "v_api_gpu_metrics",
            "v_api_sla_compliance",
            "v_api_jitter_5m",
        )
    ],
    "network_demand_success_ratios_valid": [
        view("v_api_network_demand", success_ratio="startup_success_ratio + 0.5"),
        view("v_api_network_demand", startup_success_ratio="startup_success_ratio - 2"),
        view("v_api_network_demand", success_ratio="NULL"),
    ],
    "network_demand_penalizes_failures": [
        view("v_api_network_demand", success_ratio="if(known_sessions > 0, 1, NULL)")
    ],
    "network_demand_conserves_totals": [
        view("v_api_network_demand", status_samples="status_samples + 1"),
        view("v_api_network_demand", known_sessions="known_sessions * 2"),
        view("v_api_network_demand", fee_payment_eth="fee_payment_eth + 1"),
        view("v_api_network_demand", expected_fee_eth="expected_fee_eth * 2"),
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
    "sla_ratios_in_bounds": [
        view("v_api_sla_compliance", no_swap_ratio="-0.1"),
        view("v_api_sla_compliance", sla_score="101"),
        view("v_api_sla_compliance", sla_quality_score="-1"),
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
            lambda stored: stored.command(
                "CREATE OR REPLACE VIEW $.v_api_network_demand AS SELECT now() AS window_start"
            ),
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
    "network_demand_pipelines_are_no_models": [view("v_api_network_demand", pipeline="upper(model_id)")],
    "network_demand_pipelines_are_filled_in": [view("v_api_network_demand", pipeline="''")],
    "network_demand_thin_rows": [view("v_api_network_demand", status_samples="0", severity=Severity.INFO)],
}
CASES: Final = [(name, damage) for name, damages in DAMAGES.items() for damage in damages]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "damage"), CASES, ids=[f"{name}-{number}" for number, (name, _) in enumerate(CASES)])
def test_a_damage_is_found(stored: DerivedDatabase, name: str, damage: Damage) -> None:
    with stored.mended(damage.tables, damage.views):
        damage.do(stored)
        assert stored.ask(name).severity is damage.severity
