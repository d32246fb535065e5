"""The results of all checks together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, final

import attrs

from lpa_core.health.check import CheckResult
from lpa_core.settings.thresholds import State


@final
@attrs.frozen
class HealthReport:
    results: Sequence[CheckResult]

    @property
    def state(self) -> State:
        """The worst there is. NOT_APPLICABLE if nothing could be judged."""
        judged = [result.finding.state for result in self.results]
        return max(
            (state for state in judged if state is not State.NOT_APPLICABLE),
            key=lambda state: state.rank,
            default=State.NOT_APPLICABLE,
        )

    def as_json(self) -> dict[str, Any]:
        return {"state": self.state.value, "checks": [*map(_as_json, self.results)]}


def worst_first(results: Iterable[CheckResult]) -> list[CheckResult]:
    return sorted(results, key=lambda result: -result.finding.state.rank)


def _as_json(result: CheckResult) -> dict[str, Any]:
    check, finding = result.check, result.finding
    thresholds = finding.thresholds
    return {
        "name": check.name,
        "title": check.title,
        "state": finding.state.value,
        "value": finding.value,
        "unit": check.unit,
        "warning": None if thresholds is None else thresholds.warning,
        "critical": None if thresholds is None else thresholds.critical,
        "detail": finding.detail,
        "action": finding.action,
        "runbook": check.runbook,
        "checked": datetime.fromtimestamp(result.checked_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": round(result.seconds, 3),
    }
