"""Whether typed rows, facts, rollups and API views tell the same (docs/spec/serving.md section 10)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.parity import judge_parity, options
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    same = options(scope)
    return judge_parity(
        scope, f"`lpa check parity {same}` shows the rows; rebuild the hours: `lpa materialize rebuild {same}`"
    )


CHECK: Final = HealthCheck(
    "api_view_parity", "API view parity", judge, "assertions", costly=True, runbook=section("api_view_parity")
)
