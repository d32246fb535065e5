"""Whether a pipeline is hardly asked for any more (docs/spec/producers.md section 7)."""

from __future__ import annotations

from statistics import median
from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.network_demand import REQUESTED, Demand, Judged, demand_hours, finding, summed
from lpa_ops.health.runbook import section

_PRIOR_HOURS: Final = 24
_LEAST_OF_MEDIAN: Final = 0.2


def judge(scope: Scope) -> Finding:
    demands = summed(demand_hours(scope, 1 + _PRIOR_HOURS), lambda hour: (hour.pipeline, hour.hours_ago))
    judged: list[Judged] = []
    for pipeline in {pipeline for pipeline, _ in demands}:
        last, *prior = (demands.get((pipeline, ago), Demand()).requested for ago in range(1, 2 + _PRIOR_HOURS))
        usual = median(prior)
        share = last / usual if usual >= REQUESTED else None
        judged.append(
            Judged(
                pipeline,
                usual,
                share,
                share is not None and share < _LEAST_OF_MEDIAN,
                f"{last:,} sessions, after {usual:,g} in the median of {_PRIOR_HOURS} hours",
                {"requested": last, "median": usual},
            )
        )
    return finding(
        judged,
        f"pipelines had less than {_LEAST_OF_MEDIAN:.0%} of their usual sessions in the last full hour",
        "see whether facts are up to date, then whether gateways run and send events",
    )


CHECK: Final = HealthCheck(
    "demand_collapse", "Collapse of demand", judge, "pipelines", costly=True, runbook=section("demand_collapse")
)
