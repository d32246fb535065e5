"""Whether sessions send the signals that are expected of them (docs/spec/producers.md section 7)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.network_demand import REQUESTED, Judged, demand_hours, finding, summed
from lpa_ops.health.runbook import section

_LEAST_COVERAGE: Final = 0.6


def judge(scope: Scope) -> Finding:
    judged: list[Judged] = []
    for pipeline, demand in summed(demand_hours(scope), lambda hour: hour.pipeline).items():
        share = demand.signals / demand.expected if demand.requested >= REQUESTED and demand.expected else None
        judged.append(
            Judged(
                pipeline,
                demand.requested,
                share,
                share is not None and share < _LEAST_COVERAGE,
                f"{demand.signals:,} of {demand.expected:,} signals of {demand.requested:,} sessions",
                {"requested": demand.requested, "signals": demand.signals, "expected": demand.expected},
            )
        )
    return finding(
        judged,
        f"pipelines had less than {_LEAST_COVERAGE:.0%} of the expected health signals in the last full hour",
        "see whether events of a kind are missing: statuses, or traces of the first segments",
    )


CHECK: Final = HealthCheck(
    "health_signal_coverage",
    "Coverage of health signals",
    judge,
    "pipelines",
    costly=True,
    runbook=section("health_signal_coverage"),
)
