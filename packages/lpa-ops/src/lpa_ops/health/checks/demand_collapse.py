"""Whether a pipeline is hardly asked for any more (docs/spec/producers.md section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.network_demand import REQUESTED, Judged, demand_hours, finding, jobs_by_hour, summed
from lpa_ops.health.runbook import section

_PRIOR_HOURS: Final = 24
_HOURS: Final = 1 + _PRIOR_HOURS
_LEAST_OF_MEDIAN: Final = 0.2
_JOBS: Final = 20
"""In the median hour, from which on jobs are judged."""


def judge(scope: Scope) -> Finding:
    demands = summed(demand_hours(scope, _HOURS), lambda hour: (hour.pipeline, hour.hours_ago))
    sessions = {key: demand.requested for key, demand in demands.items()}
    return finding(
        [
            *_judged(sessions, "sessions", REQUESTED, ("requested", "median")),
            *_judged(jobs_by_hour(scope, _HOURS), "jobs", _JOBS, ("jobs", "jobs_median")),
        ],
        f"pipelines had less than {_LEAST_OF_MEDIAN:.0%} of their usual demand in the last full hour",
        "see whether facts are up to date, then whether gateways run and send events",
    )


def _judged(
    requested: Mapping[tuple[str, int], int], what: str, enough: int, figures: tuple[str, str]
) -> Iterator[Judged]:
    """Each pipeline, by what was requested of it: pipeline and hours ago -> number."""
    for pipeline in {pipeline for pipeline, _ in requested}:
        last, *prior = (requested.get((pipeline, ago), 0) for ago in range(1, 1 + _HOURS))
        usual = median(prior)
        share = last / usual if usual >= enough else None
        yield Judged(
            pipeline,
            usual,
            share,
            share is not None and share < _LEAST_OF_MEDIAN,
            f"{last:,} {what}, after {usual:,g} in the median of {_PRIOR_HOURS} hours",
            dict(zip(figures, (last, usual), strict=True)),
        )


CHECK: Final = HealthCheck(
    "demand_collapse", "Collapse of demand", judge, "pipelines", costly=True, runbook=section("demand_collapse")
)
