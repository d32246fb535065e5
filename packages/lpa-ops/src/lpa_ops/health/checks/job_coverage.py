"""Which share of the jobs that were completed has a fact (docs/spec/producers.md section 7)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section

_WINDOW_MS: Final = 6 * 3_600_000
_AT_LEAST: Final = 20
"""Of fewer jobs a share says nothing."""


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("fact_jobs", "ai_batch_requests", "job_gateway_events")
        found = database.ask("job_coverage.sql", first=scope.now_ms - _WINDOW_MS, at_least=_AT_LEAST)
    if not found:
        raise NotApplicable(f"fewer than {_AT_LEAST} jobs of each type were completed in the last 6 hours")
    worst = found[0]
    return Finding.of(
        worst["with_fact"] / worst["completed"],
        scope.settings.health.job_coverage,
        ", ".join(f"{row['with_fact']:,} of {row['completed']:,} {row['job_type']} jobs have a fact" for row in found),
        "see whether facts are derived, then `lpa materialize rebuild --start 6h --end 1s`",
    )


CHECK: Final = HealthCheck(
    "job_coverage",
    "Completed jobs with facts",
    judge,
    "share",
    costly=True,
    runbook=section("job_coverage"),
)
