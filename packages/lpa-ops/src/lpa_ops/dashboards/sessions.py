"""Demand against supply, what became of sessions, and the SLA score."""

from __future__ import annotations

from typing import Final

from lpa_ops.dashboards.dashboard import Dashboard, Panel, PanelKind, PanelRow

SESSIONS: Final = Dashboard(
    uid="lpa-sessions",
    title="Sessions and SLA",
    begin="now-7d",
    rows=(
        PanelRow(
            "Summary",
            (
                Panel("SLA score", PanelKind.STAT, "sla_score.sql", 6, 4),
                Panel("Sessions known", PanelKind.STAT, "sessions_known.sql", 6, 4),
                Panel("Startup failures, unexcused", PanelKind.STAT, "unexcused.sql", 6, 4, yellow=1),
                Panel("Attribution coverage", PanelKind.STAT, "attribution.sql", 6, 4, "percentunit"),
            ),
        ),
        PanelRow(
            "Demand and supply",
            (
                Panel("Served and unserved demand (1h)", PanelKind.SERIES, "demand.sql", 12, stacked=True),
                Panel(
                    "Demand, SLA score and health completeness",
                    PanelKind.SERIES,
                    "demand_and_sla.sql",
                    12,
                    unit="percentunit",
                    about="Both views are made one row an hour before they are put together",
                ),
                Panel("Unserved by gateway (1h)", PanelKind.SERIES, "unserved_by_gateway.sql", 12),
                Panel("Top unmet demand", PanelKind.TABLE, "unmet_demand.sql", 12),
                Panel("Gateways: supply and demand", PanelKind.TABLE, "gateways.sql", 24),
            ),
        ),
        PanelRow(
            "Outcomes",
            (
                Panel("Sessions by outcome (1h)", PanelKind.SERIES, "outcomes.sql", 12, stacked=True),
                Panel("Swaps (1h)", PanelKind.SERIES, "swaps.sql", 12),
                Panel("Startup latency", PanelKind.SERIES, "startup_latency.sql", 12, unit="ms"),
                Panel("What startups lacked", PanelKind.BARS, "unmatched_edges.sql", 12),
                Panel("SLA score by orchestrator", PanelKind.TABLE, "sla_by_orchestrator.sql", 12, 10),
                Panel("Sessions with most errors", PanelKind.TABLE, "failed_sessions.sql", 12, 10),
            ),
        ),
        PanelRow(
            "Parameters",
            (
                Panel("Parameter updates (1h)", PanelKind.SERIES, "param_updates.sql", 12),
                Panel("Most used parameters", PanelKind.TABLE, "top_params.sql", 12),
            ),
        ),
    ),
)
