"""Which share of the records is quarantined: duplicates."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_core.settings.thresholds import State
from lpa_ops.health.rejects import judge_share
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    return judge_share(
        scope,
        "quarantine",
        "quarantined",
        scope.settings.health.quarantine_share,
        "find who sends events twice: group streaming_events_quarantine by event_type and source_partition",
    )


CHECK: Final = HealthCheck(
    "quarantine_rate",
    "Quarantined duplicates",
    judge,
    "share",
    severity=State.WARNING,
    runbook=section("quarantine_rate"),
)
