"""The network at a glance (docs/spec/operations.md section 6.2). Every panel reads API views, dimensions or facts."""

from __future__ import annotations

from typing import Final

from lpa_ops.dashboards.dashboard import Dashboard, Panel, PanelKind, PanelRow, Variable

_WORST: Final = 'max by (check) (lpa_health_check_state{state="%s"})'

OVERVIEW: Final = Dashboard(
    uid="lpa-overview",
    title="Overview",
    begin="now-7d",
    variables=(
        Variable("model", "Model", "models.sql"),
        Variable("orchestrator", "Orchestrator", "orchestrators.sql"),
    ),
    rows=(
        PanelRow(
            "Health",
            (
                Panel("Critical", PanelKind.STAT, f"sum({_WORST % 'critical'})", 4, 5, red=1),
                Panel("Warnings", PanelKind.STAT, f"sum({_WORST % 'warning'})", 4, 5, yellow=1),
                Panel("Not applicable", PanelKind.STAT, f"sum({_WORST % 'not applicable'})", 4, 5),
                Panel(
                    "State of each check",
                    PanelKind.TABLE,
                    "max by (check, state) (lpa_health_check_state) == 1",
                    6,
                    5,
                    about="docs/operations/health.md says what to do about each",
                ),
                Panel(
                    "Oldest answer",
                    PanelKind.STAT,
                    "time() - min(max by (check) (lpa_health_checked_timestamp_seconds))",
                    6,
                    5,
                    "s",
                    yellow=1200,
                    red=3600,
                ),
            ),
        ),
        PanelRow(
            "Live flow",
            (
                Panel("Network FPS (15m avg)", PanelKind.STAT, "fps_now.sql", 4, 4),
                Panel("Active streams (15m)", PanelKind.STAT, "active_streams.sql", 4, 4),
                Panel("Active orchestrators (24h)", PanelKind.STAT, "active_orchestrators.sql", 4, 4),
                Panel("Known GPUs (15m)", PanelKind.STAT, "known_gpus.sql", 4, 4),
                Panel("E2E latency (1h avg)", PanelKind.STAT, "latency_now.sql", 4, 4, "s"),
                Panel("Average FPS (1d, 7d, 30d)", PanelKind.TABLE, "fps_by_window.sql", 4, 4),
                Panel("Stage throughput (events a minute)", PanelKind.SERIES, "stage_throughput.sql", 12),
                Panel("Active streams by orchestrator (15m)", PanelKind.BARS, "streams_by_orchestrator.sql", 12),
                Panel("Gateway to orchestrator to pipeline (15m)", PanelKind.TABLE, "paths.sql", 12),
                Panel("Live event tape (last 30m)", PanelKind.TABLE, "event_tape.sql", 12),
            ),
        ),
        PanelRow(
            "Latency and throughput",
            (
                Panel("End-to-end latency", PanelKind.SERIES, "latency.sql", 12, unit="s"),
                Panel("FPS by orchestrator (5 min)", PanelKind.SERIES, "fps_by_orchestrator.sql", 12),
                Panel("Jitter coefficient by orchestrator", PanelKind.SERIES, "jitter.sql", 12, red=0.3),
                Panel("Network FPS by pipeline (1h avg)", PanelKind.SERIES, "fps_by_pipeline.sql", 12),
            ),
        ),
        PanelRow(
            "Orchestrators",
            (
                Panel("Top 10 orchestrators by FPS", PanelKind.BARS, "top_fps.sql", 12, 10),
                Panel("Top orchestrators (last day)", PanelKind.TABLE, "top_orchestrators.sql", 12, 10),
            ),
        ),
        PanelRow(
            "GPU inventory",
            (
                Panel("GPUs by type", PanelKind.BARS, "gpus_by_type.sql", 8, 10),
                Panel("GPUs as last seen", PanelKind.TABLE, "gpu_inventory.sql", 16, 10),
            ),
        ),
        PanelRow(
            "Economics",
            (
                Panel("Ticket face value (ETH an hour)", PanelKind.SERIES, "revenue.sql", 8),
                Panel("What tickets are worth (ETH an hour)", PanelKind.SERIES, "expected_fees.sql", 8),
                Panel("Price (gwei a megapixel)", PanelKind.SERIES, "prices.sql", 8),
                Panel("Latest quoted prices", PanelKind.TABLE, "latest_prices.sql", 24),
            ),
        ),
    ),
)
