"""Keeps the health of a running job up to date, in a thread of its own."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

import structlog

from lpa_core.events.event_type import EventType
from lpa_core.health.check import CheckResult, HealthCheck, Scope
from lpa_core.health.check_answer import message
from lpa_core.health.check_runner import CheckRunner
from lpa_core.health.report import HealthReport
from lpa_core.settings.settings import Settings

COSTLY_EVERY: Final = 15
"""Rounds after which costly checks are asked again, at the earliest."""
SELDOM: Final = 60
"""At the latest."""
_COSTLY_SHARE: Final = 0.005
"""Of the time, that costly checks take between these: on a large database they rest for longer."""

_log = structlog.get_logger("lpa.health")


@final
class HealthMonitor:
    """Asks the checks every ``seconds``, costly ones every :data:`COSTLY_EVERY` to :data:`SELDOM` times as long.

    ``scope`` says what is looked at now; ``hear`` receives each result. Any thread may ask for the latest report.
    A round that fails as a whole is logged; the next one comes in its time.
    """

    def __init__(
        self,
        runner: CheckRunner,
        scope: Callable[[], Scope],
        hear: Callable[[Sequence[CheckResult]], object],
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives seconds."""
        self._runner, self._scope, self._hear, self._seconds = runner, scope, hear, seconds
        self._clock = clock
        self._latest: dict[str, CheckResult] = {}
        self._rounds_to_costly = 0
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin, unless it was made for never (0 seconds)."""
        if not self._seconds:
            return
        threading.Thread(target=self._run, name="health", daemon=True).start()

    def close(self) -> None:
        """Ask no more checks. Does not wait for those at work."""
        self._stopping.set()

    def latest(self) -> HealthReport:
        """What is known now; without results before the first round has ended."""
        latest = self._latest
        return HealthReport([latest[check.name] for check in self._runner.checks if check.name in latest])

    def look(self) -> None:
        """One round. The thread does this again and again; a test does it by hand."""
        with_costly = not self._rounds_to_costly
        # Counted before anything can fail: costly checks that fail as a whole come in their time, too.
        self._rounds_to_costly = COSTLY_EVERY - 1 if with_costly else self._rounds_to_costly - 1
        self._ask(lambda check: not check.costly)
        if with_costly:
            begun = self._clock()
            self._ask(lambda check: check.costly)  # after the others, whose results need not wait for them
            rounds = math.ceil((self._clock() - begun) / (self._seconds * _COSTLY_SHARE))
            self._rounds_to_costly = min(SELDOM, max(COSTLY_EVERY, rounds)) - 1

    def _ask(self, wanted: Callable[[HealthCheck], bool]) -> None:
        results = self._runner.run(self._scope(), wanted)
        for result in results:
            before = self._latest.get(result.check.name)
            if before is None or before.finding.state is not result.finding.state:
                _log.info(
                    "health",
                    check=result.check.name,
                    state=result.finding.state.value,
                    found=result.finding.detail,
                    runbook=result.check.runbook,
                )
        self._latest = {**self._latest, **{result.check.name: result for result in results}}
        self._hear(results)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception as error:  # without this thread nobody would hear of anything any more
                _log.error("health was not checked", error=f"{type(error).__name__}: {message(error)}")
            self._stopping.wait(self._seconds)


def monitor_of(
    settings: Settings,
    checks: Sequence[HealthCheck],
    event_types: Sequence[EventType],
    hear: Callable[[Sequence[CheckResult]], object],
    *,
    sink: str | None,
    dedup: str | None,
    given_up: Callable[[], Mapping[str, str]] = dict,
) -> HealthMonitor:
    """A monitor for a job on Kafka; ``sink``, ``dedup`` and ``given_up`` as a :class:`Scope` has them."""

    def scope() -> Scope:
        now = time.time_ns() // 1_000_000
        since = now - settings.health.window_hours * 3_600_000
        return Scope(settings, now, since, sink, dedup, kafka=True, given_up=given_up(), event_types=event_types)

    runner = CheckRunner(checks, settings)
    return HealthMonitor(runner, scope, hear, settings.health.interval_seconds)
