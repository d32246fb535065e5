"""Which share of the rows with a model has a pipeline (docs/spec/serving.md section 10, invariant 61)."""

from __future__ import annotations

from typing import Final

from lpa_core.health.check import Finding, HealthCheck, NotApplicable, Scope
from lpa_ops.health.database import opened
from lpa_ops.health.runbook import section


def judge(scope: Scope) -> Finding:
    with opened(scope) as database:
        database.require("v_api_gpu_metrics", "v_api_sla_compliance")
        found = database.ask_for_one("attribution_coverage.sql")
    attributable, attributed = found["attributable"], found["attributed"]
    if not attributable:
        raise NotApplicable("no row with a model in the API views in the window")
    return Finding.of(
        attributed / attributable,
        scope.settings.health.attribution_coverage,
        f"{attributed:,} of {attributable:,} rows with a model have a pipeline",
        "see whether orchestrators still send network_capabilities, then rebuild the window",
    )


CHECK: Final = HealthCheck(
    "attribution_coverage",
    "Attribution coverage",
    judge,
    "share",
    costly=True,
    runbook=section("attribution_coverage"),
)
