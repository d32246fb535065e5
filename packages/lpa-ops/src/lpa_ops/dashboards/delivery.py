"""How the delivery keeps up: throughput, lag, backpressure, dedup, and how fresh is what is derived."""

from __future__ import annotations

from typing import Final

from lpa_ops.dashboards.dashboard import Dashboard, Panel, PanelKind, PanelRow

_STAGE: Final = "histogram_quantile(0.95, sum by (stage, le) (rate(lpa_stage_duration_seconds_bucket[5m])))"
_PASS: Final = "histogram_quantile(0.95, sum by (le) (rate(lpa_materialize_pass_duration_seconds_bucket[5m])))"

DELIVERY: Final = Dashboard(
    uid="lpa-delivery",
    title="Delivery and lag",
    begin="now-6h",
    rows=(
        PanelRow(
            "Now",
            (
                Panel("Lag", PanelKind.STAT, "sum(lpa_lag_records)", 4, 4, yellow=20_000, red=500_000),
                Panel("Workers", PanelKind.STAT, 'sum(up{job="lpa"})', 4, 4),
                Panel("Partitions held", PanelKind.STAT, "sum(lpa_partitions_assigned)", 4, 4),
                Panel("Workers held back", PanelKind.STAT, "sum(lpa_backpressure_active)", 4, 4, yellow=1),
                Panel("Dedup keys", PanelKind.STAT, "sum(lpa_dedup_store_keys)", 4, 4, "short"),
                Panel("Dedup stores", PanelKind.STAT, "sum(lpa_dedup_store_bytes)", 4, 4, "bytes"),
            ),
        ),
        PanelRow(
            "Throughput",
            (
                Panel("Records read", PanelKind.SERIES, "sum(rate(lpa_records_consumed_total[5m]))", unit="ops"),
                Panel("Bytes read", PanelKind.SERIES, "sum(rate(lpa_consumed_bytes_total[5m]))", unit="Bps"),
                Panel("Bytes delivered", PanelKind.SERIES, "sum(rate(lpa_written_bytes_total[5m]))", unit="Bps"),
                Panel("Events accepted", PanelKind.SERIES, "sum(rate(lpa_records_accepted_total[5m]))", unit="ops"),
                Panel(
                    "Rows written",
                    PanelKind.SERIES,
                    "sum by (table) (rate(lpa_rows_written_total[5m]))",
                    unit="ops",
                    legend="{{table}}",
                    stacked=True,
                ),
                Panel(
                    "Blocks written",
                    PanelKind.SERIES,
                    "sum by (sink) (rate(lpa_blocks_written_total[5m]))",
                    unit="ops",
                    legend="{{sink}}",
                ),
            ),
        ),
        PanelRow(
            "Lag",
            (
                Panel(
                    "Lag by partition",
                    PanelKind.SERIES,
                    "sum by (topic, partition) (lpa_lag_records)",
                    12,
                    legend="{{topic}}[{{partition}}]",
                ),
                Panel(
                    "Lag growing",
                    PanelKind.SERIES,
                    "sum(deriv(lpa_lag_records[10m]))",
                    12,
                    unit="ops",
                    about="Records a second by which the lag grows; below 0 it shrinks",
                ),
                Panel(
                    "Delivered a second, by partition",
                    PanelKind.SERIES,
                    "sum by (topic, partition) (deriv(lpa_committed_offset[5m]))",
                    12,
                    legend="{{topic}}[{{partition}}]",
                    unit="ops",
                ),
                Panel("Time in a stage (p95)", PanelKind.SERIES, _STAGE, 12, unit="s", legend="{{stage}}"),
            ),
        ),
        PanelRow(
            "Freshness",
            (
                Panel("Age of the newest fact", PanelKind.TABLE, "freshness.sql", 12),
                Panel("Latest arrival by table", PanelKind.TABLE, "latest_arrivals.sql", 12),
            ),
        ),
        PanelRow(
            "Materializing",
            (
                Panel(
                    "Age of the oldest touch",
                    PanelKind.SERIES,
                    "max(lpa_materialize_lag_seconds)",
                    unit="s",
                    yellow=900,
                ),
                Panel(
                    "Sessions written",
                    PanelKind.SERIES,
                    "sum by (folding) (rate(lpa_materialize_sessions_total[5m]))",
                    unit="ops",
                    legend="{{folding}}",
                ),
                Panel("Time of a pass (p95)", PanelKind.SERIES, _PASS, unit="s"),
                Panel(
                    "Signals folded", PanelKind.SERIES, "sum(rate(lpa_materialize_signals_total[5m]))", 12, unit="ops"
                ),
                Panel(
                    "Touches that could not be read",
                    PanelKind.STAT,
                    "sum(increase(lpa_materialize_unreadable_total[24h]))",
                    12,
                    red=1,
                ),
            ),
        ),
        PanelRow(
            "Group and dedup",
            (
                Panel("Rebalances", PanelKind.SERIES, "sum(increase(lpa_rebalances_total[10m]))"),
                Panel("Ranges repeated", PanelKind.SERIES, "sum(increase(lpa_prepared_ranges_repeated_total[10m]))"),
                Panel("Commits refused", PanelKind.SERIES, "sum(increase(lpa_fenced_commits_total[10m]))"),
                Panel("Times held back", PanelKind.SERIES, "sum(increase(lpa_backpressure_episodes_total[10m]))"),
                Panel(
                    "Share of keys that were duplicates",
                    PanelKind.SERIES,
                    "sum(rate(lpa_dedup_hits_total[5m])) / sum(rate(lpa_dedup_claims_total[5m]))",
                    unit="percentunit",
                ),
                Panel(
                    "Rebuild of claims",
                    PanelKind.SERIES,
                    "min by (topic, partition) (lpa_dedup_rebuild_progress_ratio)",
                    legend="{{topic}}[{{partition}}]",
                    unit="percentunit",
                ),
                Panel("Claims rebuilt", PanelKind.SERIES, "sum(rate(lpa_dedup_rebuilt_keys_total[5m]))", unit="ops"),
                Panel(
                    "Duplicates by reason",
                    PanelKind.SERIES,
                    "sum by (reason) (rate(lpa_records_quarantined_total[5m]))",
                    unit="ops",
                    legend="{{reason}}",
                ),
            ),
        ),
    ),
)
