"""How the delivery keeps up: throughput, lag, backpressure, dedup, and how fresh is what is derived."""

from __future__ import annotations

from typing import Final

from lpa_ops.console.dashboard import Dashboard, Kind, Panel, Row

_STAGE: Final = "histogram_quantile(0.95, sum by (stage, le) (rate(lpa_stage_duration_seconds_bucket[5m])))"
_PASS: Final = "histogram_quantile(0.95, sum by (le) (rate(lpa_materialize_pass_duration_seconds_bucket[5m])))"

DELIVERY: Final = Dashboard(
    uid="lpa-delivery",
    title="Delivery and lag",
    begin="now-6h",
    rows=(
        Row(
            "Now",
            (
                Panel("Lag", Kind.STAT, "sum(lpa_lag_records)", 4, 4, yellow=20_000, red=500_000),
                Panel("Workers", Kind.STAT, 'sum(up{job="lpa"})', 4, 4),
                Panel("Partitions held", Kind.STAT, "sum(lpa_partitions_assigned)", 4, 4),
                Panel("Workers held back", Kind.STAT, "sum(lpa_backpressure_active)", 4, 4, yellow=1),
                Panel("Dedup keys", Kind.STAT, "sum(lpa_dedup_store_keys)", 4, 4, "short"),
                Panel("Dedup stores", Kind.STAT, "sum(lpa_dedup_store_bytes)", 4, 4, "bytes"),
            ),
        ),
        Row(
            "Throughput",
            (
                Panel("Records read", Kind.SERIES, "sum(rate(lpa_records_consumed_total[5m]))", unit="ops"),
                Panel("Bytes read", Kind.SERIES, "sum(rate(lpa_consumed_bytes_total[5m]))", unit="Bps"),
                Panel("Bytes delivered", Kind.SERIES, "sum(rate(lpa_written_bytes_total[5m]))", unit="Bps"),
                Panel("Events accepted", Kind.SERIES, "sum(rate(lpa_records_accepted_total[5m]))", unit="ops"),
                Panel(
                    "Rows written",
                    Kind.SERIES,
                    "sum by (table) (rate(lpa_rows_written_total[5m]))",
                    unit="ops",
                    legend="{{table}}",
                    stacked=True,
                ),
                Panel(
                    "Blocks written",
                    Kind.SERIES,
                    "sum by (sink) (rate(lpa_blocks_written_total[5m]))",
                    unit="ops",
                    legend="{{sink}}",
                ),
            ),
        ),
        Row(
            "Lag",
            (
                Panel(
                    "Lag by partition",
                    Kind.SERIES,
                    "sum by (topic, partition) (lpa_lag_records)",
                    12,
                    legend="{{topic}}[{{partition}}]",
                ),
                Panel(
                    "Lag growing",
                    Kind.SERIES,
                    "sum(deriv(lpa_lag_records[10m]))",
                    12,
                    unit="ops",
                    about="Records a second by which the lag grows; below 0 it shrinks",
                ),
                Panel(
                    "Delivered a second, by partition",
                    Kind.SERIES,
                    "sum by (topic, partition) (deriv(lpa_committed_offset[5m]))",
                    12,
                    legend="{{topic}}[{{partition}}]",
                    unit="ops",
                ),
                Panel("Time in a stage (p95)", Kind.SERIES, _STAGE, 12, unit="s", legend="{{stage}}"),
            ),
        ),
        Row(
            "Freshness",
            (
                Panel("Age of the newest fact", Kind.TABLE, "freshness.sql", 12),
                Panel("Latest arrival by table", Kind.TABLE, "latest_arrivals.sql", 12),
            ),
        ),
        Row(
            "Materializing",
            (
                Panel("Age of the oldest touch", Kind.SERIES, "max(lpa_materialize_lag_seconds)", unit="s", yellow=900),
                Panel(
                    "Sessions written",
                    Kind.SERIES,
                    "sum by (folding) (rate(lpa_materialize_sessions_total[5m]))",
                    unit="ops",
                    legend="{{folding}}",
                ),
                Panel("Time of a pass (p95)", Kind.SERIES, _PASS, unit="s"),
                Panel("Signals folded", Kind.SERIES, "sum(rate(lpa_materialize_signals_total[5m]))", 12, unit="ops"),
                Panel(
                    "Touches that could not be read",
                    Kind.STAT,
                    "sum(increase(lpa_materialize_unreadable_total[24h]))",
                    12,
                    red=1,
                ),
            ),
        ),
        Row(
            "Group and dedup",
            (
                Panel("Rebalances", Kind.SERIES, "sum(increase(lpa_rebalances_total[10m]))"),
                Panel("Ranges repeated", Kind.SERIES, "sum(increase(lpa_prepared_ranges_repeated_total[10m]))"),
                Panel("Commits turned away", Kind.SERIES, "sum(increase(lpa_fenced_commits_total[10m]))"),
                Panel("Times held back", Kind.SERIES, "sum(increase(lpa_backpressure_episodes_total[10m]))"),
                Panel(
                    "Share of keys that were duplicates",
                    Kind.SERIES,
                    "sum(rate(lpa_dedup_hits_total[5m])) / sum(rate(lpa_dedup_claims_total[5m]))",
                    unit="percentunit",
                ),
                Panel(
                    "Rebuild of claims",
                    Kind.SERIES,
                    "min by (topic, partition) (lpa_dedup_rebuild_progress_ratio)",
                    legend="{{topic}}[{{partition}}]",
                    unit="percentunit",
                ),
                Panel("Claims rebuilt", Kind.SERIES, "sum(rate(lpa_dedup_rebuilt_keys_total[5m]))", unit="ops"),
                Panel(
                    "Duplicates by reason",
                    Kind.SERIES,
                    "sum by (reason) (rate(lpa_records_quarantined_total[5m]))",
                    unit="ops",
                    legend="{{reason}}",
                ),
            ),
        ),
    ),
)
