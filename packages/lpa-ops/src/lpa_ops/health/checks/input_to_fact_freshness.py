"""How far facts are behind the events that they are made of (docs/spec/operations.md section 5)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_ops.health.database import long_before, opened
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("ai_stream_status", "fact_stream_status_samples_versions")
        found = database.ask_for_one("freshness.sql")
        if found["newest_event"] is None:
            found = database.ask_for_one("freshness.sql", since=long_before(scope))
            if found["newest_event"] is None or (found["newest_fact"] or 0) >= found["newest_event"]:
                raise NotApplicable(
                    "no status event arrived in the window, and none from before it waits for its facts"
                )
    if found["newest_fact"] is None:
        waiting = (scope.now_ms - found["oldest_event"]) / 60_000
        what = f"no facts although status events arrived, the first {waiting:,.0f} minutes ago"
    else:
        waiting = max(0, found["newest_event"] - found["newest_fact"]) / 60_000
        what = f"the newest fact is {waiting:,.0f} minutes behind the newest status event"
    return Finding.of(
        waiting,
        scope.settings.health.freshness_minutes,
        what,
        "look at the worker that materializes: whether it runs, and what its log says",
    )


CHECK: Final = HealthCheck(
    "input_to_fact_freshness", "Input to facts", judge, "minutes", runbook=section("input_to_fact_freshness")
)
