"""The built-in health checks, one a module: each answers with a value, its thresholds and what to do next."""

from lpa_ops.health.checks import (
    api_view_parity,
    attribution_coverage,
    backup_age,
    conservation,
    consumer_lag,
    damaged_parts,
    dedup_store,
    deduplication_windows,
    discarded_timestamps,
    disk,
    dlq_rate,
    group_offsets,
    implausible_timestamps,
    input_to_fact_freshness,
    quarantine_rate,
    rollup_lag,
    schema_drift,
    session_consistency,
)

CHECKS = (
    input_to_fact_freshness.CHECK,
    rollup_lag.CHECK,
    api_view_parity.CHECK,
    attribution_coverage.CHECK,
    session_consistency.CHECK,
    dlq_rate.CHECK,
    quarantine_rate.CHECK,
    implausible_timestamps.CHECK,
    discarded_timestamps.CHECK,
    consumer_lag.CHECK,
    group_offsets.CHECK,
    conservation.CHECK,
    damaged_parts.CHECK,
    deduplication_windows.CHECK,
    dedup_store.CHECK,
    disk.CHECK,
    schema_drift.CHECK,
    backup_age.CHECK,
)
"""In the order of the operations guide, then those that this project adds."""
