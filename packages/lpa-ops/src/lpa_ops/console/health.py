"""The page of health checks: the answer of ``lpa health --json``, failing checks first, with trends and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lpa_core.health.report import HealthReport, worst_first
from lpa_core.settings.thresholds import State
from lpa_ops.console import trends
from lpa_ops.console.evidence import newest
from lpa_ops.console.page import ConsolePage, ConsoleSources, PageRequest


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
    since_ms = asked.now_ms - sources.settings.health.window_hours * 3_600_000
    return {
        **ordered.as_json(),
        **verdict(report),
        "trends": _trends(sources, report),
        "newest": newest(sources.database, [each["name"] for each in failing(report)], since_ms),
    }


def _trends(sources: ConsoleSources, report: HealthReport) -> dict[str, Any]:
    """Check -> its values, and the line and words that show them; only of checks that have a trend."""
    units = {result.check.name: result.check.unit for result in report.results}
    return {
        name: {
            "values": [[each.at_ms, each.value] for each in values],
            "line": trends.line(values),
            "words": trends.words(values, units[name]),
        }
        for name, values in sources.trends().items()
        if len(values) > 1 and name in units
    }


PAGES: Final = (ConsolePage("health", "Health", "health.html", _read, refreshed=True),)
