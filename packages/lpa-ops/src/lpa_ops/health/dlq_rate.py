"""Which share of the records is dead-lettered (spec/operations.md section 5: alert above 1 %)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.rejects import judge_share
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    thresholds = scope.settings.health.dlq_share
    return judge_share(scope, "dlq", "dead-lettered", thresholds, "`lpa triage` shows the reasons and samples")


CHECK: Final = HealthCheck("dlq_rate", "Dead letters", judge, "share", runbook=section("dlq_rate"))
