"""Which share of the records is dead-lettered and not recovered (docs/spec/operations.md section 5: at most 1 %)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.database import HealthDatabase
from lpa_ops.health.rejects import Share, judge_share
from lpa_ops.health.runbook import section
from lpa_ops.health.same_scope import since_option


def judge(scope: Scope) -> Finding:
    thresholds = scope.settings.health.dlq_share
    action = f"`lpa triage {since_option(scope)}` shows the reasons and samples"
    return judge_share(scope, "dlq", "dead-lettered", thresholds, action, _outstanding)


def _outstanding(database: HealthDatabase, share: Share, found: Mapping[str, Any]) -> Share:
    """Without those whose events are stored by now; several attempts at a record are one."""
    states = database.ask_for_one("dead_letters.sql")
    notes = []
    if states["recovered"]:
        notes.append(f"{states['recovered']:,} more are recovered")
    if states["given_up"]:
        notes.append(f"replays gave {states['given_up']:,} of them up")
    note = f"; {', '.join(notes)}" if notes else ""
    return Share(states["left"], share.records - share.rejects + states["left"], note)


CHECK: Final = HealthCheck("dlq_rate", "Dead letters", judge, "share", runbook=section("dlq_rate"))
