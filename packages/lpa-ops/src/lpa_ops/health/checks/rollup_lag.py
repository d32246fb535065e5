"""How far the rollups are behind the facts that they are made of."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_ops.health.database import long_before, opened
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("fact_stream_status_samples_versions", "agg_stream_performance_1m_versions")
        found = database.ask_for_one("rollup_lag.sql")
        if found["newest_fact"] is None:
            found = database.ask_for_one("rollup_lag.sql", since=long_before(scope))
            if found["newest_fact"] is None or (found["newest_rollup"] or 0) >= found["newest_fact"]:
                raise NotApplicable("no attributed status sample was made in the window, and none waits for a rollup")
    if found["newest_rollup"] is None:
        behind = (scope.now_ms - found["oldest_fact"]) / 60_000
        what = f"no rollup although attributed samples arrived, the first {behind:,.0f} minutes ago"
    else:
        behind = max(0, found["newest_fact"] - found["newest_rollup"]) / 60_000
        what = f"the newest rollup is {behind:,.0f} minutes behind the newest attributed sample"
    return Finding.of(
        behind,
        scope.settings.health.rollup_lag_minutes,
        what,
        "look at the worker that materializes; then rebuild the window",
    )


CHECK: Final = HealthCheck("rollup_lag", "Facts to rollups", judge, "minutes", runbook=section("rollup_lag"))
