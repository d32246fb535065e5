"""Demand against supply, what became of sessions, and the SLA score."""

from __future__ import annotations

from typing import Final

from lpa_ops.console.dashboard import Dashboard, Kind, Panel, Row

SESSIONS: Final = Dashboard(
    uid="lpa-sessions",
    title="Sessions and SLA",
    begin="now-7d",
    rows=(
        Row(
            "Summary",
            (
                Panel("SLA score", Kind.STAT, "sla_score.sql", 6, 4),
                Panel("Sessions known", Kind.STAT, "sessions_known.sql", 6, 4),
                Panel("Startup failures, unexcused", Kind.STAT, "unexcused.sql", 6, 4, yellow=1),
                Panel("Attribution coverage", Kind.STAT, "attribution.sql", 6, 4, "percentunit"),
            ),
        ),
        Row(
            "Demand and supply",
            (
                Panel("Served and unserved demand (1h)", Kind.SERIES, "demand.sql", 12, stacked=True),
                Panel(
                    "Demand, SLA score and health completeness",
                    Kind.SERIES,
                    "demand_and_sla.sql",
                    12,
                    unit="percentunit",
                    about="Both views are made one row an hour before they are put together",
                ),
                Panel("Unserved by gateway (1h)", Kind.SERIES, "unserved_by_gateway.sql", 12),
                Panel("Top unmet demand", Kind.TABLE, "unmet_demand.sql", 12),
                Panel("Gateways: supply and demand", Kind.TABLE, "gateways.sql", 24),
            ),
        ),
        Row(
            "Outcomes",
            (
                Panel("Sessions by outcome (1h)", Kind.SERIES, "outcomes.sql", 12, stacked=True),
                Panel("Swaps (1h)", Kind.SERIES, "swaps.sql", 12),
                Panel("Startup latency", Kind.SERIES, "startup_latency.sql", 12, unit="ms"),
                Panel("What startups lacked", Kind.BARS, "unmatched_edges.sql", 12),
                Panel("SLA score by orchestrator", Kind.TABLE, "sla_by_orchestrator.sql", 12, 10),
                Panel("Sessions with most errors", Kind.TABLE, "failed_sessions.sql", 12, 10),
            ),
        ),
        Row(
            "Parameters",
            (
                Panel("Parameter updates (1h)", Kind.SERIES, "param_updates.sql", 12),
                Panel("Most used parameters", Kind.TABLE, "top_params.sql", 12),
            ),
        ),
    ),
)
