"""Settings of the health checks (``HEALTH_*``): how often and how long, and the thresholds."""

from __future__ import annotations

from typing import Final, final

import attrs

from lpa_core.settings.thresholds import Thresholds
from lpa_core.settings.values import falling, names, number, option, rising, whole

_RISING: Final = "two numbers, the second not below the first: warning above, critical above"
_FALLING: Final = "two numbers, the second not above the first: warning below, critical below"


@final
@attrs.frozen
class HealthSettings:
    interval_seconds: int = option(
        60,
        "a whole number of seconds, at most 86400, 0 for never",
        "How often a running job checks its health",
        whole(0, 86_400),
    )
    timeout_seconds: int = option(
        10,
        "a whole number of seconds, at least 1, at most 86400",
        "How long a check may take before it counts as failed",
        whole(1, 86_400),
    )
    costly_timeout_seconds: int = option(
        120,
        "a whole number of seconds, at least 1, at most 86400",
        "The same for checks that compare many rows",
        whole(1, 86_400),
    )
    window_hours: int = option(
        24,
        "a whole number of at least 1, at most 87600",
        "Hours that checks look back by default",
        whole(1, 87_600),
    )
    checks_disabled: tuple[str, ...] = option(
        (), "names of checks, comma separated", "Checks that are not asked; they show as not applicable", names
    )
    freshness_minutes: Thresholds = option(
        "15,60", _RISING, "Minutes by which the newest fact is behind the newest event", rising
    )
    rollup_lag_minutes: Thresholds = option(
        "15,60", _RISING, "Minutes by which the newest rollup is behind the newest fact", rising
    )
    attribution_coverage: Thresholds = option(
        "0.995,0.99", _FALLING, "Share of rows with a model that have a pipeline", falling
    )
    job_coverage: Thresholds = option(
        "0.99,0.98", _FALLING, "Share of the completed jobs of a type that have a fact", falling
    )
    dlq_share: Thresholds = option("0.005,0.01", _RISING, "Share of the records that are dead-lettered", rising)
    quarantine_share: Thresholds = option("0.05,0.2", _RISING, "Share of the records that are duplicates", rising)
    implausible_timestamps_share: Thresholds = option(
        "0.0005,0.005", _RISING, "Share of the records that are dead-lettered because their time cannot be", rising
    )
    discarded_timestamps_share: Thresholds = option(
        "0.01,0.1", _RISING, "Share of the times in the data of events that are not believed", rising
    )
    times_usual: float = option(
        "3", "a number of at least 1", "Times the share of the days before that rejects may come to", number(1)
    )
    usual_days: int = option(
        7, "a whole number of at least 1, at most 365", "Days before the window that show what is usual", whole(1, 365)
    )
    consumer_lag_records: Thresholds = option(
        "20000,500000", _RISING, "Records that a partition's consumer is behind", rising
    )
    retry_horizon_minutes: int = option(
        30,
        "a whole number of at least 1, at most 10080",
        "Minutes for which a repeated insert must be recognised",
        whole(1, 10_080),
    )
    deduplication_window_share: Thresholds = option(
        "0.5,1", _RISING, "Share of a table's deduplication window that the retry horizon takes", rising
    )
    dedup_store_gigabytes: Thresholds = option(
        "10,50", _RISING, "Gigabytes of the dedup stores of this machine, or of Redis", rising
    )
    disk_free_share: Thresholds = option("0.2,0.1", _FALLING, "Share of a disk that is free", falling)
    backup_age_hours: Thresholds = option("26,50", _RISING, "Age of the newest backup in hours", rising)
    flink_checkpoint_age_seconds: Thresholds = option(
        "120,600", _RISING, "Age of the newest checkpoint of the job on Flink, in seconds", rising
    )
