"""Dead letters and quarantined duplicates (docs/spec/operations.md section 6.1), by the time of the rejection."""

from __future__ import annotations

from typing import Final

from lpa_ops.dashboards.dashboard import Dashboard, Panel, PanelKind, PanelRow, Variable

QUALITY_GATE: Final = Dashboard(
    uid="lpa-quality-gate",
    title="Quality gate: DLQ and quarantine",
    variables=(Variable("event_type", "Event type", "event_types.sql"),),
    rows=(
        PanelRow(
            "Summary",
            (
                Panel("DLQ events (last 1h)", PanelKind.STAT, "dlq_last_hour.sql", 6, 4, yellow=1, red=10),
                Panel(
                    "Quarantine events (last 1h)", PanelKind.STAT, "quarantine_last_hour.sql", 6, 4, yellow=1, red=10
                ),
                Panel("DLQ events (last 24h)", PanelKind.STAT, "dlq_last_day.sql", 6, 4, yellow=10, red=100),
                Panel(
                    "Quarantine events (last 24h)", PanelKind.STAT, "quarantine_last_day.sql", 6, 4, yellow=10, red=100
                ),
            ),
        ),
        PanelRow(
            "Trends",
            (
                Panel("DLQ volume (per minute)", PanelKind.SERIES, "dlq_per_minute.sql", 12, red=10),
                Panel("Quarantine volume (per minute)", PanelKind.SERIES, "quarantine_per_minute.sql", 12, yellow=50),
                Panel(
                    "Share of records rejected",
                    PanelKind.SERIES,
                    "reject_share.sql",
                    24,
                    unit="percentunit",
                    about="Dead letters and duplicates among all records, per five minutes",
                ),
            ),
        ),
        PanelRow(
            "Breakdown",
            (
                Panel("Top DLQ failure reasons", PanelKind.TABLE, "top_failures.sql", 14, 10),
                Panel("DLQ failures by event type", PanelKind.BARS, "failures_by_type.sql", 10, 10),
                Panel("Recent DLQ and quarantine samples", PanelKind.TABLE, "reject_samples.sql", 24, 10),
            ),
        ),
        PanelRow(
            "By worker",
            (
                Panel(
                    "Dead letters by reason",
                    PanelKind.SERIES,
                    "sum by (class, reason) (rate(lpa_records_dead_lettered_total[5m]))",
                    12,
                    legend="{{class}} {{reason}}",
                    unit="ops",
                ),
                Panel(
                    "Same key, other content",
                    PanelKind.STAT,
                    'max(lpa_health_check_value{check="same_key_other_content"})',
                    6,
                    red=1,
                    about="Events that are not stored, because another event has their id",
                ),
                Panel(
                    "Stops because of too many rejects",
                    PanelKind.STAT,
                    "sum(increase(lpa_reject_limit_stops_total[24h]))",
                    6,
                    red=1,
                ),
                Panel(
                    "Rows that the size guard turned down",
                    PanelKind.STAT,
                    'sum(increase(lpa_records_dead_lettered_total{class="RECORD_TOO_LARGE"}[24h]))',
                    6,
                    red=1,
                ),
            ),
        ),
    ),
)
