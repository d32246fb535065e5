"""Demand against supply, what became of sessions, and the SLA score."""

from __future__ import annotations

from typing import Final

from lpa_ops.dashboards.dashboard import Dashboard, Panel, PanelKind, PanelRow


def _share(check: str, part: str, whole: str, labels: str = "") -> str:
    """The share that figures of a health check make, by these labels. Workers that share a database find the same."""
    by = f" by ({labels})" if labels else ""
    figures = (f'max{by} (lpa_health_check_figure{{check="{check}", figure="{name}"}})' for name in (part, whole))
    return " / ".join(figures)


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
            "Quality",
            (
                Panel(
                    "SLA score and quality score",
                    PanelKind.SERIES,
                    "quality_score.sql",
                    12,
                    about="The quality score compares sessions with the benchmark of the 7 days before",
                ),
                Panel("Quality benchmark by day", PanelKind.TABLE, "quality_benchmark.sql", 12),
            ),
        ),
        PanelRow(
            "Network alerts",
            (
                Panel(
                    "Failed or not served, last full hour",
                    PanelKind.SERIES,
                    _share("unserved_demand", "failed", "requested", "gateway, pipeline"),
                    unit="percentunit",
                    legend="{{gateway}} {{pipeline}}",
                ),
                Panel(
                    "Sessions by their median of 24 hours",
                    PanelKind.SERIES,
                    _share("demand_collapse", "requested", "median", "pipeline"),
                    unit="percentunit",
                    legend="{{pipeline}}",
                ),
                Panel(
                    "Jobs by their median of 24 hours",
                    PanelKind.SERIES,
                    _share("demand_collapse", "jobs", "jobs_median", "pipeline"),
                    unit="percentunit",
                    legend="{{pipeline}}",
                ),
                Panel(
                    "Health signals by expected ones",
                    PanelKind.SERIES,
                    _share("health_signal_coverage", "signals", "expected", "pipeline"),
                    unit="percentunit",
                    legend="{{pipeline}}",
                ),
                Panel(
                    "Status samples that are attributed",
                    PanelKind.SERIES,
                    _share("sample_attribution", "attributed", "samples"),
                    unit="percentunit",
                ),
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
