"""The page of health checks: the answer of ``lpa health --json``, failing checks first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lpa_core.health.report import HealthReport, worst_first
from lpa_core.settings.thresholds import State
from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest

_SHOWN_BY: Final[Mapping[str, tuple[str, str]]] = {
    "dlq_rate": ("failures", "the dead letters"),
    "quarantine_rate": ("failures?place=quarantine", "the quarantined records"),
    "same_key_other_content": ("failures?place=quarantine", "the quarantined records"),
    "implausible_timestamps": ("failures", "the dead letters"),
    "attribution_coverage": ("sessions", "the sessions"),
    "session_consistency": ("sessions", "the sessions"),
    "job_coverage": ("sessions#jobs", "the jobs"),
    "unserved_demand": ("sessions", "the sessions"),
    "demand_collapse": ("sessions", "the sessions"),
    "input_to_fact_freshness": ("data", "the tables and their ages"),
    "rollup_lag": ("data", "the tables and their ages"),
    "api_view_parity": ("data", "the tables and their ages"),
    "schema_drift": ("data", "the tables and their ages"),
    "conservation": ("flow", "what was read and what became of it"),
    "consumer_lag": ("flow", "what was read and what became of it"),
}
"""Check -> the page that shows what it is about."""


def verdict(report: HealthReport) -> dict[str, Any]:
    """The worst state and how many checks have which."""
    states = [result.finding.state.value for result in report.results]
    return {
        "state": report.state.value if states else "loading",
        "counts": {each: states.count(each) for each in states},
    }


def failing(report: HealthReport) -> list[dict[str, Any]]:
    """Checks that are not ok, the worst first."""
    told = HealthReport(worst_first(report.results)).as_json()["checks"]
    return [each for each in told if each["state"] in (State.WARNING, State.CRITICAL)]


def _read(sources: ConsoleSources, asked: PageRequest) -> Mapping[str, Any]:
    report = sources.health()
    ordered = HealthReport(worst_first(report.results))
    return {**ordered.as_json(), **verdict(report)}


def shown_by(check: str) -> tuple[str, str]:
    """Address and name of the page that shows what a check is about; empty texts if there is none."""
    return _SHOWN_BY.get(check, ("", ""))


PAGES: Final = (ConsolePage("health", "Health", "health.html", _read, refreshed=True),)
