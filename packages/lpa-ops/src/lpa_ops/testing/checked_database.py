"""A database that tests look at and damage, and what a check says of it."""

from __future__ import annotations

from typing import Any, final

import attrs
from clickhouse_connect.driver.client import Client

from lpa_core.health.check import CheckResult, HealthCheck, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.settings.health import HealthSettings
from lpa_core.settings.settings import Settings
from lpa_core.settings.thresholds import State

HOUR_MS = 3_600_000


@final
@attrs.frozen
class CheckedDatabase:
    """A database that holds a day's events, judged an hour after the last of them was stored."""

    settings: Settings
    sink: str
    engine: Client
    now_ms: int

    def __call__(self, check: HealthCheck, **changed: Any) -> CheckResult:
        """What the check says, with some health settings changed."""
        settings = attrs.evolve(self.settings, health=HealthSettings(**changed))
        scope = Scope(settings, self.now_ms, self.now_ms - 24 * HOUR_MS, self.sink)
        (result,) = CheckRunner([check], settings, 600).run(scope)
        return result

    def run(self, statement: str) -> None:
        """Change something; deletions and alterations are done when it returns."""
        settings = {"lightweight_deletes_sync": 2, "mutations_sync": 2, "insert_deduplicate": 0}
        self.engine.command(self._named(statement), settings=settings)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.engine.query(self._named(statement)).result_rows]

    def _named(self, statement: str) -> str:
        return statement.replace("day.", f"{self.settings.clickhouse.database}.")


def ok(day: CheckedDatabase, check: HealthCheck, **changed: object) -> None:
    """The check has nothing to say against it."""
    result = day(check, **changed)
    assert result.finding.state is State.OK, result.finding.detail
    assert result.finding.action == ""


def red(day: CheckedDatabase, check: HealthCheck, state: State, said: str, **changed: object) -> str:
    """The check says so; returns what is to be done."""
    result = day(check, **changed)
    assert result.finding.state is state, result.finding.detail
    assert said in result.finding.detail
    assert result.finding.action, "what to do next"
    assert result.check.runbook.startswith("docs/operations/health.md#")
    return result.finding.action
