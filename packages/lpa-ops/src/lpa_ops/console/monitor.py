"""Runs the health checks while the console runs, as a job does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

import attrs
from clickhouse_connect.driver.exceptions import ClickHouseError

from lpa_core.health.check import Finding, HealthCheck, Scope
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.monitor import HealthMonitor
from lpa_core.plugins.context import AppContext
from lpa_core.sinks.sink import SinkUnavailable
from lpa_ops.positions.input_topics import reads_kafka

_EVERY_SECONDS: Final = 60
"""If HEALTH_INTERVAL_SECONDS is 0."""
_ROUND_SECONDS: Final = 180
"""What all checks of a round may take, because they take turns."""

_PAUSES: Final = (0.2, 1.0, 3.0)
"""Seconds before a check is asked again: its new holder takes a moment to offer reads."""


def console_monitor(context: AppContext, sink: str | None) -> HealthMonitor:
    """A monitor that judges as ``lpa health`` does, and leaves the embedded database to others.

    Its checks read in turn: the holder of the database runs two statements at a time, and pages need one of them.
    """
    settings, plugins = context.settings, context.plugins
    turn = threading.Lock()

    def scope() -> Scope:
        now = time.time_ns() // 1_000_000
        since = now - settings.health.window_hours * 3_600_000
        kafka = reads_kafka(settings, sink)
        return Scope(settings, now, since, sink, kafka=kafka, event_types=plugins.event_types(), shared=True)

    checks = [attrs.evolve(check, judge=_in_turn(check, turn)) for check in plugins.health_checks()]
    seconds = settings.health.interval_seconds or _EVERY_SECONDS
    return HealthMonitor(CheckRunner(checks, settings, _ROUND_SECONDS), scope, lambda results: None, seconds)


def _in_turn(check: HealthCheck, turn: threading.Lock) -> Callable[[Scope], Finding]:
    """The check, asked again if the database changes hands meanwhile: that says nothing about health."""

    def judge(scope: Scope) -> Finding:
        with turn:
            for pause in _PAUSES:
                try:
                    return check.judge(scope)
                except (SinkUnavailable, ClickHouseError):
                    time.sleep(pause)
            return check.judge(scope)

    return judge
