"""Whether sessions and their segments agree (docs/spec/serving.md section 10, invariants 24 and 30 to 35)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.parity import judge_parity, options
from lpa_ops.health.runbook import section

INVARIANTS: Final = frozenset({24, 30, 31, 32, 33, 34, 35})


def judge(scope: Scope) -> Finding:
    return judge_parity(
        scope,
        f"rebuild the hours: `lpa materialize rebuild {options(scope)}`, or with --sessions some of their sessions",
        INVARIANTS,
    )


CHECK: Final = HealthCheck(
    "session_consistency",
    "Sessions and segments",
    judge,
    "assertions",
    costly=True,
    runbook=section("session_consistency"),
)
