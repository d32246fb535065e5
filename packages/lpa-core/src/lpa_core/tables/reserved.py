"""The names of lpa's own tables and views: no plugin's table may have one of them.

Facts, views and tables of bookkeeping are made by sinks, which the core does not import, hence a list. A test of
lpa-sinks compares it with the schema.
"""

from __future__ import annotations

from typing import Final

_RECEIVED: Final = (
    "streaming_events",
    "streaming_events_dlq",
    "streaming_events_quarantine",
    "ai_stream_events",
    "ai_stream_status",
    "discovery_results",
    "network_capabilities",
    "network_capabilities_advertised",
    "network_capabilities_model_constraints",
    "network_capabilities_prices",
    "payment_events",
    "signed_ticket_events",
    "stream_heartbeats",
    "stream_ingest_metrics",
    "stream_stats",
    "stream_trace_events",
)
"""Each has a view ``raw_...``."""
TABLES_OF_JOBS: Final = (
    "ai_batch_requests",
    "ai_llm_requests",
    "job_auth_events",
    "job_gateway_events",
    "job_orchestrator_events",
    "job_payment_events",
    "worker_lifecycle_events",
)
"""Tables of the plugin ``jobs``. The schema has them also without it, as facts and views of jobs read them."""
_DERIVED: Final = (
    "agg_quality_benchmark_1d",
    "agg_session_performance_1h",
    "agg_stream_performance_1m",
    "dim_orchestrator_capability_advertised_snapshots",
    "dim_orchestrator_capability_model_constraints",
    "dim_orchestrator_capability_prices",
    "dim_orchestrator_capability_snapshots",
    "fact_jobs",
    "fact_lifecycle_edge_coverage",
    "fact_orchestrator_transport_bandwidth",
    "fact_stream_ingest_samples",
    "fact_stream_status_samples",
    "fact_stream_trace_edges",
    "fact_workflow_latency_samples",
    "fact_workflow_param_updates",
    "fact_workflow_session_segments",
    "fact_workflow_sessions",
)
"""Each is a view of a table ``..._versions``."""
_VIEWS: Final = (
    "dim_orchestrator_capability_current",
    "v_api_byoc_workers",
    "v_api_gpu_metrics",
    "v_api_jitter_5m",
    "v_api_job_auth",
    "v_api_job_demand",
    "v_api_job_payments",
    "v_api_llm_usage",
    "v_api_network_demand",
    "v_api_network_demand_by_gpu",
    "v_api_session_identity",
    "v_api_sla_compliance",
    "v_api_ticket_cost",
    "v_gpu_hours",
    "v_gpu_labels",
    "v_health_rollup_freshness",
    "v_job_outcomes",
    "v_quality_benchmark",
    "v_request_fees",
    "v_session_hours",
    "v_session_outcomes",
    "v_sla_hours",
    "v_terminal_tails",
)
_BOOKKEEPING: Final = (
    "ignored_event_counts",
    "ignored_events",
    "known_gaps",
    "replay_outcomes",
    "replay_runs",
    "schema_migrations",
    "underived",
    "withdrawn_positions",
)

RESERVED_TABLES: Final = frozenset(
    (
        *_RECEIVED,
        *(f"raw_{name}" for name in _RECEIVED),
        *_DERIVED,
        *(f"{name}_versions" for name in _DERIVED),
        *_VIEWS,
        *_BOOKKEEPING,
    )
)
"""All in lower case."""
