"""Dead letters and quarantined duplicates (docs/spec/operations.md section 6.1), by the time of the rejection."""

from __future__ import annotations

from typing import Final

from lpa_ops.console.dashboard import Dashboard, Kind, Panel, Row, Variable

QUALITY_GATE: Final = Dashboard(
    uid="lpa-quality-gate",
    title="Quality gate: DLQ and quarantine",
    variables=(Variable("event_type", "Event type", "event_types.sql"),),
    rows=(
        Row(
            "Summary",
            (
                Panel("DLQ events (last 1h)", Kind.STAT, "dlq_last_hour.sql", 6, 4, yellow=1, red=10),
                Panel("Quarantine events (last 1h)", Kind.STAT, "quarantine_last_hour.sql", 6, 4, yellow=1, red=10),
                Panel("DLQ events (last 24h)", Kind.STAT, "dlq_last_day.sql", 6, 4, yellow=10, red=100),
                Panel("Quarantine events (last 24h)", Kind.STAT, "quarantine_last_day.sql", 6, 4, yellow=10, red=100),
            ),
        ),
        Row(
            "Trends",
            (
                Panel("DLQ volume (per minute)", Kind.SERIES, "dlq_per_minute.sql", 12, red=10),
                Panel("Quarantine volume (per minute)", Kind.SERIES, "quarantine_per_minute.sql", 12, yellow=50),
                Panel(
                    "Share of records rejected",
                    Kind.SERIES,
                    "reject_share.sql",
                    24,
                    unit="percentunit",
                    about="Dead letters and duplicates among all records, per five minutes",
                ),
            ),
        ),
        Row(
            "Breakdown",
            (
                Panel("Top DLQ failure reasons", Kind.TABLE, "top_failures.sql", 14, 10),
                Panel("DLQ failures by event type", Kind.BARS, "failures_by_type.sql", 10, 10),
                Panel("Recent DLQ and quarantine samples", Kind.TABLE, "reject_samples.sql", 24, 10),
            ),
        ),
        Row(
            "By worker",
            (
                Panel(
                    "Dead letters by reason",
                    Kind.SERIES,
                    "sum by (class, reason) (rate(lpa_records_dead_lettered_total[5m]))",
                    12,
                    legend="{{class}} {{reason}}",
                    unit="ops",
                ),
                Panel(
                    "Stops because of too many rejects",
                    Kind.STAT,
                    "sum(increase(lpa_reject_limit_stops_total[24h]))",
                    6,
                    red=1,
                ),
                Panel(
                    "Rows that the size guard turned down",
                    Kind.STAT,
                    'sum(increase(lpa_records_dead_lettered_total{class="RECORD_TOO_LARGE"}[24h]))',
                    6,
                    red=1,
                ),
            ),
        ),
    ),
)
