"""Runs the health checks while somebody looks at the console, and keeps what they measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

import attrs
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.monitor import HealthMonitor
from lpa_core.health.report import HealthReport
from lpa_core.plugins.context import AppContext
from lpa_core.sinks.sink import SinkUnavailable
from lpa_ops.console.trends import Measured, Trends
from lpa_ops.console.while_asked import WhileAsked
from lpa_ops.positions.input_topics import reads_kafka
from lpa_sinks.clickhouse.database import endpoint_of

_EVERY_SECONDS: Final = 60
"""If HEALTH_INTERVAL_SECONDS is 0."""
_ROUND_SECONDS: Final = 180
"""What all checks of a round may take, if they take turns."""
_TURN_SECONDS: Final = 30
"""How long a check waits for its turn: one that hangs must not make all others look as if they had failed."""

_PAUSES: Final = (0.2, 1.0, 3.0)
"""Seconds before a check is asked again: its new holder takes a moment to offer reads."""


@final
class HealthWatch:
    """Asks the checks while somebody looks at a page. To be closed. Any thread may ask for what is known."""

    def __init__(self, runner: CheckRunner, scope: Callable[[], Scope], seconds: float) -> None:
        """``scope`` says what is looked at now; ``seconds`` lie between two rounds."""
        self._trends = Trends()
        self._monitor = HealthMonitor(runner, scope, self._trends.hear, seconds)
        self._rounds = WhileAsked("health", self._monitor.look, seconds)

    def latest(self) -> HealthReport:
        """What the checks found last; without results before the first round, and after nobody has looked for long."""
        return self._monitor.latest() if self._rounds.ask() else HealthReport([])

    def trends(self) -> Mapping[str, Sequence[Measured]]:
        """What each check measured, in the order of time."""
        return self._trends.known()

    def close(self) -> None:
        self._rounds.close()


def health_watch(context: AppContext, sink: str | None) -> HealthWatch:
    """A watch that judges as ``lpa health`` does, and leaves the embedded database to others."""
    return HealthWatch(*shared_checks(context, sink), context.settings.health.interval_seconds or _EVERY_SECONDS)


def shared_checks(context: AppContext, sink: str | None) -> tuple[CheckRunner, Callable[[], Scope]]:
    """All checks, and what they look at now; they leave the embedded database to others.

    There they read in turn: its holder runs two statements at a time, and others need one of them. A server is asked
    as ``lpa health`` does it.
    """
    settings, plugins = context.settings, context.plugins

    def scope() -> Scope:
        now = time.time_ns() // 1_000_000
        since = now - settings.health.window_hours * 3_600_000
        kafka = reads_kafka(settings, sink)
        return Scope(settings, now, since, sink, kafka=kafka, event_types=plugins.event_types(), shared=True)

    checks = plugins.health_checks()
    if endpoint_of(sink, settings).path is None:
        return CheckRunner(checks, settings), scope
    turn = threading.Lock()
    in_turn = [attrs.evolve(check, judge=_in_turn(check, turn)) for check in checks]
    return CheckRunner(in_turn, settings, _ROUND_SECONDS), scope


def asked_now(runner: CheckRunner, scope: Callable[[], Scope]) -> Callable[[], HealthReport]:
    """Returns what asks all checks and waits for their results. Callers take turns, as a runner needs it."""
    turn = threading.Lock()

    def ask() -> HealthReport:
        with turn:
            return HealthReport(runner.run(scope()))

    return ask


def _in_turn(check: HealthCheck, turn: threading.Lock) -> Callable[[Scope], Finding]:
    """The check, asked again if the database changes hands meanwhile: that says nothing about health."""

    def judge(scope: Scope) -> Finding:
        has_turn = turn.acquire(timeout=_TURN_SECONDS)
        try:
            for pause in _PAUSES:
                try:
                    return check.judge(scope)
                except (SinkUnavailable, ClickHouseError):
                    time.sleep(pause)
            return check.judge(scope)
        finally:
            if has_turn:
                turn.release()

    return judge
