"""The network at a glance (docs/spec/operations.md section 6.2). Every panel reads API views, dimensions or facts."""

from __future__ import annotations

from typing import Final

from lpa_ops.console.dashboard import Dashboard, Kind, Panel, Row, Variable

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
        Row(
            "Health",
            (
                Panel("Critical", Kind.STAT, f"sum({_WORST % 'critical'})", 4, 5, red=1),
                Panel("Warnings", Kind.STAT, f"sum({_WORST % 'warning'})", 4, 5, yellow=1),
                Panel("Not applicable", Kind.STAT, f"sum({_WORST % 'not applicable'})", 4, 5),
                Panel(
                    "State of each check",
                    Kind.TABLE,
                    "max by (check, state) (lpa_health_check_state) == 1",
                    6,
                    5,
                    about="docs/operations/health.md says what to do about each",
                ),
                Panel(
                    "Oldest answer",
                    Kind.STAT,
                    "time() - min(max by (check) (lpa_health_checked_timestamp_seconds))",
                    6,
                    5,
                    "s",
                    yellow=1200,
                    red=3600,
                ),
            ),
        ),
        Row(
            "Live flow",
            (
                Panel("Network FPS (15m avg)", Kind.STAT, "fps_now.sql", 4, 4),
                Panel("Active streams (15m)", Kind.STAT, "active_streams.sql", 4, 4),
                Panel("Active orchestrators (24h)", Kind.STAT, "active_orchestrators.sql", 4, 4),
                Panel("Known GPUs (15m)", Kind.STAT, "known_gpus.sql", 4, 4),
                Panel("E2E latency (1h avg)", Kind.STAT, "latency_now.sql", 4, 4, "s"),
                Panel("Average FPS (1d, 7d, 30d)", Kind.TABLE, "fps_by_window.sql", 4, 4),
                Panel("Stage throughput (events a minute)", Kind.SERIES, "stage_throughput.sql", 12),
                Panel("Active streams by orchestrator (15m)", Kind.BARS, "streams_by_orchestrator.sql", 12),
                Panel("Gateway to orchestrator to pipeline (15m)", Kind.TABLE, "paths.sql", 12),
                Panel("Live event tape (last 30m)", Kind.TABLE, "event_tape.sql", 12),
            ),
        ),
        Row(
            "Latency and throughput",
            (
                Panel("End-to-end latency", Kind.SERIES, "latency.sql", 12, unit="s"),
                Panel("FPS by orchestrator (5 min)", Kind.SERIES, "fps_by_orchestrator.sql", 12),
                Panel("Jitter coefficient by orchestrator", Kind.SERIES, "jitter.sql", 12, red=0.3),
                Panel("Network FPS by pipeline (1h avg)", Kind.SERIES, "fps_by_pipeline.sql", 12),
            ),
        ),
        Row(
            "Orchestrators",
            (
                Panel("Top 10 orchestrators by FPS", Kind.BARS, "top_fps.sql", 12, 10),
                Panel("Top orchestrators (last day)", Kind.TABLE, "top_orchestrators.sql", 12, 10),
            ),
        ),
        Row(
            "GPU inventory",
            (
                Panel("GPUs by type", Kind.BARS, "gpus_by_type.sql", 8, 10),
                Panel("GPUs as last seen", Kind.TABLE, "gpu_inventory.sql", 16, 10),
            ),
        ),
        Row(
            "Economics",
            (
                Panel("Ticket face value (ETH an hour)", Kind.SERIES, "revenue.sql", 12),
                Panel("Price (gwei a megapixel)", Kind.SERIES, "prices.sql", 12),
                Panel("Latest quoted prices", Kind.TABLE, "latest_prices.sql", 24),
            ),
        ),
    ),
)
