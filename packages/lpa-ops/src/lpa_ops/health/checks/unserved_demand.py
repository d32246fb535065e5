"""Whether a gateway's sessions fail or find nobody that serves them (docs/spec/producers.md section 7)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_ops.health.network_demand import REQUESTED, Judged, demand_hours, finding, summed
from lpa_ops.health.runbook import section

_MOST_FAILED: Final = 0.4


def judge(scope: Scope) -> Finding:
    demands = summed(demand_hours(scope), lambda hour: (hour.gateway, hour.pipeline))
    return finding(
        [
            Judged(
                pipeline,
                demand.requested,
                demand.failed / demand.requested if demand.requested >= REQUESTED else None,
                demand.requested >= REQUESTED and demand.failed / demand.requested > _MOST_FAILED,
                f"{demand.failed:,} of {demand.requested:,} sessions failed or were not served",
                {"requested": demand.requested, "failed": demand.failed},
                gateway,
            )
            for (gateway, pipeline), demand in demands.items()
        ],
        f"gateways and pipelines had more than {_MOST_FAILED:.0%} of their sessions fail in the last full hour",
        "see whether orchestrators offer the pipeline, and what its sessions failed of",
    )


CHECK: Final = HealthCheck(
    "unserved_demand", "Unserved demand", judge, "pipelines", costly=True, runbook=section("unserved_demand")
)
