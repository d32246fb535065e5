"""How old the newest backup is."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    raise NotApplicable("this version makes no backups")


CHECK: Final = HealthCheck("backup_age", "Age of the newest backup", judge, "hours", runbook=section("backup_age"))
