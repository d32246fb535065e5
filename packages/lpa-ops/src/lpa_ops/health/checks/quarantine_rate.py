"""Which share of the records is quarantined: duplicates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_core.settings.thresholds import State
from lpa_ops.health.database import HealthDatabase
from lpa_ops.health.rejects import Share, judge_share
from lpa_ops.health.runbook import section


def _compared(database: HealthDatabase, share: Share, found: Mapping[str, Any]) -> Share:
    """With a note of the events among them whose key is stored with other content."""
    most = database.ask("other_content.sql")
    note = f"; {most[0]['total']:,} of them have the same key as a stored event, but other content" if most else ""
    return attrs.evolve(share, note=note)


def judge(scope: Scope) -> Finding:
    return judge_share(
        scope,
        "quarantine",
        "quarantined",
        scope.settings.health.quarantine_share,
        "find who sends events twice: group streaming_events_quarantine by event_type and source_partition",
        _compared,
    )


CHECK: Final = HealthCheck(
    "quarantine_rate",
    "Quarantined duplicates",
    judge,
    "share",
    severity=State.WARNING,
    runbook=section("quarantine_rate"),
)
